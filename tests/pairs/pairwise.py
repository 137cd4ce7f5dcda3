"""Few rows in which every pair of levels of any two factors meets."""

import itertools
from collections.abc import Callable


def cover(
  *groups: dict[str, tuple], possible: Callable = lambda row: True
) -> list[dict]:
  """Rows {factor: level} that together hold every possible pair of a group.

  Greedy: each row begins with a pair that is still missing, and takes, factor
  by factor, the level that adds most, and of these the one that lacks most. The
  same factors give the same rows.

  Args:
    *groups: of factors, the levels of each. Factors of different groups stand
      side by side in the same rows, whose number is that of the largest group.
    possible: whether a row, or a part of one, can be; of pairs that cannot
      there are none.
  """
  factors = {factor: levels for own in groups for factor, levels in own.items()}
  wanted = (pair for own in groups for pair in pairs(own))
  missing = dict.fromkeys(pair for pair in wanted if possible(dict(pair)))
  rows = []
  while missing:
    row = dict(next(iter(missing)))
    for factor, levels in factors.items():
      if factor in row:
        continue
      options = [level for level in levels if possible({**row, factor: level})]
      row[factor] = max(
        options,
        key=lambda level: (
          len(_new(row, factor, level, missing)),
          sum((factor, level) in pair for pair in missing),
        ),
      )
    for pair in within(row, factors):
      missing.pop(pair, None)
    rows.append({factor: row[factor] for factor in factors})
  return rows


def pairs(factors: dict[str, tuple]) -> list[tuple]:
  """((factor, level), (factor, level)) of any two factors."""
  return [
    ((a, one), (b, other))
    for a, b in itertools.combinations(factors, 2)
    for one in factors[a]
    for other in factors[b]
  ]


def within(row: dict, factors: dict) -> list[tuple]:
  """The pairs of a row."""
  names = [factor for factor in factors if factor in row]
  return [
    ((a, row[a]), (b, row[b])) for a, b in itertools.combinations(names, 2)
  ]


def _new(row, factor, level, missing):
  """What is missing of the pairs that a level would add to a row."""
  order = list({**row, factor: level}.items())
  news = [((f, one), (factor, level)) for f, one in order[:-1]]
  return [p for p in news if p in missing or p[::-1] in missing]
