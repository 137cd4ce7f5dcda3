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


def seconds_of(advance: Callable, n: int) -> float:
  """That n steps take."""
  begin = time.perf_counter()
  advance(n)
  return time.perf_counter() - begin


def calibrate(advance: Callable, *, seconds: float) -> int:
  """Warms up and returns how many steps take about that many seconds."""
  advance(1)  # compiles
  advance(1)  # and again where the first results are laid out differently
  n = 1
  while (took := seconds_of(advance, n)) < seconds / 4:
    n *= 2
  return max(1, round(n * seconds / took))


class Calibrated(NamedTuple):
  """Contenders that run, and why the others do not."""

  steps: list[tuple[Contender, int]]
  failed: dict[str, str]


def calibrated(contenders: list[Contender], *, seconds: float) -> Calibrated:
  """Warms all of them up; one that fails is left out, with its reason."""
  steps, failed = [], {}
  for c in contenders:
    try:
      steps.append((c, calibrate(c.advance, seconds=seconds)))
    except Exception as e:  # of another program: a table lacks a row
      failed[c.name] = f'{type(e).__name__}: {e}'.splitlines()[0][:200]
      print(f'{c.name} fails: {failed[c.name]}', flush=True)
  return Calibrated(steps, failed)


def rounds(
  steps: list[tuple[Contender, int]], *, number: int
) -> Iterator[dict[str, float]]:
  """Yields {name: work per second} of each round, all contenders in turn.

  Another one begins each round, so that none always follows the same one.
  """
  for i in range(number):
    first = i % len(steps)
    turn = steps[first:] + steps[:first]
    rates = {c.name: c.work * n / seconds_of(c.advance, n) for c, n in turn}
    yield {c.name: rates[c.name] for c, _ in steps}
