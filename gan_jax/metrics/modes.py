"""Modes captured and share of high-quality samples, where modes are known.

Srivastava et al., VEEGAN, https://arxiv.org/abs/1705.07761, section 4.1 (modes
and quality from 2,500 samples at three standard deviations); Lin et al.,
PacGAN, https://arxiv.org/abs/1712.04086, section 4.1 (the reverse KL).
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError


def modes(
  samples, centers, std: float, *, threshold: float = 3.0, min_count: int = 1
) -> dict[str, float]:
  """Compares samples with a mixture of equal round Gaussians.

  A sample belongs to the mode whose centre is nearest, and is of high quality
  if it is within `threshold` standard deviations of it.

  Args:
    samples: [N, D].
    centers: [M, D].
    std: standard deviation of each mode, along each axis.
    threshold: reach of a mode, in standard deviations (the border is inside).
    min_count: high-quality samples that a mode needs to be captured.

  Returns:
    modes: number of modes captured, of M.
    high_quality: share of the samples that are of high quality.
    reverse_kl: KL(samples || uniform) over the modes, in nats, of all samples;
      from 0 to log M.

  Raises:
    UserError: wrong shapes, no samples, NaN or infinity, std not above 0.
  """
  options = {'threshold': threshold, 'min_count': min_count}
  return modes_and_counts(samples, centers, std, **options)[0]


def modes_and_counts(
  samples, centers, std: float, *, threshold: float = 3.0, min_count: int = 1
) -> tuple[dict[str, float], np.ndarray]:
  """What `modes` and `mode_counts` give, in one look at the samples."""
  samples, centers = checks.pair(samples, centers, ('samples', 'centers'))
  if not std > 0:
    raise UserError(f'modes: expected a std above 0, got {std}')
  nearest, distance = _nearest(samples, centers)
  good = distance <= threshold * std  # [N]
  counts = np.bincount(nearest[good], minlength=len(centers))
  return {
    'modes': float((counts >= min_count).sum()),
    'high_quality': float(good.mean()),
    'reverse_kl': _kl_to_uniform(np.bincount(nearest, minlength=len(centers))),
  }, counts


def mode_counts(
  samples, centers, std: float, *, threshold: float = 3.0
) -> np.ndarray:
  """High-quality samples of each mode, [M]; `modes` explains the arguments.

  Raises:
    UserError: as `modes`.
  """
  samples, centers = checks.pair(samples, centers, ('samples', 'centers'))
  nearest, distance = _nearest(samples, centers)
  good = distance <= threshold * std
  return np.bincount(nearest[good], minlength=len(centers))


def _nearest(samples, centers):
  """The nearest centre of each sample and the distance to it: [N], [N]."""
  # One centre at a time: [N, M, D] need not fit in memory.
  distances = [np.linalg.norm(samples - center, axis=1) for center in centers]
  nearest = np.argmin(distances, axis=0)
  return nearest, np.min(distances, axis=0)


def _kl_to_uniform(counts):
  """Sum of p log(p M) over the M modes, p the share of each."""
  p = counts[counts > 0] / counts.sum()
  return float(np.sum(p * np.log(p * len(counts))))
