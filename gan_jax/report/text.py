"""Numbers, durations and names for people."""

import math
from collections.abc import Iterable

from gan_jax.report import glossary

# Scores that are shares, at most 1.
SHARES = frozenset(
  {
    'precision', 'recall', 'coverage', 'class_coverage', 'high_quality',
    'authenticity', 'classifier_accuracy', 'health_separation',
  }
)  # fmt: skip


def number(value) -> str:
  """Four significant digits; thousands are grouped, None and NaN a dash."""
  if value is None or not math.isfinite(value):
    return '–'
  if value == int(value) and abs(value) < 1e15:
    return f'{int(value):,}'
  if abs(value) >= 1000:
    return f'{value:,.0f}'
  return f'{value:#.4g}' if abs(value) >= 1e-4 else f'{value:.2e}'


def short(value: float) -> str:
  """A tick of an axis: 1200 is 1.2k, 0.30000000000000004 is 0.3."""
  for size, letter in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
    if abs(value) >= size:
      return f'{value / size:.4g}{letter}'
  return f'{value:.4g}'.replace('e-0', 'e-')


def duration(seconds) -> str:
  """Seconds as 0:42, 3:05 or 2:03:05."""
  minutes, second = divmod(round(seconds), 60)
  hour, minute = divmod(minutes, 60)
  clock = f'{minute:02d}:{second:02d}'
  return f'{hour}:{clock}' if hour else f'{minute}:{second:02d}'


def title(name: str, features: str = '') -> str:
  """The name of a metric on a page: 'fid' is 'Fréchet distance'.

  Args:
    name: of the metric.
    features: net that looked at the samples, where it is known.
  """
  if name == 'is' and 'inception' in features:
    return 'Inception score'
  return glossary.title(name)


def numbers(value) -> list:
  """One value per seed as floats, from a scalar, a list or None."""
  seeds = value if isinstance(value, (list, tuple)) else [value]
  return [_number_or_nan(seed) for seed in seeds]


def mean(value):
  """Mean over seeds; None where a seed has no finite value."""
  seeds = numbers(value)
  finite = all(map(math.isfinite, seeds))
  return math.fsum(seeds) / len(seeds) if seeds and finite else None


def interval_ends(names: Iterable[str]) -> set[str]:
  """What the ends of the intervals of these scores are called in a row."""
  return {f'{name}_{end}' for name in names for end in ('low', 'high')}


def span(low, high) -> str:
  """'1.200 to 3.400', '' for ends that are not known or read the same."""
  ends = [number(low), number(high)]
  return '' if ends[0] == ends[1] or '–' in ends else ' to '.join(ends)


def spread(values) -> str:
  """Lowest to highest of the finite values, '' where they are equal."""
  finite = [value for value in numbers(values) if math.isfinite(value)]
  if not finite or min(finite) == max(finite):
    return ''
  to = '–' if min(finite) >= 0 else ' to '  # no dash beside a minus
  return f'{number(min(finite))}{to}{number(max(finite))}'


def _number_or_nan(value):
  # True and False are not measurements.
  real = isinstance(value, (int, float)) and not isinstance(value, bool)
  return float(value) if real and abs(value) < 1e308 else math.nan
