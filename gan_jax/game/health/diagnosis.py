"""Diagnoses the end of a run from its reports: healthy, or what is wrong.

The thresholds are judgements, not theorems. Each lies between the values of
healthy runs and of runs spoilt on purpose, on points and digits, and is given
here with its reason. The runs, and what they cannot show:
experiments/health/README.md.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

HEALTHY = 'healthy'
COLLAPSE = 'mode collapse'
OVERFITS = 'D overfits'
DIVERGED = 'diverged'
D_WINS = 'D wins'
UNKNOWN = ''  # the health was not measured

END = 0.25  # the last share of the run that counts

# A loss is a mean of functions of logits, of order 1 to 100. A Wasserstein loss
# without a penalty may drift to several thousand.
LARGE_LOSS = 1e6
# Effective samples per effective sample of the data. Healthy: up to 1.1; points
# all over the data's plane: about 2; a G that has diverged: 8 and more.
SCATTERED = 4.0
# In the same unit: half means 4 of 8 equal modes. Healthy: from .81; collapsed:
# .20 to .45.
NARROW = 0.5
# Share of D's gap between reals and fakes that is gone on held-out reals: r_v
# of T. Karras et al., ADA (2020), https://arxiv.org/abs/2006.06676, section 3,
# who keep a similar measure, r_t, at .6. Healthy: up to .21; overfitted: from
# .77.
MEMORISED = 0.5
# ... if there is a gap; .5 is chance.
TELLS_APART = 0.6
# D ranks 98 of 100 pairs of samples correctly. Healthy: up to .89. By itself it
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

  Considers the reports of the last quarter, or the last one. If several things
  are wrong, the verdict is what may have caused the others: a D that overfits
  may win, and a G that cannot learn repeats the same sample.

  Args:
    rows: of metrics.jsonl: {'step': int, name: value, or a list with one per
      seed}; None stands for a non-finite value.
    seed_index: index of the seed.
  """
  reports = [row for row in rows if set(LOSSES) <= set(row)]
  reports = [_of_seed(row, seed_index) for row in reports]
  if not reports:
    return Diagnosis(UNKNOWN, 'there are no reports')
  start = (1 - END) * reports[-1]['step']
  end = [r for r in reports if r['step'] > start]
  reason = _diverged(end)
  if reason:
    return Diagnosis(DIVERGED, reason)
  measured = [r for r in reports if 'health_separation' in r]
  if not measured:
    return Diagnosis(UNKNOWN, 'the health was not measured')
  at_end = [r for r in measured if r['step'] > start] or measured[-1:]
  return _of_means(_means(at_end))


def _of_seed(row, index):
  return {
    k: v[index] if isinstance(v, list | tuple) else v for k, v in row.items()
  }


def _diverged(rows):
  """The reason if a run has diverged, or None."""
  for row in rows:
    for name, value in row.items():
      if name not in LOSSES and not name.startswith('health_'):
        continue
      if value is None or not math.isfinite(value):
        return f'{name} is not finite at step {row["step"]}'
      if name in LOSSES and abs(value) > LARGE_LOSS:
        return f'{name} is {value:.3g} at step {row["step"]}, beyond 1e6'
  count = max(row.get('health_nonfinite', 0) for row in rows)
  if count > 0:
    return f'{count:.3g} weights are not finite'
  return None


def _means(rows):
  """Means of the health metrics that all rows have, without their prefix."""
  names = set.intersection(*map(set, rows))
  return {
    name.removeprefix('health_'): sum(r[name] for r in rows) / len(rows)
    for name in names
    if name.startswith('health_')
  }


def _of_means(end):
  # In the order of causes, see diagnose.
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
      DIVERGED,
      f'the samples scatter: diversity {diversity:.3g}, above {SCATTERED:g}',
    )
  if diversity < NARROW:
    return Diagnosis(
      COLLAPSE, f'diversity {diversity:.2f}, below {NARROW:g} of the data'
    )
  return Diagnosis(
    HEALTHY, f'separation {separation:.2f}, diversity {diversity:.2f}'
  )


def _memorised(end):
  """The share of D's gap of real and fake that is gone on held-out reals."""
  gap = end['real'] - end['fake']
  if 'held_out' not in end or gap <= 0:
    return 0.0
  return (end['real'] - end['held_out']) / gap
