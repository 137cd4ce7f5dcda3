"""Fréchet distance extrapolated to infinitely many fakes.

Chong & Forsyth, Effectively Unbiased FID and Inception Score and where to find
them, https://arxiv.org/abs/1911.07023: the distance of N fakes exceeds that of
infinitely many by nearly a multiple of 1 / N, and the multiple depends on the
generator. A straight line through the distances at several N is extrapolated to
1 / N = 0. The real side is used as it is.
"""

import numpy as np

from gan_jax.metrics import checks, fid
from gan_jax.types import UserError


def fd_infinity(
  real_statistics: tuple,
  fake_features,
  *,
  points: int = 15,
  smallest: int | None = None,
  seed: int = 0,
) -> dict:
  """The limit of the Fréchet distance as the number of fakes grows.

  Args:
    real_statistics: mean [D] and covariance [D, D].
    fake_features: [N, D].
    points: sizes of subsets, evenly spaced from `smallest` to N.
    smallest: default a tenth of N (the paper's 5,000 of 50,000), but at least
      2 D or half of N, whichever is less: with fewer the covariance is near
      singular and the distances are not on a line.
    seed: of the draws, which are without replacement.

  Returns:
    fd_infinity: the intercept; noise may make it negative.
    sizes: list of `points` integers.
    distances: list of `points` floats, the distance of a subset of each size.

  Raises:
    UserError: as `fid.frechet_distance`; fewer than two points; `smallest`
      below 2, or not below N.
  """
  x = checks.unconverted(fake_features, 'fake_features', least=4)
  sizes = _sizes(*x.shape, points, smallest)
  distance = fid.distance_to(*real_statistics)
  rng = np.random.default_rng(seed)
  distances = []
  for size in sizes:
    rows = np.sort(rng.choice(len(x), size, replace=False))
    distances.append(distance(*_statistics(x, rows)))
  return {
    'fd_infinity': _intercept(1 / sizes, np.array(distances)),
    'sizes': sizes.tolist(),
    'distances': distances,
  }


def _sizes(n, d, points, smallest):
  """Sizes of the subsets, [points]."""
  if points < 2:
    raise UserError(f'fd_infinity: expected 2 points or more, got {points}')
  if smallest is None:
    smallest = max(n // 10, min(2 * d, n // 2))
  if not 2 <= smallest < n:
    raise UserError(
      f'fd_infinity: the smallest subset must have from 2 to {n - 1} of the '
      f'{n} examples, got {smallest}'
    )
  return np.linspace(smallest, n, points).astype(np.int64)


def _statistics(x, rows):
  """Mean and covariance of some rows, a block of them at a time."""
  moments = fid.Moments()
  for start in range(0, len(rows), fid.ROWS):
    moments.add(x[rows[start : start + fid.ROWS]])
  return moments.statistics()


def _intercept(x, y):
  """Of the least-squares line through the points."""
  centered = x - x.mean()
  slope = centered @ y / (centered @ centered)
  return float(y.mean() - slope * x.mean())
