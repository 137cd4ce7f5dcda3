"""Intervals for scores: of one draw by resampling, of several by Student's t.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 11
(jackknife) and 13 (percentile interval).

They cover different things. `bootstrap` and `jackknife` estimate how much a
score would move with other samples of the same generator, `of_draws` uses such
samples; a different real set or another training seed is in neither.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gan_jax.types import UserError


def bootstrap(
  contributions,
  statistic: Callable | None = None,
  *,
  level: float = 0.95,
  resamples: int = 1000,
  seed: int = 0,
) -> tuple:
  """Percentile interval from resampling the examples with replacement.

  Assumes that the examples are independent, and that each contribution is a
  property of its own example: whether a fake lies in the ball of some real
  one, say. Where a repeated example would change other contributions (radii of
  balls that reach to a neighbour of the same kind), use `jackknife`. Below
  some 30 examples, or with a share very near 0 or 1, it is too narrow.

  Args:
    contributions: [N] or [N, K] of N examples, N >= 2; bool counts as 0 and 1.
    statistic: resampled contributions -> the score, or an array of scores;
      default their mean, of each column.
    level: share of such intervals that hold the true value.
    resamples: number of times that N examples are drawn.
    seed: of these draws.

  Returns:
    (low, high), numbers or arrays as statistic returns them ([K] by default).

  Raises:
    UserError: one example, NaN or infinity, or options out of range.
  """
  x = _finite(contributions, 'bootstrap: contributions', dims=(1, 2))
  tail = _tail(level)
  if not resamples * tail >= 1:
    raise UserError(
      f'bootstrap: resamples={resamples} leave none beyond a level of {level}; '
      f'expected {int(np.ceil(1 / tail))} or more'
    )
  draws = _resampled(x, statistic or _mean, resamples, seed)
  if not np.isfinite(draws).all():
    raise UserError('bootstrap: the statistic of some draws is NaN or infinity')
  low, high = np.quantile(draws, (tail, 1 - tail), axis=0)
  return (low, high) if np.ndim(low) else (float(low), float(high))


def number_seen(
  counts,
  total: int,
  *,
  least: int | np.ndarray = 1,
  level: float = 0.95,
  resamples: int = 1000,
  seed: int = 0,
) -> tuple[float, float]:
  """Interval of how many kinds (modes, classes) are seen at least so often.

  A bootstrap of N examples of these kinds. A kind that was not seen never
  appears in it, so it only says how many of those seen another draw might
  miss; the upper end is at least the number itself.

  Args:
    counts: [M] examples of each kind.
    total: N, with the examples of no kind.
    least: examples that a kind, or each [M], needs to count as seen.
    level: share of such intervals that hold the number of another draw.
    resamples: number of times that N examples are drawn.
    seed: of these draws.

  Returns:
    (low, high).

  Raises:
    UserError: more examples in the kinds than there are, level out of range.
  """
  counts = np.asarray(counts)
  if counts.sum() > total or total < 1:
    raise UserError(f'number_seen: {counts.sum()} counted of {total} examples')
  shares = np.append(counts, total - counts.sum()) / total
  drawn = np.random.default_rng(seed).multinomial(total, shares, resamples)
  seen = (drawn[:, :-1] >= least).sum(axis=1)
  tail = _tail(level)
  low, high = np.quantile(seen, (tail, 1 - tail))
  return float(low), float(max(high, (counts >= least).sum()))


def groups(n: int, num_groups: int = 10, *, seed: int = 0) -> list[np.ndarray]:
  """Parts of the examples to leave out in turn, for `jackknife`.

  They are random, because examples are often sorted or their classes alternate.

  Args:
    n: number of examples.
    num_groups: 2 or more; n gives the jackknife of single examples.
    seed: of the draw.

  Returns:
    num_groups arrays of rows, ascending: each row in one of them, sizes equal
    or differing by 1. `np.delete(x, rows, axis=0)` is what remains.

  Raises:
    UserError: fewer than two groups, or more groups than examples.
  """
  if not 2 <= num_groups <= n:
    raise UserError(
      f'groups: expected from 2 to {n} groups of {n} examples, got {num_groups}'
    )
  order = np.random.default_rng(seed).permutation(n)
  return [np.sort(rows) for rows in np.array_split(order, num_groups)]


def jackknife(
  value: float,
  leave_one_out: Sequence[float],
  *,
  sizes: Sequence[int] | None = None,
  level: float = 0.95,
) -> tuple[float, float]:
  """Student's t interval from leaving out one group of examples at a time.

  Assumes that the examples are independent and the score is smooth: a mean, a
  Fréchet distance, a share, but no median, extreme or number of modes. There
  are few groups, so t has len - 1 degrees of freedom. The interval is centred
  on the value; a bias that more samples would cure remains.

  Args:
    value: the score of all examples.
    leave_one_out: [G] scores of all but one group each, see `groups`.
    sizes: [G] examples of each group; None if all are of one size. F. Busing et
      al., Delete-m jackknife for unequal m (1999),
      https://doi.org/10.1023/A:1008800423698.
    level: share of such intervals that hold the true value.

  Returns:
    (low, high).

  Raises:
    UserError: fewer than two groups, NaN or infinity, level out of range.
  """
  x = _finite(leave_one_out, 'jackknife: leave_one_out')
  value = _finite([value], 'jackknife: value', least=1)[0]
  m = np.ones(len(x)) if sizes is None else np.asarray(sizes, np.float64)
  h = m.sum() / m
  centre = len(x) * value - np.sum((1 - 1 / h) * x)
  pseudo = h * value - (h - 1) * x
  variance = np.mean((pseudo - centre) ** 2 / (h - 1))
  return _student(value, np.sqrt(variance), len(x), level)


def of_draws(
  values: Sequence[float], *, level: float = 0.95
) -> tuple[float, float]:
  """Student's t interval of the mean of scores of independent draws.

  Assumes that the scores of independently drawn sets of samples are normal.

  Args:
    values: [R] scores, R >= 2.
    level: share of such intervals that hold the true mean.

  Returns:
    (low, high).

  Raises:
    UserError: fewer than two draws, NaN or infinity, level out of range.
  """
  x = _finite(values, 'of_draws: values')
  error = x.std(ddof=1) / np.sqrt(len(x))
  return _student(x.mean(), error, len(x), level)


def normal_quantile(level: float = 0.95) -> float:
  """Half the width of a normal interval, in standard deviations: 1.96 at .95.

  Args:
    level: share of such intervals that hold the true value.

  Raises:
    UserError: level out of range.
  """
  from scipy import special

  return float(special.ndtri(1 - _tail(level)))


def _student(center, error, n, level):
  from scipy import special

  half = float(special.stdtrit(n - 1, 1 - _tail(level)) * error)
  return float(center) - half, float(center) + half


def _resampled(x, statistic, count, seed):
  """The statistic of `count` draws of as many examples, with replacement."""
  rng = np.random.default_rng(seed)
  draw = lambda: x[rng.integers(len(x), size=len(x))]
  return [statistic(draw()) for _ in range(count)]


def _mean(x):
  return x.mean(axis=0)


def _tail(level):
  if not 0 < level < 1:
    raise UserError(f'interval: expected a level between 0 and 1, got {level}')
  return (1 - level) / 2


def _finite(x, name, *, dims=(1,), least=2):
  x = np.asarray(x, np.float64)
  if x.ndim not in dims or len(x) < least:
    expected = ' or '.join(('[N]', '[N, K]')[d - 1] for d in dims)
    raise UserError(
      f'{name}: expected {expected} with N >= {least}, got {list(x.shape)}'
    )
  if not np.isfinite(x).all():
    raise UserError(f'{name}: NaN or infinity among them')
  return x
