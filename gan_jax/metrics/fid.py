"""Fréchet distance between two sets of features.

Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local
Nash Equilibrium, https://arxiv.org/abs/1706.08500, section 4: both sets are
taken for Gaussians,
  |mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2).
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError


def statistics(features) -> tuple[np.ndarray, np.ndarray]:
  """Mean and unbiased covariance, in float64 whatever the input.

  Args:
    features: [N, D], N >= 2.

  Returns:
    mu [D] and sigma [D, D].

  Raises:
    UserError: wrong shape, fewer than two examples, NaN or infinity.
  """
  x = checks.features(features, 'features', least=2)
  mu = x.mean(axis=0)
  x -= mu
  return mu, x.T @ x / (len(x) - 1)  # [D], [D, D]


def frechet_from_statistics(mu1, s1, mu2, s2) -> float:
  """Fréchet distance of two Gaussians.

  Args:
    mu1: mean [D].
    s1: covariance [D, D].
    mu2: mean [D].
    s2: covariance [D, D].

  Returns:
    The squared distance, >= 0.

  Raises:
    UserError: shapes that do not fit, NaN or infinity.
  """
  mu1, mu2, s1, s2 = (np.asarray(x, np.float64) for x in (mu1, mu2, s1, s2))
  d = mu1.size
  shapes = [x.shape for x in (mu1, mu2, s1, s2)]
  if shapes != [(d,), (d,), (d, d), (d, d)]:
    raise UserError(f'fid: expected [D], [D], [D, D], [D, D], got {shapes}')
  if not all(np.isfinite(x).all() for x in (mu1, mu2, s1, s2)):
    raise UserError('fid: the statistics hold NaN or infinity')
  traces = np.trace(s1) + np.trace(s2) - 2 * _trace_root(s1, s2)
  # Rounding may leave -1e-15 where the two are the same.
  return max(0.0, float(np.sum((mu1 - mu2) ** 2) + traces))


def frechet_distance(features_a, features_b) -> float:
  """Fréchet distance between two sets of features.

  Computed in float64 on the host: in float32 a singular covariance (fewer
  examples than dimensions) is wrong in the third digit.

  Args:
    features_a: [N, D], any kind of float, N >= 2.
    features_b: [M, D], likewise.

  Returns:
    The squared distance, >= 0.

  Raises:
    UserError: wrong shapes, fewer than two examples, NaN or infinity.
  """
  a, b = checks.pair(
    features_a, features_b, ('features_a', 'features_b'), least=2
  )
  return frechet_from_statistics(*statistics(a), *statistics(b))


def _trace_root(s1, s2):
  """tr (S1 S2)^1/2 = tr (S1^1/2 S2 S1^1/2)^1/2: symmetric, never complex."""
  values, vectors = np.linalg.eigh(s1)
  root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T  # [D, D]
  product = root @ s2 @ root
  # Where the rank is deficient, zero comes out as a tiny negative number.
  values = np.linalg.eigvalsh((product + product.T) / 2)
  return np.sqrt(np.maximum(values, 0)).sum()
