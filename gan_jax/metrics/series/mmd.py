"""Maximum mean discrepancy of whole series, by a Gaussian kernel.

Its bandwidth is chosen on other samples than those that are measured, as by C.
Esteban et al. (2017), https://arxiv.org/abs/1706.02633, section 4.1: that at
which the discrepancy is largest in units of its own deviation. D. Sutherland et
al., Generative models and model criticism via optimized maximum mean
discrepancy (2017), https://arxiv.org/abs/1611.04488, section 3.
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

MOST = 1000  # series of each side that choose, and as many that are measured
SCALES = tuple(2.0**k for k in range(-4, 3))  # of the median distance
SMALL = 1e-12  # variance of a kernel that tells nothing apart


def chosen(real, fake) -> float:
  """The bandwidth, one of SCALES times the median distance.

  Args:
    real: [N, D] features of series.
    fake: [N, D], as many.

  Returns:
    of exp(-|x - y|^2 / (2 bandwidth^2)); 0 if all of them are equal.

  Raises:
    UserError: see discrepancy.
  """
  real, fake = _pair(real, fake)
  both = np.concatenate([real, fake])
  squares = _squares(both, both)
  median = np.sqrt(np.median(squares[np.triu_indices(len(both), 1)]))
  if not median:  # more than half are equal
    median = np.sqrt(squares.max())
  if not median:
    return 0.0
  ratio = lambda scale: _ratio(*discrepancy(real, fake, scale * median))
  return float(median * max(SCALES, key=ratio))


def discrepancy(real, fake, bandwidth: float) -> tuple[float, float]:
  """The squared discrepancy, without bias, and the variance of that estimate.

  Args:
    real: [N, D], N >= 4.
    fake: [N, D], as many.
    bandwidth: see chosen.

  Returns:
    (value, variance): the U-statistic of h(i, j) = k(x_i, x_j) + k(y_i, y_j)
    - k(x_i, y_j) - k(x_j, y_i), which may be below 0, and the variance by its
    first and second order, estimated from the same h.

  Raises:
    UserError: fewer than 4, unlike numbers, NaN or infinity.
  """
  real, fake = _pair(real, fake)
  n = len(real)
  width = 2 * max(bandwidth, 1e-30) ** 2
  kernel = lambda a, b: np.exp(-_squares(a, b) / width)
  across = kernel(real, fake)
  h = kernel(real, real) + kernel(fake, fake) - across - across.T
  off = ~np.eye(n, dtype=bool)
  rows = (h.sum(axis=1) - h.diagonal()) / (n - 1)
  second = h[off].var()
  # What other samples add to the spread of the rows is no first order.
  first = max(0.0, rows.var(ddof=1) - second / (n - 1))
  variance = (4 * (n - 2) * first + 2 * second) / (n * (n - 1))
  return float(rows.mean()), float(variance)


def _ratio(value, variance):
  return value / np.sqrt(max(variance, SMALL))


def _pair(real, fake):
  real = checks.features(real, 'mmd: real', least=4)
  fake = checks.features(fake, 'mmd: fake', least=4)
  if real.shape != fake.shape:
    raise UserError(
      f'mmd: expected as many fakes as real ones, got {list(real.shape)} and'
      f' {list(fake.shape)}'
    )
  return real, fake


def _squares(a, b):
  """Squared distances [N, M]; rounding does not make them negative."""
  square = lambda x: (x**2).sum(axis=1)
  far = square(a)[:, None] + square(b)[None] - 2 * a @ b.T
  return np.maximum(far, 0)
