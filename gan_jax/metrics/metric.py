"""What a metric is, and what a family of metrics tells of its own."""

from collections.abc import Callable
from typing import NamedTuple


class Metric(NamedTuple):
  """A metric: its function and what that needs."""

  outputs: tuple[str, ...]
  # (real SampleStats, fake SampleStats, Known) -> (values, intervals), both by
  # name; an output without an interval gets one by the jackknife over fakes.
  compute: Callable
  fake: tuple[str, ...]  # fields of the fakes' stats that are needed
  real: tuple[str, ...] = ()
  held_out: tuple[str, ...] = ()
  where: str = 'features'  # it is possible: words of WHERE
  options: tuple[str, ...] = ()  # that belong to the protocol
  # (these options, real samples, fakes) -> those of the protocol, where that
  # depends on the numbers of samples; None: all of them.
  decisive: Callable | None = None
  extras: tuple[str, ...] = ()  # values recorded beside the score
  # Of the intervals that compute gives: its name, or protocol -> its name.
  method: str | Callable = 'bootstrap'
  lower_is_better: bool = False  # of one from outside; see is_lower_better


class Family(NamedTuple):
  """Metrics of one sort of data, or of all: measures puts families together."""

  metrics: tuple[Metric, ...]
  where: dict[str, str] = {}  # {condition: what it needs, in words}
  options: dict = {}  # defaults, by the names that records use
  choices: dict[str, tuple[str, ...]] = {}  # of options that are one of these
  counts: frozenset[str] = frozenset()  # options: None, or whole numbers from 0
  files: dict[str, tuple[str, ...]] = {}  # {file: outputs}, where names differ
  lower_is_better: frozenset[str] = frozenset()  # of all the others, more is
  signed: frozenset[str] = frozenset()  # outputs that may be negative
  # {output: (real samples, fakes)} at least, where it is not (1, 1); an option
  # by its name, or 'option + 1'.
  least: dict[str, tuple[int | str, int | str]] = {}
