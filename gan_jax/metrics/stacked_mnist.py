"""Modes of stacked MNIST: the thousand triples of digits, one a channel.

Metz et al., Unrolled Generative Adversarial Networks,
https://arxiv.org/abs/1611.02163; Lin et al., PacGAN,
https://arxiv.org/abs/1712.04086, section 4 (from 26,000 samples).
"""

from collections.abc import Callable

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError


def stacked_modes(
  labels_or_probabilities, num_classes: int = 10, *, min_count: int = 1
) -> dict[str, float]:
  """How many triples of digits the samples show, and how evenly.

  Even draws from all modes have a divergence of about (modes - 1) / 2 N:
  0.019 for a thousand modes and 26,000 samples. So compare at equal N only.

  Args:
    labels_or_probabilities: digits [N, 3] as integers, or a classifier's
      probabilities [N, 3, num_classes], of which the largest counts.
    num_classes: digits of one channel.
    min_count: samples that a mode needs to be counted.

  Returns:
    stacked_modes: number of modes seen, of num_classes^3.
    stacked_kl: KL(samples || uniform) over all of them, in nats, of all
      samples; from 0 to 3 log num_classes.

  Raises:
    UserError: wrong shape, no samples, NaN, a digit out of range.
  """
  counts = mode_counts(labels_or_probabilities, num_classes)
  p = counts[counts > 0] / counts.sum()
  # Rounding may leave -1e-16 where all modes are alike.
  kl = max(0.0, float(np.sum(p * np.log(p * len(counts)))))
  seen = float((counts >= max(1, min_count)).sum())
  return {'stacked_modes': seen, 'stacked_kl': kl}


def mode_counts(labels_or_probabilities, num_classes: int = 10) -> np.ndarray:
  """Samples of each mode, [num_classes^3]; see `stacked_modes`.

  Raises:
    UserError: as `stacked_modes`.
  """
  triples = _digits(np.asarray(labels_or_probabilities), num_classes)
  modes = triples @ num_classes ** np.arange(3)  # [N]
  return np.bincount(modes, minlength=num_classes**3)


def triple_labels(apply: Callable, samples) -> np.ndarray:
  """The digit that a classifier of grey digits sees in each channel.

  Args:
    apply: samples [N, H, W, 1] -> Seen, as of `features.base.Features`.
    samples: [N, H, W, 3], uint8 or float in model range.

  Returns:
    Digits [N, 3], int64.

  Raises:
    UserError: not [N, H, W, 3], a net that knows no classes, NaN.
  """
  samples = np.asarray(samples)
  if samples.ndim != 4 or samples.shape[-1] != 3 or not len(samples):
    raise UserError(
      f'stacked_mnist: expected samples [N, H, W, 3], got {list(samples.shape)}'
    )
  return np.stack(
    [_seen(apply, samples[..., c : c + 1]) for c in range(3)], axis=1
  )


def _seen(apply, grey):
  probabilities = apply(grey).probabilities
  if probabilities is None:
    raise UserError(
      'stacked_mnist: needs a classifier of digits; these features know none'
    )
  return checks.features(probabilities, 'probabilities').argmax(axis=1)


def _digits(x, num_classes):
  """Digits [N, 3] in range, from digits or from probabilities [N, 3, C]."""
  if x.ndim == 3 and x.shape[1:] == (3, num_classes):
    flat = checks.features(x.reshape(-1, num_classes), 'probabilities')
    x = flat.argmax(axis=1).reshape(-1, 3)
  whole = np.issubdtype(x.dtype, np.integer)
  if x.ndim != 2 or x.shape[1] != 3 or not len(x) or not whole:
    raise UserError(
      'stacked_mnist: expected integer digits [N, 3] or probabilities '
      f'[N, 3, {num_classes}], got {x.dtype} {list(x.shape)}'
    )
  checks.label_range(x, num_classes, 'stacked_mnist: digits')
  return x.astype(np.int64)
