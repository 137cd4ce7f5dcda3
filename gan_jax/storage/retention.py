"""Which checkpoints stay: the newest, and the best by their score."""

import math
import pathlib
from collections.abc import Callable
from typing import NamedTuple

from gan_jax.storage import format


class Rank(NamedTuple):
  """By what a checkpoint is compared with others."""

  ranking: str  # only scores of the same one are compared
  score: float
  present: bool = True  # whether that is how checkpoints are ranked now
  lacking: int = 0  # seeds without a score; fewer are better whatever the score


def by_metric(metric: str | None) -> Callable:
  """A rank by the score of the note, if it has this metric's name."""

  def rank(note):
    if note['metric'] != metric or note['score'] is None:
      return None
    return Rank(str(metric), note['score'])

  return rank


class Retention:
  """A policy for Orbax, and the order of the steps by score.

  Orbax's own policies lose the newest step to the best one, or the best one to
  a NaN.
  """

  def __init__(
    self,
    directory: pathlib.Path,
    *,
    keep_last: int,
    keep_best: int,
    mode: str,
    rank: Callable,
  ):
    """As Checkpoints; reads nothing yet."""
    if mode not in ('min', 'max') or keep_last < 1 or keep_best < 0:
      raise ValueError(f'{mode=}, {keep_last=}, {keep_best=} make no sense')
    self._directory = directory
    self._keep_last, self._keep_best = keep_last, keep_best
    self._rank_of, self._sign = rank, 1 if mode == 'min' else -1
    self._ranks: dict[int, Rank | None] = {}

  def note(self, step: int, note: dict) -> None:
    """Takes the note (see format) of a step that is about to be saved."""
    self._ranks[step] = self._finite(self._rank_of(note))

  def forget(self, step: int) -> None:
    """The step is gone; another one may get its number."""
    self._ranks.pop(step, None)

  def ranked(self, steps: list[int]) -> list[int]:
    """Those with a score of now, best first, of equals the newest first.

    Where these are of several rankings, that of the newest one counts.
    """
    ranks = self._known(steps)
    return self._ordered({s: r for s, r in ranks.items() if r.present})

  def _ordered(self, ranks):
    if not ranks:
      return []
    ranking = ranks[max(ranks)].ranking
    alike = [step for step, rank in ranks.items() if rank.ranking == ranking]
    badness = lambda r: (r.lacking, self._sign * r.score)
    return sorted(alike, key=lambda s: (*badness(ranks[s]), -s))

  def _known(self, steps):
    ranks = {step: self._rank(step) for step in steps}
    return {step: rank for step, rank in ranks.items() if rank is not None}

  def _rank(self, step):
    if step not in self._ranks:
      try:
        note = format.read_note(self._directory / str(step))
      except Exception:  # damaged, or just deleted: restore() says which
        return None
      self._ranks[step] = self._finite(self._rank_of(note))
    return self._ranks[step]

  def _finite(self, rank):
    return rank if rank is not None and math.isfinite(rank.score) else None

  def should_preserve(self, checkpoints, *, context) -> list[bool]:
    """For each of Orbax's checkpoints, ascending: does it stay?"""
    del context
    steps = [c.step for c in checkpoints]
    # The best of before stays until there is a score of now.
    best = self.ranked(steps) or self._ordered(self._known(steps))
    best = best[: self._keep_best]
    return [s in steps[-self._keep_last :] or s in best for s in steps]
