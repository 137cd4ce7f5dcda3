"""report.html: a run on one self-contained page."""

import html
import pathlib

from gan_jax.metrics.records import is_record
from gan_jax.report import (
  charts,
  condensed,
  document,
  gallery,
  glossary,
  lines,
  plane,
  tables,
  text,
  tiles,
)
from gan_jax.storage import files

HERE = pathlib.Path(__file__).parent
LOSSES = ('d_loss', 'g_loss')
PLAYERS = ('Discriminator', 'Generator')
SPEED = 'samples_per_s'


def write_page(workdir, *, log: condensed.Log | None = None) -> pathlib.Path:
  """Writes report.html from the files in a workdir; any of them may be missing.

  Reads config.json, manifest.json, metrics.jsonl, scores.json, samples/,
  rollbacks.json and divergence/.

  Args:
    workdir: of a run.
    log: its reports, where some are known already; else they are read.

  Returns:
    The path of the page.
  """
  workdir = pathlib.Path(workdir).resolve()
  config = files.read_json(workdir / 'config.json', dict)
  reports = (log or condensed.Log(workdir)).reports()
  rows = reports.rows
  records = list(filter(is_record, _records(workdir / 'scores.json')))
  rolled = _records(workdir / 'rollbacks.json')
  body = [
    _header(workdir, config, reports, records, len(rolled)),
    document.section('Rollbacks', _rollbacks(rolled)),
    gallery.gallery(workdir / 'samples'),
    _curves(rows, records, reports.since),
    document.section('Scores', tables.scores(records)),
    document.folded('Words', _words(rows, records)),
    _settings('Configuration', config, attribute=' open'),
    _settings('Manifest', files.read_json(workdir / 'manifest.json', dict)),
  ]
  path = workdir / 'report.html'
  whole = document.document(
    workdir.name,
    ''.join(body),
    styles=[HERE / 'page.css'],
    scripts=[HERE / 'cursor.js', HERE / 'page.js'],
  )
  files.write_text(path, whole)
  return path


def _records(path):
  return [one for one in files.read_json(path, list) if isinstance(one, dict)]


def _settings(title, settings, *, attribute=''):
  content = tables.tree(settings) if settings else ''
  return document.folded(title, content, attribute=attribute)


def _rollbacks(rolled):
  """Where the run diverged and where it continued, a line for each time."""
  lines = [
    f'From step {one.get("from")} back to step {one.get("to")}, with fresh'
    f' random numbers: diverged {one.get("reason")}'
    for one in rolled
  ]
  items = ''.join(f'<li>{html.escape(line)}</li>' for line in lines)
  return items and f'<ol class="card">{items}</ol>'


def _stopped(folder, rows, rollbacks):
  """How a run ended that diverged and was not rolled back, or ''."""
  last = rows[-1]['step'] if rows else 0
  dumps = [files.read_json(path) for path in folder.glob('step_*.json')]
  ends = [
    (one['step'], str(one.get('said')))
    for one in dumps
    if one.get('rollbacks') == rollbacks
    and isinstance(one.get('step'), int)
    and one['step'] > last
  ]
  return f'Diverged {max(ends)[1]}' if ends else ''


def _header(workdir, config, reports, records, rollbacks):
  rows = reports.rows
  words = [_name_of(config, key) for key in ('data', 'model', 'loss')]
  penalties = config.get('penalties')
  words += list(penalties) if isinstance(penalties, dict) else []
  kind, state = _state(config, rows)
  stopped = _stopped(workdir / 'divergence', rows, rollbacks)
  kind, state = ('failed', stopped) if stopped else (kind, state)
  line = ''.join(f'<li>{html.escape(str(word))}</li>' for word in words if word)
  return (
    f'<header><p class="state {kind}">{html.escape(state)}</p>'
    f'<h1>{html.escape(workdir.name)}</h1><ul class="facts">{line}'
    f'{_facts(config, rows, rollbacks)}</ul>'
    f'{tiles.tiles(reports, records, workdir)}</header>'
  )


def _name_of(config, key):
  part = config.get(key)
  return part.get('name') if isinstance(part, dict) else None


def _facts(config, rows, rollbacks):
  facts = []
  seeds = config.get('num_seeds')
  if isinstance(seeds, int):
    facts.append(f'{seeds} seed{"s" if seeds > 1 else ""}')
  facts += filter(None, [lines.health(rows, rollbacks=rollbacks)])
  speeds = [text.mean(row[SPEED]) for row in rows if SPEED in row]
  # The first reports include the compilation; the median does not.
  speeds = sorted(speed for speed in speeds if speed is not None)
  if speeds:
    facts.append(f'{text.number(round(speeds[len(speeds) // 2]))} samples/s')
  return ''.join(f'<li>{fact}</li>' for fact in facts)


def _state(config, rows):
  """The state of the run: a class for the colour and a sentence."""
  if not rows:
    return 'running', 'Not reported yet'
  step, total = rows[-1]['step'], config.get('steps')
  last = next((row for row in reversed(rows) if LOSSES[0] in row), {})
  dead = {k for name in LOSSES for k in _not_finite(last.get(name, 0.0))}
  if dead:
    seeds = len(text.numbers(last[LOSSES[0]]))
    of = f', {len(dead)} of {seeds} seeds' if seeds > 1 else ''
    return 'failed', f'Diverged: losses not finite at step {step:,}{of}'
  reached = _goal(config, rows)
  if reached:
    return 'done', f'Goal reached at step {step:,}: {reached}'
  if not isinstance(total, int):
    return 'running', f'At step {step:,}'
  if step >= total:
    return 'done', f'Finished, {step:,} steps'
  return 'running', f'At step {step:,} of {total:,}'


def _not_finite(value):
  return [k for k, one in enumerate(text.numbers(value)) if one != one]


def _goal(config, rows):
  """The goal in words if the last score of its metric meets it."""
  goal = config.get('stop_when')
  if not isinstance(goal, dict) or not isinstance(goal.get('metric'), str):
    return None
  name = goal['metric']
  last = next((text.mean(r[name]) for r in reversed(rows) if name in r), None)
  if last is None:
    return None
  for word, sign in (('below', 1), ('above', -1)):
    limit = goal.get(word)
    if isinstance(limit, (int, float)) and sign * last < sign * limit:
      return f'{text.title(name)} {word} {text.number(limit)}'
  return None


def _curves(rows, records, since):
  numeric = _numeric_names(rows)
  scored = {record.get('metric') for record in records} | set(glossary.SCORES)
  scores = [n for n in glossary.SCORES if n in numeric]
  scores += [n for n in numeric if n in scored and n not in scores]
  main = [_losses(rows)] if set(LOSSES) <= set(numeric) else []
  main += [_chart(name, rows, log=True) for name in scores]
  main += [plane.plane(rows)]
  if SPEED in numeric:
    main += [_chart(SPEED, rows, title='Samples per second', zero=True)]
  shown = {*LOSSES, SPEED, *scores} if main else set()
  more = ''.join(_chart(n, rows) for n in numeric if n not in shown)
  content = f'<div class="charts">{"".join(main)}</div>' if main else ''
  if more:
    content += (
      '<details><summary>More measurements</summary>'
      f'<div class="charts">{more}</div></details>'
    )
  left_out = ''.join(
    f'<p>{html.escape(text.title(name))}: from step {step:,}; earlier scores'
    ' are of another protocol.</p>'
    for name, step in since.items()
  )
  return document.section('Curves', content and left_out + content)


def _words(rows, records):
  """What all that is shown means, for those who cannot point at it."""
  names = dict.fromkeys(_numeric_names(rows))
  names |= dict.fromkeys(record['metric'] for record in records)
  for record in records:
    names |= dict.fromkeys(tables.protocol_of(record))
  return glossary.listing(names)


def _numeric_names(rows):
  """Names of measurements with a number, without ends of intervals."""
  names = list(dict.fromkeys(name for row in rows for name in row))
  left_out = {'step', *text.interval_ends(names)}
  return [n for n in names if n not in left_out and _is_numeric(n, rows)]


def _is_numeric(name, rows):
  values = (value for row in rows for value in text.numbers(row.get(name)))
  return any(value == value for value in values)


def _losses(rows):
  lines = [charts.line(name, rows) for name in LOSSES]
  lines = [
    one._replace(title=title) for one, title in zip(lines, PLAYERS, strict=True)
  ]
  return charts.chart('Losses', lines, name=LOSSES[0])


def _chart(name, rows, *, title=None, **options):
  line = charts.line(name, rows)
  options = {'most': charts.most_of(name), **options}
  lines = [line._replace(title='')]
  return charts.chart(title or line.title, lines, name=name, **options)
