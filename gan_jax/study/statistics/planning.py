"""What a number of seeds can show, before and after the runs."""

import functools
import math

LEVEL, POWER = 0.05, 0.8


def smallest_p(pairs: int) -> float:
  """The smallest p-value of the exact paired permutation test: equal signs."""
  return min(1.0, 2.0 ** (1 - pairs))


def attainable(pairs: int, level: float) -> float:
  """The largest p-value up to a level that the exact test can have; 0 if none.

  They are multiples of the smallest: with 6 pairs, .05 means .031 in effect.
  """
  least = smallest_p(pairs)
  # Below 1e-9 the steps are too small to matter.
  return math.floor(level / least + 1e-9) * least if least > 1e-9 else level


def check_level(level: float):
  """Raises ValueError unless a level is between 0 and 1."""
  if not 0 < level < 1:
    raise ValueError(f'{level=}: expected between 0 and 1')


def seeds_needed(tests: int, level: float = LEVEL) -> int:
  """The fewest seeds with which the first of several tests can reach a level.

  Holm's correction requires level / tests of the smallest p-value.
  """
  check_level(level)
  return math.ceil(1 + math.log2(max(tests, 1) / level) - 1e-9)


def power(pairs: int, effect: float, *, level: float = LEVEL) -> float:
  """The probability of detecting a difference, by the paired t-test.

  Approximates the permutation test (noncentral t; J. Cohen, 1988, Statistical
  Power Analysis) at the p-value that it can attain; 0 where it cannot reach the
  level. Exact for normal differences where only equal signs reach the level; a
  few hundredths too high where a handful of sign patterns do: .76 instead of
  .69 for 9 pairs at .01, negligible from 12 pairs at .05.

  Args:
    pairs: seeds.
    effect: difference over the standard deviation of the differences.
    level: of the one test.
  """
  check_level(level)
  if pairs < 2 or smallest_p(pairs) > level:
    return 0.0
  from scipy import stats

  level = attainable(pairs, level)
  if level < 2 * smallest_p(pairs):
    sides = stats.norm.cdf([effect, -effect])
    return float((sides**pairs).sum())
  freedom = pairs - 1
  limit = stats.t.isf(level / 2, freedom)
  shift = abs(effect) * math.sqrt(pairs)
  upper = stats.nct.sf(limit, freedom, shift)
  lower = stats.nct.cdf(-limit, freedom, shift)
  # Far in its tails SciPy's noncentral t underflows to NaN, which counts as 0.
  return float(sum(p for p in (upper, lower) if p == p))


@functools.cache
def detectable_effect(
  pairs: int, *, level: float = LEVEL, wanted: float = POWER
) -> float | None:
  """The smallest effect that is detected with a power; None if none is.

  Args:
    pairs: seeds.
    level: of the one test.
    wanted: the power.
  """
  check_level(level)
  if pairs < 2 or smallest_p(pairs) > level:
    return None
  from scipy import optimize

  lack = lambda effect: power(pairs, effect, level=level) - wanted
  high = 1.0
  while lack(high) < 0:
    high *= 2
  return float(optimize.brentq(lack, 0.0, high))


def advice(num_seeds: int, tests: int, *, level: float = LEVEL) -> list[str]:
  """Lines to print before a study starts: what its seeds can show.

  Args:
    num_seeds: of each cell.
    tests: comparisons; without any there are no lines.
    level: over all of them, by Holm.

  Raises:
    ValueError: the level is not between 0 and 1.
  """
  check_level(level)
  if tests < 1:
    return []
  needed = seeds_needed(tests, level)
  of = f'{tests} comparisons' if tests != 1 else 'one comparison'
  seeds = f'{num_seeds} seeds' if num_seeds != 1 else 'one seed'
  if num_seeds < needed:
    return [
      f'With {seeds} no difference can reach {level:g} over {of}:'
      f' {needed} seeds would do.'
    ]
  effect = detectable_effect(num_seeds, level=level / tests)
  return [
    f'With {seeds} and {of}, a difference of {effect:.2g} standard'
    f' deviations (of paired differences) is seen with {POWER:.0%} power.'
  ]
