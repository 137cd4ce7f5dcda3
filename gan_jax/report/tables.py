"""The page's tables: scores under their protocol, nested settings."""

import html
import json

from gan_jax.metrics import records as records_lib
from gan_jax.report import glossary, text
from gan_jax.storage import files

# What two records must share to be in one table. Any other field of a record is
# shown beside its value; of what was measured too, the mean over the seeds.
PROTOCOL = tuple(glossary.PROTOCOL)
RESULT = (
  'metric', 'value', 'step', 'seed', 'interval', 'interval_method', 'versions',
  'draw_values',
)  # fmt: skip
HISTORY = 400  # records in the list of all, at most


def scores(records: list[dict]) -> str:
  """A table for every protocol; '' without records.

  Args:
    records: score records {'metric', 'value', 'step', 'seed', ...}; their
      other fields are their protocol.
  """
  tables = ''.join(
    _score_table(list(group)) for group in _groups(records, _protocol).values()
  )
  return tables and tables + _history(records)


def latest(records: list[dict]) -> list[dict]:
  """Of some records of one metric and protocol, those of the last step."""
  last = max(step_of(record) for record in records)
  return [record for record in records if step_of(record) == last]


def step_of(record: dict) -> int:
  """Step of a record; 0 for samples from elsewhere."""
  return record.get('step') or 0


def value(number, *, digits=text.number) -> str:
  """A number for people, with the exact one for machines."""
  exact = html.escape(json.dumps(files.plain(number)), quote=True)
  return f'<data value="{exact}" title="{exact}">{digits(number)}</data>'


def tree(settings: dict) -> str:
  """A nested dict as cards of key and value, one card for a nested dict."""
  top = {k: v for k, v in settings.items() if not _nested(v)}
  cards = [('', top)] if top else []
  cards += [(k, v) for k, v in settings.items() if _nested(v)]
  return f'<div class="cards">{"".join(_card(*card) for card in cards)}</div>'


def inline(one) -> str:
  """A setting for people: yes, 10,000, {"gamma": 0.1}, – if empty."""
  if one is None:
    return '–'
  if isinstance(one, bool):
    return 'yes' if one else 'no'
  if isinstance(one, str):
    return one or '–'
  if isinstance(one, int):
    return f'{one:,}' if abs(one) >= 10_000 else str(one)
  if isinstance(one, (list, tuple)) and not any(map(_nested, one)):
    return ', '.join(map(inline, one)) or '–'
  return json.dumps(one, default=str) if one != {} else '–'


def _groups(records, key):
  groups = {}
  for record in records:
    groups.setdefault(key(record), []).append(record)
  return groups


def _protocol(record):
  return tuple(json.dumps(record.get(name)) for name in PROTOCOL)


def _settings(record):
  """A record's fields besides what was measured and the table's protocol."""
  known = (*PROTOCOL, *RESULT, *records_lib.MEASURED)
  return {k: v for k, v in record.items() if k not in known}


def _measured(records):
  """What was measured beside the value: numbers as means, others of the first.

  By name, 'parts.values' of a nested dict.
  """
  names = [k for k in records_lib.MEASURED if k not in RESULT]
  each = [
    dict(_flat({k: one[k] for k in names if k in one})) for one in records
  ]
  mean = lambda name: text.mean([own.get(name) for own in each])
  return {
    name: first if (number := mean(name)) is None else number
    for name, first in each[0].items()
  }


def _row_key(record):
  settings = json.dumps(_settings(record), sort_keys=True, default=str)
  return record.get('metric', ''), settings


def _score_table(records):
  rows = _groups(records, _row_key).values()
  seeds = any(len(latest(row)) > 1 for row in rows)
  settings = any(_settings(one) or _measured([one]) for one in records)
  heads = ['Score', 'Value', *['Seeds'] * seeds, 'Step']
  heads += ['Settings'] * settings
  head = ''.join(f'<th scope="col">{name}</th>' for name in heads)
  body = ''.join(
    _score_row(row, seeds=seeds, settings=settings) for row in rows
  )
  return (
    f'<div class="card score">{_protocol_line(records[0])}'
    f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
    f'<tbody>{body}</tbody></table></div></div>'
  )


def _title(record):
  name = record.get('metric', '')
  title = text.title(name, str(record.get('features', '')))
  return glossary.marked(name, title)


def _score_row(records, *, seeds, settings):
  records = latest(records)
  values = [record.get('value') for record in records]
  cells = [
    f'<th scope="row">{_title(records[0])}'
    f'</th><td class="main">{_mean(records)}</td>'
  ]
  if seeds:
    each = ' '.join(value(one) for one in values)
    cells.append(f'<td class="seeds">{each}</td>')
  cells.append(f'<td>{step_of(records[0]):,}</td>')
  if settings:
    own = dict(_flat(_settings(records[0]))) | _measured(records)
    words = [f'{k} {inline(_rounded(v))}' for k, v in own.items()]
    cells.append(f'<td class="settings">{html.escape(", ".join(words))}</td>')
  return f'<tr>{"".join(cells)}</tr>'


def _mean(records):
  """The value of one seed with its interval, or mean and range of several."""
  values = [record.get('value') for record in records]
  span = records[0].get('interval') if len(values) == 1 else values
  spread = text.spread(span or ())
  return value(text.mean(values)) + (spread and f' <small>{spread}</small>')


def protocol_of(record: dict) -> dict:
  """The fields that say how a record was measured, as far as it has them."""
  fields = {name: record.get(name) for name in PROTOCOL}
  return {name: one for name, one in fields.items() if one not in (None, '')}


def _protocol_line(record):
  items = ''.join(
    f'<div><dt>{glossary.marked(name)}</dt><dd>{_shown(name, one)}</dd></div>'
    for name, one in protocol_of(record).items()
  )
  return f'<dl class="protocol">{items}</dl>' if items else ''


def _shown(name, one):
  if name.endswith('hash') and isinstance(one, str) and len(one) > 12:
    full = html.escape(one, quote=True)
    return f'<abbr title="{full}">{html.escape(one[:10])}</abbr>'
  return html.escape(inline(_rounded(one)))


def _rounded(one):
  """Measured numbers to four digits, also in a list."""
  if isinstance(one, list):
    return [_rounded(each) for each in one]
  return f'{one:.4g}' if isinstance(one, float) else one


def _history(records):
  """All records, if there are any of earlier steps."""
  groups = _groups(records, lambda r: (_protocol(r), _row_key(r))).values()
  if all(len(latest(group)) == len(group) for group in groups):
    return ''
  rows = ''.join(
    f'<tr><td>{step_of(record):,}</td>'
    f'<td>{_title(record)}</td>'
    f'<td>{html.escape(str(record.get("seed", "")))}</td>'
    f'<td class="main">{value(record.get("value"))}</td></tr>'
    for record in records[-HISTORY:]
  )
  return (
    f'<details><summary>All {len(records):,} records</summary>'
    '<div class="card wide"><table><thead><tr><th>Step</th><th>Score</th>'
    f'<th>Seed</th><th>Value</th></tr></thead><tbody>{rows}</tbody></table>'
    '</div></details>'
  )


def _nested(one):
  return isinstance(one, dict) and bool(one)


def _card(name, settings):
  heading = f'<h3>{html.escape(str(name))}</h3>' if name else ''
  rows = ''.join(
    f'<div><dt>{html.escape(key)}</dt><dd>{html.escape(inline(one))}</dd></div>'
    for key, one in _flat(settings)
  )
  return f'<div class="card">{heading}<dl class="tree">{rows}</dl></div>'


def _flat(settings, prefix=''):
  for key, one in settings.items():
    if _nested(one):
      yield from _flat(one, f'{prefix}{key}.')
    else:
      yield f'{prefix}{key}', one
