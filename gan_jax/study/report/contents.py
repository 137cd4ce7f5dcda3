"""The contents of a study's report as plain values."""

import pathlib
from typing import NamedTuple

from gan_jax.study.statistics.types import Analysis, Failures


class Cell(NamedTuple):
  """A cell of a study and the results of its runs."""

  name: str  # 'lsgan' or 'hinge, r1 .1'
  differs: dict  # dotted config key -> value: what differs from the base
  # Rows of results.jsonl: {'cell', 'overrides', 'seed', 'status', 'reason',
  # 'steps', 'scores': {metric: value}, 'health': {'verdict', 'reason'}}; the
  # status is 'finished', 'diverged' or 'failed'.
  runs: list[dict]
  # Learning curves: {'step', name: value or [S], one for each of the runs};
  # None where it is not a number.
  rows: list[dict]
  picture: pathlib.Path | None  # of its samples, from latents all cells share


class ReportContents(NamedTuple):
  """The present state of a study."""

  name: str
  question: str
  base: str  # path of the config
  design: str
  num_seeds: int
  seed: int  # the first
  overrides: dict  # of the whole study
  metric: str  # that is tested
  also: tuple[str, ...]
  cells: tuple[Cell, ...]
  analyses: dict[str, Analysis]  # by metric
  failures: tuple[Failures, ...]  # by cell
  notes: tuple[str, ...]
  commands: tuple[str, ...]  # that reproduce it
  manifest: dict
  state: str  # 'done', or '37 of 96 runs'
