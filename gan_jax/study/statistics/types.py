"""The statistics of a study as plain values."""

from typing import NamedTuple


class Spread(NamedTuple):
  """The scores of one cell over its seeds."""

  name: str  # of the cell
  values: tuple[float | None, ...]  # by seed; None where a run has no score
  mean: float | None  # of those that have one
  median: float | None
  iqm: float | None  # inter-quartile mean
  interval: tuple[float, float] | None  # of the mean; None below two scores


class Failures(NamedTuple):
  """How many runs of a cell failed, and of what."""

  name: str  # of the cell
  count: int
  of: int  # runs that have ended
  interval: tuple[float, float]  # of the rate
  kinds: dict[str, int]  # by verdict: {'diverged': 1, 'mode collapse': 2}


class Contrast(NamedTuple):
  """A question about cells: a weighted sum of their scores, seed by seed."""

  name: str
  kind: str  # 'cell', 'main' or 'interaction'
  weights: dict[str, float]  # by cell; they sum to 0


class Comparison(NamedTuple):
  """The answer to a contrast."""

  name: str
  kind: str
  differences: tuple[float, ...]  # of the seeds that have all scores
  difference: float | None  # their mean
  interval: tuple[float, float] | None
  p: float | None  # two-sided, of the exact paired permutation test
  p_adjusted: float | None  # by Holm, over the study
  effect: float | None  # mean over standard deviation, Hedges' correction
  detectable: float | None  # difference seen with 80 % power
  verdict: str  # 'better', 'worse', 'no difference', 'cannot tell'
  words: str  # the verdict as a clause


class Analysis(NamedTuple):
  """Everything about one metric of a study."""

  metric: str
  lower_is_better: bool
  level: float  # of the tests, .05
  baseline: str  # name of the cell, '' without comparisons
  cells: tuple[Spread, ...]
  comparisons: tuple[Comparison, ...]  # () for a metric that is not tested
