"""Questions about cells as weighted sums of their scores, seed by seed.

A difference from the baseline, a main effect and an interaction in a grid are
all such sums, so one test serves all of them (D. C. Montgomery, Design and
Analysis of Experiments, the chapter on factorial designs).
"""

import itertools
from collections.abc import Iterable

from gan_jax.study.statistics.types import Contrast


def against(baseline: str, cells: Iterable[str]) -> list[Contrast]:
  """Each other cell minus the baseline.

  Raises:
    ValueError: the baseline is not one of the cells.
  """
  cells = list(cells)
  if baseline not in cells:
    raise ValueError(f'{baseline=} is not a cell; cells: {", ".join(cells)}')
  return [
    Contrast(cell, 'cell', {cell: 1.0, baseline: -1.0})
    for cell in cells
    if cell != baseline
  ]


def main_effects(
  levels: dict[str, tuple[str, ...]],
  cells: dict[str, dict[str, str]],
  baseline: dict[str, str],
) -> list[Contrast]:
  """Each level minus the baseline's, on average over all other factors.

  Args:
    levels: names of the levels by factor.
    cells: of a full grid: name -> {factor: level}.
    baseline: {factor: level} of the baseline.

  Returns:
    [] for a single factor, whose effects are the differences of its cells.

  Raises:
    ValueError: the grid is not full, or the baseline is not in it.
  """
  _check_grid(levels, cells, baseline)
  if len(levels) < 2:
    return []
  return [
    Contrast(
      f'{factor}: {level}', 'main', _effect(cells, baseline, {factor: level})
    )
    for factor in levels
    for level in levels[factor]
    if level != baseline[factor]
  ]


def interactions(
  levels: dict[str, tuple[str, ...]],
  cells: dict[str, dict[str, str]],
  baseline: dict[str, str],
) -> list[Contrast]:
  """How much the effect of one level depends on another factor's level.

  [(a, b) - (a0, b)] - [(a, b0) - (a0, b0)], on average over the rest. The
  arguments are those of main_effects.
  """
  _check_grid(levels, cells, baseline)
  questions = []
  for one, two in itertools.combinations(levels, 2):
    for a, b in itertools.product(levels[one], levels[two]):
      if a != baseline[one] and b != baseline[two]:
        weights = _effect(cells, baseline, {one: a, two: b})
        questions.append(
          Contrast(f'{one}: {a} × {two}: {b}', 'interaction', weights)
        )
  return questions


def _check_grid(levels, cells, baseline):
  """Refuses incomplete grids, where averages would not be comparable."""
  there = sorted(tuple(map(at.get, levels)) for at in cells.values())
  if there != sorted(itertools.product(*levels.values())):
    raise ValueError(f'not a full grid of {levels}: cells {", ".join(cells)}')
  if tuple(map(baseline.get, levels)) not in there:
    raise ValueError(f'{baseline=} is not in the grid of {levels}')


def _effect(cells, baseline, chosen):
  """Weights of the effect of the chosen levels, or of their interaction.

  A cell counts if each of these factors has the chosen level or the baseline's;
  its sign changes with each that has the baseline's.
  """
  signs = {}
  for name, at in cells.items():
    sign = 1.0
    for factor, level in chosen.items():
      if at[factor] == baseline[factor]:
        sign = -sign
      elif at[factor] != level:
        sign = 0.0
    if sign:
      signs[name] = sign
  share = len(signs) / 2 ** len(chosen)  # combinations of the other factors
  return {name: sign / share for name, sign in signs.items()}
