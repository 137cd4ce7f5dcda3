"""Everything about one metric of a study."""

from collections.abc import Sequence

from gan_jax.study.statistics import comparison, planning, summary
from gan_jax.study.statistics.types import Analysis, Contrast


def analyse(
  values: dict[str, Sequence[float | None]],
  contrasts: Sequence[Contrast],
  *,
  metric: str,
  lower_is_better: bool,
  baseline: str,
  level: float = planning.LEVEL,
) -> Analysis:
  """Describes the cells and answers the questions.

  Args:
    values: scores of each cell by paired seed, None where a run has none.
    contrasts: the questions; () for a metric that is not tested.
    metric: its name.
    lower_is_better: which way it is better.
    baseline: name of the cell, '' if there is none.
    level: of the tests, over all of them.
  """
  return Analysis(
    metric,
    lower_is_better,
    level,
    baseline,
    tuple(summary.spread(name, scores) for name, scores in values.items()),
    comparison.compare(
      contrasts, values, lower_is_better=lower_is_better, level=level
    ),
  )
