"""Diagnoses the end of a run: healthy, or what is wrong with it, and why.

From its reports, and from its scores where these have a known best, see
outcome. Without such scores a verdict rests on what D and G do to each other.

The thresholds are judgements, not theorems. Each lies between the values of
healthy runs and of runs spoilt on purpose, on points and digits, and is given
here with its reason. The runs, and what they cannot show:
experiments/health/README.md.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from gan_jax.game.health import outcome

HEALTHY = 'healthy'
COLLAPSE = 'mode collapse'
OVERFITS = 'D overfits'
MISSES = 'misses the data'
LOW = 'low diversity'  # though all known modes or classes appear
DIVERGED = 'diverged'  # losses or weights are not finite
EXPLODED = 'exploded'  # finite, but far from anything of use
D_WINS = 'D wins'
UNSCORED = 'modes, classes or precision not scored'  # says what it rests on
UNKNOWN = ''  # the health was not measured

END = 0.25  # the last share of the run that counts

# A loss is a mean of functions of logits, of order 1 to 100. A Wasserstein loss
# without a penalty may drift to several thousand.
LARGE_LOSS = 1e6
# Effective samples per effective sample of the data. Healthy: up to 1.1; points
# all over the data's plane: about 2; a G out of hand: 8 and more.
SCATTERED = 4.0
# In the same unit: half means 4 of 8 equal modes. Healthy: from .81; collapsed:
# .20 to .45. Narrow modes do not lower it, but nearly all samples in one mode
# of 8 (.14) or in two (.29) do, whatever strays into the others.
NARROW = 0.5
# Share of D's gap between reals and fakes that is gone on held-out reals: r_v
# of T. Karras et al., ADA (2020), https://arxiv.org/abs/2006.06676, section 3,
# who keep a similar measure, r_t, at .6. Healthy: up to .27; overfitted: from
# .79.
MEMORISED = 0.5
# ... if there is a gap; .5 is chance.
TELLS_APART = 0.6
# D ranks 98 of 100 pairs of samples correctly. Healthy: up to .96. By itself it
# is no problem: good runs start that way.
PERFECT = 0.98
# ... but a fake must move a tenth of the data's spread along D's gradient to
# pass for real. Healthy: up to .11; G no longer learns: from .29.
OUT_OF_REACH = 0.1

LOSSES = ('d_loss', 'g_loss')


class Diagnosis(NamedTuple):
  """The verdict on one run, and the figure that it rests on."""

  verdict: str  # one of those above
  reason: str  # a clause


def diagnose(rows: Sequence[dict], seed_index: int = 0) -> Diagnosis:
  """The health of one seed at the end of a run.

  Considers the reports of the last quarter, or the last one, and the last
  scores. If several things are wrong, the verdict is what may have caused the
  others: a D that overfits may win, and a G that cannot learn repeats the same
  sample.

  Args:
    rows: of metrics.jsonl: {'step': int, name: value, or a list with one per
      seed}; None stands for a non-finite value. One that stands for several
      has their means, and their extremes as NAME_low and NAME_high.
    seed_index: index of the seed.
  """
  rows = [of_seed(row, seed_index) for row in rows]
  reports = [row for row in rows if set(LOSSES) <= set(row)]
  if not reports:
    return Diagnosis(UNKNOWN, 'there are no reports')
  start = (1 - END) * reports[-1]['step']
  end = [r for r in reports if r['step'] > start]
  if wild := _not_finite(end) or _exploded(end):
    return wild
  measured = [r for r in reports if 'health_separation' in r]
  measured = [r for r in measured if r['step'] > start] or measured[-1:]
  # Older scores are of a run that was scored otherwise before it went on.
  recent = [
    row for row in rows if 2 * row.get('step', 0) >= reports[-1]['step']
  ]
  return _of_means(_means(measured), outcome.of_rows(recent))


def of_seed(row: dict, index: int) -> dict:
  """A row as it is for one seed; what it lacks of this seed is left out.

  Args:
    row: {'step': int, name: value, or a list with one per seed}.
    index: of the seed.
  """
  has = lambda v: not isinstance(v, list | tuple) or index < len(v)
  return {
    k: v[index] if isinstance(v, list | tuple) else v
    for k, v in row.items()
    if has(v)
  }


def _not_finite(rows):
  """The diagnosis of a run that has diverged, as loop.alive says, or None."""
  for row in rows:
    for name in LOSSES:
      if not _is_finite(row[name]):
        reason = f'{name} is not finite at step {row["step"]}'
        return Diagnosis(DIVERGED, reason)
  counts = [_most(row, 'health_nonfinite') for row in rows]
  count = max((c for c in counts if _is_finite(c)), default=0)
  if count > 0:
    return Diagnosis(DIVERGED, f'{count:.3g} weights are not finite')
  return None


def _exploded(rows):
  """The diagnosis of a run with absurd losses or figures, or None.

  A figure may overflow though losses and weights are finite: the loop goes on.
  """
  for row in rows:
    for name in LOSSES:
      largest = max(_ends(row, name), key=abs)
      if abs(largest) > LARGE_LOSS:
        reason = f'{name} is {largest:.3g} at step {row["step"]}, beyond 1e6'
        return Diagnosis(EXPLODED, reason)
    for name, value in row.items():
      if name.startswith('health_') and not _is_finite(value):
        reason = f'{name} is not finite at step {row["step"]}'
        return Diagnosis(EXPLODED, reason)
  return None


def _ends(row, name):
  """A figure and its extremes, where the row stands for several."""
  ends = (row.get(key) for key in (name, f'{name}_low', f'{name}_high'))
  return [end for end in ends if end is not None]


def _most(row, name):
  return max(_ends(row, name), default=0)


def _is_finite(value):
  return value is not None and math.isfinite(value)


def _means(rows):
  """Means of the health metrics that all rows have, without their prefix."""
  names = set.intersection(*map(set, rows)) if rows else ()
  return {
    name.removeprefix('health_'): sum(r[name] for r in rows) / len(rows)
    for name in names
    if name.startswith('health_')
  }


def _of_means(end, made):
  """The diagnosis by means of the health metrics, if any, and the outcome."""
  # In the order of causes, see diagnose.
  game = _by_players(end) if end else None
  if game:
    return game
  if made.misses:
    return Diagnosis(MISSES, made.misses)
  if made.lacks:
    return Diagnosis(COLLAPSE, made.lacks)
  if not end:
    words = made.known or 'the health was not measured'
    return Diagnosis(HEALTHY if made.known else UNKNOWN, words)
  separation, diversity = end['separation'], end['diversity']
  if diversity < NARROW:
    low = f'diversity {diversity:.2f}, below {NARROW:g} of the data'
    if made.has_modes or made.has_classes:
      return Diagnosis(LOW, f'{low}, at {made.known}')
    return Diagnosis(COLLAPSE, low)
  figures = f'separation {separation:.2f}, diversity {diversity:.2f}'
  return Diagnosis(HEALTHY, made.known or f'{figures}; {UNSCORED}')


def _by_players(end):
  """The diagnosis where D or the spread of samples is the trouble, or None."""
  separation, diversity = end['separation'], end['diversity']
  lost = _memorised(end)
  if separation > TELLS_APART and lost > MEMORISED:
    return Diagnosis(
      OVERFITS,
      f'{lost:.2f} of the gap between real and fake is gone on held-out reals,'
      f' above {MEMORISED:g}',
    )
  if separation > PERFECT and end.get('reach', 0.0) > OUT_OF_REACH:
    return Diagnosis(
      D_WINS,
      f'separation {separation:.3f}, above {PERFECT:g}, and reach'
      f' {end["reach"]:.2f}, above {OUT_OF_REACH:g}',
    )
  if diversity > SCATTERED:
    return Diagnosis(
      EXPLODED,
      f'the samples scatter: diversity {diversity:.3g}, above {SCATTERED:g}',
    )
  return None


def _memorised(end):
  """The share of D's gap of real and fake that is gone on held-out reals."""
  gap = end['real'] - end['fake']
  if 'held_out' not in end or gap <= 0:
    return 0.0
  return (end['real'] - end['held_out']) / gap
