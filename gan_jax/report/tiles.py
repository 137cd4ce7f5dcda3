"""The latest scores of a run in large type, at the head of its page."""

from gan_jax.metrics import measures
from gan_jax.metrics import records as records_lib
from gan_jax.report import condensed, glossary, protocols, tables, text

MOST = 4  # scores


def tiles(reports: condensed.Reports, records: list[dict], workdir) -> str:
  """A <dl> of the latest scores, those of the run's own protocol first.

  Args:
    reports: of the run.
    records: of scores.json.
    workdir: of the run.

  Returns:
    '' if there are none.
  """
  latest = _latest_scores(reports.rows) | _latest_records(records, workdir)
  order = [name for name in glossary.SCORES if name in latest]
  order += [name for name in latest if name not in order]
  made = ''.join(_tile(name, latest[name], reports) for name in order[:MOST])
  return f'<dl class="tiles">{made}</dl>' if made else ''


def _latest_scores(rows):
  names = [name for name in glossary.SCORES if any(name in row for row in rows)]
  latest = {}
  for name in names:
    row = next(row for row in reversed(rows) if name in row)
    latest[name] = (row['step'], text.numbers(row[name]))
  return latest


def _latest_records(records, workdir):
  """Latest records by metric, of one feature space.

  Of the run's own protocol where it has scored itself; what somebody has
  scored with other features or samples is in the table.
  """
  records = [one for one in records if one['value'] is not None]
  own = _of_the_run(records, workdir)
  space = next((one.get('features') for one in own or records), None)
  records = [one for one in records if one.get('features') == space]
  by_metric = {}
  for metric in dict.fromkeys(one['metric'] for one in records):
    same = [one for one in records if one['metric'] == metric]
    first = next((one for one in same if one in own), same[0])
    of = records_lib.protocol
    same = [one for one in same if of(one) == of(first)]
    same = tables.latest(same)
    values = text.numbers([one.get('value') for one in same])
    by_metric[metric] = (tables.step_of(same[0]), values)
  return by_metric


def _of_the_run(records, workdir):
  """Those of the protocol that the run was scored by last."""
  metrics = {one['metric'] for one in records}
  own = {metric: protocols.latest(workdir, metric) for metric in metrics}
  is_own = lambda one: records_lib.protocol_hash(one) == own[one['metric']]
  return list(filter(is_own, records))


def _tile(name, latest, reports):
  step, values = latest
  several = len(values) > 1
  notes = [_spread(values) if several else _interval(name, step, reports.rows)]
  notes = [note for note in notes if note]
  notes.append(_best(name, reports.best) or f'at step {step:,}')
  return (
    f'<div><dt>{glossary.marked(name)}</dt>'
    f'<dd>{tables.value(text.mean(values))}'
    f'<small>{"<br>".join(notes)}</small></dd></div>'
  )


def _spread(values):
  spread = text.spread(values)
  return f'{len(values)} seeds{spread and ", "}{spread}'


def _interval(name, step, rows):
  """The interval of a single seed's score; '' if there is none."""
  row = next((r for r in rows if name in r and r['step'] == step), {})
  span = text.span(
    *(text.mean(row.get(f'{name}_{e}')) for e in ('low', 'high'))
  )
  return span and f'95 %: {span}'


def _best(name, known):
  """The best score and its step, if it was not the last one."""
  if name not in known:
    return ''
  of = known[name]
  best, at = of.least if measures.is_lower_better(name) else of.most
  better = best != of.last
  return f'best {text.number(best)} at step {at:,}' if better else ''
