"""What the last scores of a run say of it, where they have a known best.

A loss or a slope of D only hints at what G makes. Where modes or classes are
known, or a judge has compared the samples with real ones, their scores tell.
The runs that the thresholds lie between: experiments/health/README.md.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

# Share of the samples that are near a known mode. Healthy: from .05, of 25
# narrow modes early on; dead: up to .01, what points all over the plane have.
GOOD = 0.02
# Share of the known modes or classes that are reached. Healthy: from .88;
# collapsed: up to .75, 6 of 8.
REACHED = 0.8
# Precision, the share of samples that look real, where no modes are known.
# Healthy: from .27; dead: 0 to .15, what points all over the plane have. Recall
# and coverage have no such threshold: they grow with the number of samples over
# that of the reals.
PRECISE = 0.2

# Scores that count something known: `NAME_of` beside them says how many there
# are; without it the score is the share itself.
MODES, CLASSES = ('modes', 'stacked_modes'), ('class_coverage',)
QUALITIES = {'high_quality': GOOD, 'precision': PRECISE}  # the better first
NAMES = (*MODES, *CLASSES, *QUALITIES)


class Outcome(NamedTuple):
  """What is known of the samples at the end of a run."""

  misses: str  # why they miss the data; '' if they do not, or who knows
  lacks: str  # how much of the data they leave out, likewise
  known: str  # the scores in words; '' without any
  has_modes: bool  # whether nearly all known modes are reached
  has_classes: bool  # likewise


def of_rows(rows: Sequence[dict]) -> Outcome:
  """The outcome of one seed by the last score of each kind.

  Args:
    rows: of metrics.jsonl, of one seed: {'step': int, name: value or None}.
  """
  last = {}
  for row in rows:
    for name in NAMES:
      if name in row:
        last[name], last[f'{name}_of'] = row[name], row.get(f'{name}_of')
  last = {name: value for name, value in last.items() if _is_number(value)}
  words = {n: _words(n, last) for n in NAMES if n in last}
  shares = {n: last[n] for n in CLASSES if n in last}
  shares |= {
    n: last[n] / last[f'{n}_of'] for n in MODES if n in last and _of(n, last)
  }
  full = {n: share >= REACHED for n, share in shares.items()}
  judges = [n for n in QUALITIES if n in last][:1]  # the better one
  bad = [n for n in judges if last[n] < QUALITIES[n]]
  misses = [f'{words[n]}, below {QUALITIES[n]:g}' for n in bad]
  misses += [words[n] for n, share in shares.items() if not share]
  has = lambda kind: any(full.get(n, False) for n in kind)
  return Outcome(
    '; '.join(misses),
    '; '.join(words[n] for n, reached in full.items() if not reached),
    ', '.join(words.values()),
    has(MODES),
    has(CLASSES),
  )


def _is_number(value):
  return isinstance(value, int | float) and math.isfinite(value)


def _of(name, last):
  """How many there are; 0 where nobody has written it down."""
  return last.get(f'{name}_of', 0)


def _words(name, last):
  """'modes 2 of 8', 'precision 0.31'."""
  shown = name.replace('_', ' ')
  if _of(name, last):
    return f'{shown} {last[name]:.0f} of {_of(name, last):.0f}'
  return f'{shown} {last[name]:.2g}'
