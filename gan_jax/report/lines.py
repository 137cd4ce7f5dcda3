"""Scores as lines of text, for a terminal."""

import math

from gan_jax.game.health import diagnosis
from gan_jax.metrics.features import spaces
from gan_jax.report import text


def summary(records: list[dict]) -> list[str]:
  """A line for each metric.

  Shows the mean and range of several seeds, or the interval of one.

  Args:
    records: score records of one step.
  """
  lines = []
  for metric in dict.fromkeys(r['metric'] for r in records):
    same = [r for r in records if r['metric'] == metric]
    reasons = [r.get('reason') for r in same if r['value'] is None]
    same = [r for r in same if r['value'] is not None]
    if not same:
      lines.append(f'{metric}: no score: {reasons[0] or "not finite"}')
      continue
    values = [r['value'] for r in same]
    mean = text.number(math.fsum(values) / len(values))
    lines.append(f'{metric} {mean}{_spread(same, values)} [{_where(same[0])}]')
  return lines


def _spread(records, values):
  if len(values) > 1:
    low, high = map(text.number, (min(values), max(values)))
    return f' ({low} to {high}, {len(values)} seeds)'
  return _interval(records[0].get('interval'))


def _interval(span):
  words = text.span(*span) if span else ''
  return words and f' (95 %: {words})'


def _where(record):
  words = [_net(record)]
  words += [f'resize {record["resize"]}'] if record.get('resize') else []
  words.append(f'{record["n_fake"]:,} samples')
  if record.get('n_real') is None:  # statistics without a count
    words.append(record.get('reference', ''))
  elif record['n_real']:
    words.append(f'{record["n_real"]:,} of {record["reference"]}')
  if isinstance(record.get('floor'), float):
    words.append(f'{text.number(record["floor"])} of unseen real ones')
  if record.get('draws', 1) > 1:
    words.append(f'{record["draws"]} draws')
  return ', '.join(words)


def _net(record):
  """The net that looked at the samples, and how often a doubtful one errs."""
  name = record.get('features') or 'samples'
  right = record.get('features_accuracy')
  if isinstance(right, float) and right < spaces.TRUSTED:
    return f'{name}, only {right:.0%} right'
  return name


def health(rows: list[dict], *, rollbacks: int = 0) -> str:
  """The verdicts on a run, each with its reason.

  'healthy (modes 8 of 8, high quality 0.87)', or of several seeds '14 healthy,
  2 mode collapse (modes 3 of 8)'.

  Args:
    rows: of metrics.jsonl.
    rollbacks: how often it was rolled back, mentioned if at all.

  Returns:
    '' where nothing is known of it.
  """
  verdicts = _verdicts(rows)
  if not verdicts or not rollbacks:
    return verdicts
  return f'{verdicts}, after {rollbacks} rollback{"s" if rollbacks > 1 else ""}'


def _verdicts(rows):
  seeds = {len(text.numbers(r['d_loss'])) for r in rows if 'd_loss' in r}
  if len(seeds) != 1:
    return ''
  each = [diagnosis.diagnose(rows, i) for i in range(*seeds)]
  each = [one for one in each if one.verdict]
  if len(each) == 1:
    return f'{each[0].verdict} ({each[0].reason})'
  groups = {}
  for one in each:
    groups.setdefault(one.verdict, []).append(one.reason)
  return ', '.join(_group(*group) for group in groups.items())


def _group(verdict, reasons):
  """'2 mode collapse (modes 3 of 8; ...)'; the healthy need no reason."""
  if verdict == diagnosis.HEALTHY:
    return f'{len(reasons)} {verdict}'
  others = '; ...' if len(reasons) > 1 else ''
  return f'{len(reasons)} {verdict} ({reasons[0]}{others})'


def comparison(names: tuple[str, str], rows: list[dict]) -> list[str]:
  """Two runs side by side, a line for each metric.

  Args:
    names: of the two.
    rows: from metrics.records.compare.
  """
  lines = [f'a: {names[0]}', f'b: {names[1]}']
  several = len({row['metric'] for row in rows}) < len(rows)
  for row in rows:
    if 'reason' in row:
      lines.append(row['reason'])
      continue
    sides = [
      f'{side} {text.number(row[side])}{_interval(row[f"interval_{side}"])}'
      for side in 'ab'
    ]
    difference = text.number(row['difference'])
    of = f' [{_where(row["record"])}]' if several else ''
    lines.append(f'{row["metric"]}{of}: {", ".join(sides)}, a - b {difference}')
  return lines
