"""Kernel distance between two sets of features.

Bińkowski et al., Demystifying MMD GANs, https://arxiv.org/abs/1801.01401: the
squared maximum mean discrepancy under the kernel (x^T y / D + 1)^3, in its
unbiased form, which may be negative where the two are alike.
"""

import numpy as np

from gan_jax.metrics import checks, intervals
from gan_jax.types import UserError

MOST = 10_000  # samples of a side, for all pairs unless somebody asks for them
SUBSETS, SUBSET_SIZE = 100, 1000  # of more, as the authors do
BLOCK = 1000  # rows of the kernel's matrix that are in memory at once


def kernel_distance(
  a,
  b,
  *,
  subsets: int = 0,
  subset_size: int = 1000,
  degree: int = 3,
  gamma: float | None = None,
  coef: float = 1.0,
  seed: int = 0,
) -> float:
  """Squared maximum mean discrepancy under (gamma x^T y + coef)^degree.

  Args:
    a: features [N, D], N >= 2.
    b: features [M, D], M >= 2.
    subsets: 0 for one estimate from all examples, which has the least noise;
      otherwise the number of random subsets whose estimates are averaged, as
      the authors do (100 of 1,000).
    subset_size: of each subset of either side; unused for subsets=0.
    degree: of the polynomial.
    gamma: default 1 / D.
    coef: the constant.
    seed: of the draws.

  Returns:
    An unbiased estimate; zero on average for the same distribution.

  Raises:
    UserError: wrong shapes, fewer than two examples or fewer than
      subset_size, NaN or infinity.
  """
  options = {'degree': degree, 'gamma': gamma, 'coef': coef}
  if subsets:
    options |= {'subsets': subsets, 'subset_size': subset_size, 'seed': seed}
    return float(kernel_distance_subsets(a, b, **options).mean())
  return _unbiased(*_pair(a, b), **options)


def kernel_distance_subsets(
  a,
  b,
  *,
  subsets: int = 100,
  subset_size: int = 1000,
  degree: int = 3,
  gamma: float | None = None,
  coef: float = 1.0,
  seed: int = 0,
) -> np.ndarray:
  """Estimates from random subsets, each drawn without replacement.

  Args:
    a: features [N, D].
    b: features [M, D].
    subsets: how many.
    subset_size: examples of a and examples of b in each.
    degree, gamma, coef, seed: see `kernel_distance`.

  Returns:
    Estimates [subsets]. Subsets overlap, so their spread understates the error
    of their mean.

  Raises:
    UserError: as `kernel_distance`.
  """
  a, b = (
    checks.unconverted(x, name, least=2) for x, name in ((a, 'a'), (b, 'b'))
  )
  checks.same_dimension(a.shape[1], b.shape[1], ('a', 'b'))
  if subsets < 1 or not 2 <= subset_size <= min(len(a), len(b)):
    raise UserError(
      'kid: expected 1 subset or more, each of 2 examples to '
      f'{min(len(a), len(b))}, got {subsets} of {subset_size}'
    )
  rng = np.random.default_rng(seed)
  draw = lambda x: x[_chosen(rng, len(x), subset_size)].astype(np.float64)
  options = {'degree': degree, 'gamma': gamma, 'coef': coef}
  return np.array(
    [_unbiased(draw(a), draw(b), **options) for _ in range(subsets)]
  )


def kernel_distance_interval(
  a, b, *, subsets: int = SUBSETS, subset_size: int = SUBSET_SIZE, **options
) -> tuple[float, tuple[float, float] | None]:
  """The mean of estimates from random subsets, and its interval at 95 %.

  Subsets share examples, so their estimates are correlated: by no more than the
  share of the examples that two subsets have in common, m / N of the smaller
  side. Nadeau and Bengio, Inference for the Generalization Error (2003),
  https://doi.org/10.1023/A:1024068626366: with a correlation r the variance of
  the mean of S estimates is (1 / S + r / (1 - r)) times their sample variance.

  Args:
    a: features [N, D].
    b: features [M, D].
    subsets: how many.
    subset_size: see `kernel_distance_subsets`.
    **options: of `kernel_distance_subsets`.

  Returns:
    (estimate, (low, high)); no interval of a single subset, nor of subsets that
    hold more than half of a side.

  Raises:
    UserError: as `kernel_distance_subsets`.
  """
  each = kernel_distance_subsets(
    a, b, subsets=subsets, subset_size=subset_size, **options
  )
  value, shared = float(each.mean()), subset_size / min(len(a), len(b))
  if subsets < 2 or shared > 0.5:
    return value, None
  low, high = intervals.of_draws(each)
  half = (high - low) / 2 * np.sqrt(1 + subsets * shared / (1 - shared))
  return value, (value - float(half), value + float(half))


def kernel_distance_blocks(
  a,
  b,
  *,
  block_size: int = 1024,
  degree: int = 3,
  gamma: float | None = None,
  coef: float = 1.0,
) -> np.ndarray:
  """Independent estimates, from disjoint blocks in the order of the examples.

  Zaremba et al., B-tests, https://arxiv.org/abs/1307.1954. The larger side is
  cut into blocks of at most block_size, as even as possible, and the other side
  into as many. The examples must be in random order.

  Args:
    a: features [N, D].
    b: features [M, D].
    block_size: the most examples in a block.
    degree, gamma, coef: see `kernel_distance`.

  Returns:
    Estimates [ceil(max(N, M) / block_size)], smaller blocks first. Their mean
    is the distance, their standard deviation / sqrt(blocks) its error.

  Raises:
    UserError: as `kernel_distance`, or blocks with fewer than two examples.
  """
  a, b = _pair(a, b)
  if block_size < 2:
    raise UserError(f'kid: expected blocks of 2 or more, got {block_size}')
  count = -(-max(len(a), len(b)) // block_size)
  if min(len(a), len(b)) < 2 * count:
    raise UserError(
      f'kid: {count} blocks of at most {block_size} need 2 examples each, got '
      f'{len(a)} and {len(b)} examples'
    )
  options = {'degree': degree, 'gamma': gamma, 'coef': coef}
  parts = zip(_cut(a, count), _cut(b, count), strict=True)
  return np.array([_unbiased(x, y, **options) for x, y in parts])


def _pair(a, b):
  return checks.pair(a, b, ('a', 'b'), least=2)


def _chosen(rng, n, size):
  """Different rows, in the order of memory, which reads them faster."""
  return np.sort(rng.choice(n, size, replace=False))


def _cut(x, count):
  """Consecutive parts that differ by one example at most, smaller first."""
  size, larger = divmod(len(x), count)
  sizes = np.full(count, size)
  sizes[count - larger :] += 1
  return np.split(x, np.cumsum(sizes)[:-1])


def _unbiased(x, y, *, degree, gamma, coef):
  """Mean within x + mean within y - 2 mean across, no example with itself."""
  if degree < 1:
    raise UserError(f'kid: expected a degree of 1 or more, got {degree}')
  gamma = 1 / x.shape[1] if gamma is None else gamma

  def total(products):
    """Sum of the kernel over pairs, by their inner products."""
    base = products * gamma
    base += coef
    if degree == 1:
      return base.sum()
    values = base
    for _ in range(degree - 2):  # far faster than a power
      values = values * base
    return np.vdot(values, base)

  n, m = len(x), len(y)
  within_x = _sum_of_pairs(x, total) / (n * (n - 1) / 2)
  within_y = _sum_of_pairs(y, total) / (m * (m - 1) / 2)
  across = sum(total(x[rows] @ y.T) for rows in _blocks(n))
  return float(within_x + within_y - 2 * across / (n * m))


def _sum_of_pairs(x, total):
  """Sum of the kernel over all unordered pairs of different examples."""
  pairs = 0.0
  for rows in _blocks(len(x)):
    part = x[rows]
    # Of a product with itself BLAS computes half, which is faster than a half.
    both = total(part @ part.T) - total(np.einsum('nd,nd->n', part, part))
    pairs += both / 2 + total(part @ x[rows.stop :].T)
  return pairs


def _blocks(n):
  """Slices of BLOCK rows."""
  return [slice(start, start + BLOCK) for start in range(0, n, BLOCK)]
