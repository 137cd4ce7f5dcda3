"""Views of made-up studies, small and known to the last digit."""

from gan_jax.study.report.contents import Cell, ReportContents
from gan_jax.study.statistics.types import (
  Analysis,
  Comparison,
  Failures,
  Spread,
)

NAMES = ('base', 'b_1 | 50%', 'c & <script>hacked = 1</script>')
SCORES = {NAMES[0]: (6.0, 7.0), NAMES[1]: (7.5, 8.0), NAMES[2]: (None, 2.5)}


def spread(name, values):
  """Mean of those there are, and an interval that is half a point wide."""
  known = [value for value in values if value is not None]
  if not known:
    return Spread(name, tuple(values), None, None, None, None)
  mean = sum(known) / len(known)
  span = (mean - 0.25, mean + 0.25) if len(known) > 1 else None
  return Spread(name, tuple(values), mean, mean, mean, span)


def comparison(name, difference, half, verdict, *, kind='cell', words=''):
  """A comparison whose interval is so wide to each side."""
  span = None if half is None else (difference - half, difference + half)
  return Comparison(
    name, kind, (), difference, span, 0.0004, 0.00125, 1.5, 0.5, verdict,
    words or f'{verdict} by {difference}',
  )  # fmt: skip


COMPARISONS = (
  comparison(NAMES[1], 1.25, 0.25, 'better'),
  comparison(NAMES[2], -4.5, 1.5, 'worse'),
  comparison('loss: x', 0.5, 1.0, 'no difference', kind='main'),
  comparison('loss: x × d: y', 0.75, None, 'cannot tell', kind='interaction'),
)


def run(name, seed, score):
  """A row of results.jsonl; without a score, of a run that diverged."""
  dead = score is None
  return {
    'cell': name,
    'overrides': {},
    'seed': seed,
    'status': 'diverged' if dead else 'finished',
    'reason': 'losses of <b>no</b> number' if dead else '',
    'steps': 60 if dead else 100,
    'scores': {} if dead else {'modes': score},
    'health': {'verdict': 'diverged' if dead else 'healthy', 'reason': ''},
  }


def rows(scores):
  """Curves towards the scores of two seeds; they end where there is none."""
  told = []
  for step in range(0, 101, 20):
    live = [None if s is None and step > 60 else (s or 1.0) for s in scores]
    told.append(
      {
        'step': step,
        'modes': [v and v * step / 100 for v in live],
        'd_loss': [v and 1.0 for v in live],
        'g_loss': [v and 0.5 for v in live],
        'health_grad_real': [v and 2.0 for v in live],
      }
    )
  return told


def cell(name, scores=None, *, picture=None):
  """A cell with its runs and curves."""
  scores = SCORES[name] if scores is None else scores
  differs = {} if name == 'base' else {'loss.name': name, 'penalties': {}}
  runs = [run(name, seed, score) for seed, score in enumerate(scores)]
  return Cell(name, differs, runs, rows(scores), picture)


def analysis(metric, found=COMPARISONS, *, baseline=NAMES[0], lower=False):
  """Of the cells above."""
  spreads = tuple(spread(name, SCORES[name]) for name in NAMES)
  return Analysis(metric, lower, 0.05, baseline, spreads, tuple(found))


def view(**changes):
  """Three cells of two seeds: a baseline, a better one and a worse one."""
  found = ReportContents(
    name='small study',
    question='Is <b> & 50% of it_ better?',
    base='configs/ring8.py',
    design='grid',
    num_seeds=2,
    seed=0,
    overrides={'steps': 100},
    metric='modes',
    also=('fid',),
    cells=tuple(map(cell, NAMES)),
    analyses={
      'modes': analysis('modes'),
      'fid': analysis('fid', (), lower=True),
    },
    failures=(
      Failures(NAMES[0], 0, 2, (0.0, 0.65), {}),
      Failures(NAMES[1], 0, 2, (0.0, 0.65), {}),
      Failures(NAMES[2], 1, 2, (0.1, 0.9), {'diverged': 1}),
    ),
    notes=('A difference of 0.5 would have been seen.',),
    commands=('python -m gan_jax.ablate --study=small --workdir=DIR',),
    manifest={'devices': ['cpu'], '</script>': 1},
    state='done',
  )
  return found._replace(**changes)


def many(count):
  """A study of so many cells with numbers for names."""
  cells = tuple(cell(f'cell {k}', (k / 4, k / 4 + 1)) for k in range(count))
  spreads = tuple(
    spread(c.name, (k / 4, k / 4 + 1)) for k, c in enumerate(cells)
  )
  tested = Analysis('modes', False, 0.05, '', spreads, ())
  return view(cells=cells, analyses={'modes': tested}, failures=(), also=())
