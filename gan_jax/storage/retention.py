"""Which checkpoints stay: the newest, and the best by their score."""

import pathlib

from gan_jax.storage import format


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
    metric: str | None,
    mode: str,
  ):
    """As Checkpoints; reads nothing yet."""
    if mode not in ('min', 'max') or keep_last < 1 or keep_best < 0:
      raise ValueError(f'{mode=}, {keep_last=}, {keep_best=} make no sense')
    self._directory = directory
    self._keep_last, self._keep_best = keep_last, keep_best
    self._metric, self._sign = metric, 1 if mode == 'min' else -1
    self._scores: dict[int, float | None] = {}

  def note(self, step: int, score: float | None) -> None:
    """Notes the score of a step that is about to be saved."""
    self._scores[step] = score

  def forget(self, step: int) -> None:
    """The step is gone; another one may get its number."""
    self._scores.pop(step, None)

  def ranked(self, steps: list[int]) -> list[int]:
    """Those with a score, best first, of equals the newest first."""
    scored = [s for s in steps if self._score(s) is not None]
    return sorted(scored, key=lambda s: (self._sign * self._scores[s], -s))

  def _score(self, step):
    if step not in self._scores:
      try:
        note = format.read_note(self._directory / str(step))
      except Exception:  # damaged, or just deleted: restore() says which
        return None
      same = note['metric'] == self._metric
      self._scores[step] = note['score'] if same else None
    return self._scores[step]

  def should_preserve(self, checkpoints, *, context) -> list[bool]:
    """For each of Orbax's checkpoints, ascending: does it stay?"""
    del context
    steps = [c.step for c in checkpoints]
    best = self.ranked(steps)[: self._keep_best]
    return [s in steps[-self._keep_last :] or s in best for s in steps]
