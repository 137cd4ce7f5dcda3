"""Do the samples copy the training set? Neighbours, authenticity and C_T.

Alaa et al., How Faithful is your Synthetic Data?,
https://arxiv.org/abs/2102.08921 (authenticity); Meehan, Chaudhuri and Dasgupta,
A Non-Parametric Test to Detect Data-Copying in Generative Models,
https://arxiv.org/abs/2004.05675 (C_T).
"""

import warnings

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

BLOCK = 1024  # rows of the distance matrix that are in memory at once
_SPARE = 4  # neighbours beyond k whose distance is computed exactly


def nearest(
  a, b, *, k: int = 1, block: int = BLOCK
) -> tuple[np.ndarray, np.ndarray]:
  """The k nearest of b to each of a, by Euclidean distance.

  Args:
    a: [N, D].
    b: [M, D], M >= k.
    k: number of neighbours.
    block: rows of the distances [N, M] that are computed at a time.

  Returns:
    distances [N, k] in float64, ascending, exactly 0 between equal rows, and
    rows of b [N, k]; of equal distances the lower row comes first.

  Raises:
    UserError: wrong shapes, NaN or infinity, k out of range.
  """
  a, b = checks.pair(a, b, ('a', 'b'))
  if not 1 <= k <= len(b):
    raise UserError(f'nearest: expected k from 1 to {len(b)}, got {k}')
  return _nearest(a, b, k, block)


def authenticity(real_train, fake, *, block: int = BLOCK) -> float:
  """Share of the fakes that are authentic, see `authentic`.

  Fresh draws from the training set's distribution give 1/3 in one dimension and
  .3785 in two, the probability that a nearest neighbour is not mutual, and more
  in many: .7 for Gaussians of 16, .8 of 64. So compare with the share that test
  examples get. Copies and close neighbours of training examples bring it to 0;
  fakes far from the data bring it to 1, so it does not measure quality.

  Args:
    real_train: features of the training set [N, D], N >= 2.
    fake: features [M, D].
    block: rows of distances that are computed at a time.

  Returns:
    The share, from 0 to 1.

  Raises:
    UserError: as `authentic`.
  """
  return float(authentic(real_train, fake, block=block).mean())


def authentic(real_train, fake, *, block: int = BLOCK) -> np.ndarray:
  """Which fakes are no closer to a training example than its neighbours are.

  A fake is authentic if its nearest training example has a neighbour in the
  training set that is nearer (`<`) to it than the fake.

  Args:
    real_train: features of the training set [N, D], N >= 2.
    fake: features [M, D].
    block: rows of distances that are computed at a time.

  Returns:
    bool [M].

  Raises:
    UserError: wrong shapes, one training example, NaN or infinity.
  """
  train, fake = checks.pair(real_train, fake, ('real_train', 'fake'))
  if len(train) < 2:
    raise UserError('real_train: at least 2 examples needed, got 1')
  distances, rows = _nearest(fake, train, 1, block)
  rows, back = np.unique(rows[:, 0], return_inverse=True)
  others, which = _nearest(train[rows], train, 2, block)
  # Of three equal examples, none of the first two need be the one itself.
  to_other = np.where(which[:, 0] == rows, others[:, 1], others[:, 0])
  return to_other[back] < distances[:, 0]


def c_t(
  train,
  test,
  fake,
  *,
  cells: int = 10,
  min_fakes: int = 20,
  seed: int = 0,
  block: int = BLOCK,
) -> dict:
  """Whether fakes are nearer to the training set than test examples are.

  In each k-means cell of the training set, the distances of fakes and of test
  examples to the cell's training examples are compared by the Mann-Whitney
  statistic in standard deviations; C_T is its mean, weighted by the share of
  test examples. Far below 0 (-3) means data-copying, far above underfitting.
  Any partition will do, so k-means is started once; the authors use 3 cells for
  a class of ImageNet and 50 for MNIST, of 64 dimensions. With fewer cells or
  more samples the same difference gives a larger value, so compare at equal
  numbers only.

  Args:
    train: features of the training set [L, D], L >= cells.
    test: features of real examples that were not trained on [N, D].
    fake: features [M, D].
    cells: number of cells.
    min_fakes: a cell counts only with more fakes than this.
    seed: of k-means.
    block: rows of distances that are computed at a time.

  Returns:
    c_t: the statistic.
    std: its standard deviation over draws of fakes and test examples, with the
      training set and the numbers in each cell fixed.
    cells: for each cell {'train', 'test', 'fake': numbers of examples, 'z': the
      statistic, None where fakes or test examples are too few}.

  Raises:
    UserError: wrong shapes, NaN or infinity, fewer training examples than
      cells, or no cell with enough fakes.
  """
  test, fake = checks.pair(test, fake, ('test', 'fake'))
  train, _ = checks.pair(train, test[:1], ('train', 'test'))
  sets = {'train': train, 'test': test, 'fake': fake}
  measured = [
    _measure_cell(inside, min_fakes, block)
    for inside in _split(sets, cells, seed)
  ]
  terms = [term for _, term in measured if term]
  if not terms:
    raise UserError(
      f'c_t: no cell has more than {min_fakes} of the {len(fake)} fakes and a '
      'test example; fewer cells or more samples are needed'
    )
  return {**_weighted(terms), 'cells': [report for report, _ in measured]}


def _split(sets, cells, seed):
  """Yields the examples of each set that lie in a cell, cell after cell."""
  parts = _cells_of(tuple(sets.values()), cells, seed)
  for cell in range(cells):
    yield {
      name: x[part == cell]
      for (name, x), part in zip(sets.items(), parts, strict=True)
    }


def _measure_cell(inside, min_fakes, block):
  """(report on a cell, (test examples, z, variance of z) or None)."""
  sizes = {name: len(x) for name, x in inside.items()}
  if not sizes['test'] or sizes['fake'] <= min_fakes:
    return {**sizes, 'z': None}, None
  z, variance = _z(**inside, block=block)
  return {**sizes, 'z': z}, (sizes['test'], z, variance)


def _z(*, train, test, fake, block):
  """z of the distances to the training examples of a cell, and its variance."""
  to_train = [_nearest(x, train, 1, block)[0][:, 0] for x in (fake, test)]
  return _mann_whitney(*to_train)


def _weighted(terms):
  counts, z, variance = np.array(terms).T
  weights = counts / counts.sum()
  std = np.sqrt(weights**2 @ variance)
  return {'c_t': float(weights @ z), 'std': float(std)}


def _mann_whitney(x, y):
  """U of x over y in null standard deviations, and the variance of that.

  Below 0 where x tends to be smaller. The variance, about 1 under the null, is
  that of the placements: DeLong et al., Biometrics 44 (1988), 837.
  """
  from scipy import stats

  n, m = len(x), len(y)
  ranks = stats.rankdata(np.concatenate([x, y]))
  above = (ranks[:n] - stats.rankdata(x)) / m  # share of y below each x
  below = (n - ranks[n:] + stats.rankdata(y)) / n  # share of x above each y
  # As the paper has it: without the corrections for continuity and for ties.
  null = (n + m + 1) / (12 * n * m)
  variance = sum(p.var(ddof=1) / len(p) for p in (above, below) if len(p) > 1)
  return float((above.mean() - 0.5) / np.sqrt(null)), float(variance / null)


def _cells_of(sets, cells, seed):
  """The cell of each example of each set, cells fitted to the first."""
  from sklearn import cluster, exceptions

  train = sets[0]
  if not 1 <= cells <= len(train):
    raise UserError(
      f'c_t: expected from 1 to {len(train)} cells for as many training '
      f'examples, got {cells}'
    )
  means = cluster.KMeans(cells, n_init=1, random_state=seed)
  with warnings.catch_warnings():
    warnings.simplefilter('error', exceptions.ConvergenceWarning)
    try:
      means.fit(train)
    except exceptions.ConvergenceWarning as e:
      raise UserError(
        f'c_t: the training examples are too similar for {cells} cells'
      ) from e
  return [means.predict(x) for x in sets]


def _nearest(a, b, k, block):
  """`nearest` of checked float64 features."""
  center = b.mean(axis=0)  # distances stay, the rounding of them shrinks
  shifted = b - center
  norms = (shifted**2).sum(axis=1)  # [M]
  wide = min(k + _SPARE, len(b))
  distances, rows = np.empty((len(a), k)), np.empty((len(a), k), np.int64)
  for start in range(0, len(a), block):
    x = a[start : start + block]
    # Squared distances but for |x|^2, which does not change their order.
    rough = (-2 * (x - center)) @ shifted.T + norms  # [block, M]
    candidates = np.argpartition(rough, wide - 1, axis=1)[:, :wide]
    candidates.sort(axis=1)
    # Again by differences: products leave 1e-8 between equal rows, not 0.
    exact = np.stack(
      [np.linalg.norm(x - b[r], axis=1) for r in candidates.T], 1
    )
    order = np.argsort(exact, axis=1, kind='stable')[:, :k]
    part = slice(start, start + block)
    distances[part] = np.take_along_axis(exact, order, 1)
    rows[part] = np.take_along_axis(candidates, order, 1)
  return distances, rows
