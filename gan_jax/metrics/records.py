"""Score records: every value with the protocol that it was measured under.

The choice of the reference split alone can move the same generator from 14 to
21; so records of different protocols are never put side by side.
"""

import functools
import hashlib
import json
import sys
from importlib import metadata

import numpy as np

from gan_jax.types import UserError

# What is measured, and what identifies the samples. All else in a record is its
# protocol.
MEASURED = (
  'value', 'interval', 'is_std', 'class_fid', 'class_shares', 'draw_values',
  'num_modes', 'floor', 'parts', 'reason',
)  # fmt: skip
MAKER = (
  'seed', 'step', 'rollbacks', 'forced', 'source', 'features_accuracy',
  'versions',
)  # fmt: skip
COUNTS = ('seed', 'step', 'n_real', 'n_fake', 'draws')
MOST = 1e300  # a sum of a few such values is still finite
PACKAGES = ('gan_jax', 'jax', 'numpy', 'scipy')


def is_record(candidate) -> bool:
  """Whether a value read from a file can be shown and compared."""
  if not isinstance(candidate, dict) or not {'metric', 'value'} <= set(
    candidate
  ):
    return False
  whole = lambda x: x is None or (type(x) is int and abs(x) < 2**63)
  span = candidate.get('interval')
  return (
    isinstance(candidate['metric'], str)
    and (candidate['value'] is None or _is_number(candidate['value']))
    and all(whole(candidate.get(k)) for k in COUNTS)
    and (span is None or (isinstance(span, list) and _is_pair(span)))
  )


def _is_pair(span):
  return len(span) == 2 and all(x is None or _is_number(x) for x in span)


def _is_number(value):
  # An int from a file may be too large for a float.
  real = isinstance(value, int | float) and not isinstance(value, bool)
  return real and -MOST <= value <= MOST  # nor NaN


def protocol(record: dict) -> dict:
  """What two records must share if their values are to be compared."""
  return {k: v for k, v in record.items() if k not in (*MEASURED, *MAKER)}


def protocol_hash(record: dict) -> str:
  """The same for two records if, and only if, their protocols are."""
  text = json.dumps(protocol(record), sort_keys=True, default=str)
  return hashlib.sha256(text.encode()).hexdigest()[:16]


def identity(record: dict) -> dict:
  """All but the measurement: of equal identities the later record counts."""
  besides = (*MEASURED, 'versions', 'rollbacks')
  return {k: v for k, v in record.items() if k not in besides}


def check_alike(a: dict, b: dict):
  """Refuses to compare records of different protocols.

  Raises:
    UserError: names the first field that differs, with both its values.
  """
  ours, theirs = protocol(a), protocol(b)
  for name in dict.fromkeys((*ours, *theirs)):
    left, right = ours.get(name), theirs.get(name)
    if left != right:
      raise UserError(
        f'{a.get("metric")}: not comparable, {name} differs: '
        f'{_short(left)} and {_short(right)}'
      )


def compare(a: list[dict], b: list[dict], *, metric: str = '') -> list[dict]:
  """The metrics that two sets of records share, side by side.

  Each protocol in common is a row of its own. The latest step of each counts;
  its value is the mean over seeds. Records without a value do not count.

  Args:
    a: records of one run.
    b: records of another.
    metric: the only one that is asked for; '' for all.

  Returns:
    {'metric', 'a', 'b', 'difference', 'interval_a', 'interval_b', 'record'};
    intervals are those of the records where there is one seed, None where
    there are several; the record is one of a's. Of a metric without a protocol
    in common {'metric', 'reason'}, where others have one.

  Raises:
    UserError: no metric in common, or protocols that differ in every record.
  """
  a, b = known(a), known(b)
  shared = [m for m in _metrics(a) if m in _metrics(b)]
  if metric and metric in shared:
    shared = [metric]
  elif metric or not shared:
    raise UserError(
      f'no {metric or "metric"} in common: {", ".join(_metrics(a)) or "none"}'
      f' and {", ".join(_metrics(b)) or "none"}'
    )
  rows, refused = [], []
  for name in shared:
    try:
      pairs = alike(*([r for r in x if r['metric'] == name] for x in (a, b)))
      rows += [_compare_pair(name, *pair) for pair in pairs]
    except UserError as error:
      refused.append(error)
      rows.append({'metric': name, 'reason': str(error)})
  if len(refused) == len(rows):
    raise refused[0]
  return rows


def alike(a: list[dict], b: list[dict]) -> list[tuple[list, list]]:
  """Records of one metric, paired by each protocol that both sides have.

  Args:
    a: records with values, in any order.
    b: records of the other side.

  Returns:
    (records of a, records of b) of each protocol, of the latest step of each.

  Raises:
    UserError: none in common; names the field that differs, or all protocols.
      Or one of them has scores of several samples, which no mean is of.
  """
  sides = [_by_protocol(x) for x in (a, b)]
  pairs = [
    (x, y)
    for x in sides[0]
    for y in sides[1]
    if protocol(x[0]) == protocol(y[0])
  ]
  if not pairs:
    if len(sides[0]) == len(sides[1]) == 1:
      check_alike(a[0], b[0])
    ours, theirs = (
      ' or '.join(sorted({words(group[0]) for group in side})) for side in sides
    )
    raise UserError(
      f'{a[0]["metric"]}: no protocol in common: {ours}, and {theirs}'
    )
  for group in (group for pair in pairs for group in pair):
    _check_one_source(group)
  return pairs


def _check_one_source(group):
  """Refuses records of one protocol whose samples have several sources."""
  sources = sorted({str(r.get('source') or 'a run') for r in group})
  if len(sources) > 1:
    raise UserError(
      f'{group[0]["metric"]}: scores of several samples in one file:'
      f' {", ".join(sources)}; --compare takes those of one on each side'
    )


def words(record: dict) -> str:
  """A record's protocol, briefly."""
  parts = [record.get('protocol'), record.get('features')]
  parts += [f'{record["n_fake"]} samples'] if record.get('n_fake') else []
  parts += [f'against {record["reference"]}'] if record.get('reference') else []
  return f'({", ".join(filter(None, parts)) or protocol_hash(record)})'


def _compare_pair(metric, x, y):
  values = [float(np.mean([r['value'] for r in side])) for side in (x, y)]
  spans = [s[0].get('interval') if len(s) == 1 else None for s in (x, y)]
  return {
    'metric': metric,
    'a': values[0],
    'b': values[1],
    'difference': values[0] - values[1],
    'interval_a': spans[0],
    'interval_b': spans[1],
    'record': x[0],
  }


def _by_protocol(records):
  """Groups of one protocol, each reduced to its latest step."""
  groups = {}
  for record in records:
    groups.setdefault(protocol_hash(record), []).append(record)
  last = lambda group: max(r.get('step') or 0 for r in group)
  return [
    [r for r in group if (r.get('step') or 0) == last(group)]
    for group in groups.values()
  ]


def join(before: list[dict], new: list[dict]) -> list[dict]:
  """Old and new records, without old ones that were measured again."""
  again = [identity(r) for r in new]
  return [r for r in before if identity(r) not in again] + new


def replace(before: list[dict], new: list[dict]) -> list[dict]:
  """New records, and the old ones of other protocols."""
  again = [protocol(r) for r in new]
  return [r for r in before if protocol(r) not in again] + new


def merge_draws(draws: list[list[dict]], interval) -> list[dict]:
  """One record for the records of several draws of the same generator.

  Args:
    draws: for each draw, records in the same order.
    interval: values [R] -> (low, high) of their mean.

  Returns:
    the records with the mean as value, `draws` = R and every draw's value;
    without a value where a draw has none.
  """
  if len(draws) == 1:
    return draws[0]
  merged = []
  for records in zip(*draws, strict=True):
    values = [r['value'] for r in records]
    if None in values:
      merged.append(records[values.index(None)] | {'draws': len(draws)})
      continue
    merged.append(
      records[0]
      | {
        'value': float(np.mean(values)),
        'interval': [float(x) for x in interval(values)],
        'interval_method': 'draws',
        'draws': len(draws),
        'draw_values': values,
      }
    )
  return merged


def versions() -> dict[str, str]:
  """Versions of what computes the scores."""
  return {name: _version(name) for name in PACKAGES}


@functools.cache
def _version(name):
  try:
    return metadata.version(name)
  except metadata.PackageNotFoundError:  # a clone that was not installed
    return str(getattr(sys.modules.get(name), '__version__', 'unknown'))


def known(records: list[dict]) -> list[dict]:
  """Those with a value; the others say why there is none."""
  return [r for r in records if r['value'] is not None]


def _metrics(records):
  return list(dict.fromkeys(r['metric'] for r in records))


def _short(value):
  return repr(value) if not isinstance(value, str) else value or 'none'
