"""Timing in turn: only ratios within a round mean much on shared cores."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Contender(NamedTuple):
  """One way of doing the work.

  advance: n -> None takes n steps and waits until they are done.
  work: what one step counts for: seeds, or images.
  """

  name: str
  advance: Callable
  work: int = 1


def _seconds(advance, n):
  begin = time.perf_counter()
  advance(n)
  return time.perf_counter() - begin


def calibrate(advance: Callable, *, seconds: float) -> int:
  """Warms up and returns how many steps take about that many seconds."""
  advance(1)  # compiles
  advance(1)  # and again where the first results are laid out differently
  n = 1
  while (took := _seconds(advance, n)) < seconds / 4:
    n *= 2
  return max(1, round(n * seconds / took))


def rounds(
  contenders: list[Contender], *, number: int, seconds: float
) -> Iterator[dict[str, float]]:
  """Yields {name: work per second} of each round, all contenders in turn.

  Another one begins each round, so that none always follows the same one.
  """
  steps = [calibrate(c.advance, seconds=seconds) for c in contenders]
  pairs = list(zip(contenders, steps, strict=True))
  for i in range(number):
    first = i % len(pairs)
    turn = pairs[first:] + pairs[:first]
    rates = {c.name: c.work * n / _seconds(c.advance, n) for c, n in turn}
    yield {c.name: rates[c.name] for c in contenders}
