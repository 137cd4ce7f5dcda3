"""Runs that ought to be healthy, runs spoilt in each way, and their verdicts.

  python -m experiments.health.calibrate [NAME ...] [--write]

Prints what was measured at the end of each run; --write puts the table into
README.md. 2 shared x86-64 cores: about 20 minutes for all.
"""

import collections
import pathlib
import sys
import time

import jax
import numpy as np

from gan_jax.data import loading
from gan_jax.devices import parallel
from gan_jax.game.health import diagnosis, outcome
from gan_jax.metrics.class_coverage import class_coverage
from gan_jax.metrics.features import spaces
from gan_jax.metrics.modes import modes
from gan_jax.metrics.prdc import prdc
from gan_jax.run import command, loop
from gan_jax.run import setup as setup_lib

HERE = pathlib.Path(__file__).parent
MEASURED = (
  'separation', 'reach', 'diversity', 'memorised', 'update_ratio',
)  # fmt: skip
BARE = {'widths': (32, 64), 'norm': 'none'}  # a D for the digits
STILL = {'optim.g.learning_rate': 1e-6}
RING = {'num_seeds': 4, 'steps': 3000}
DIGITS = {'num_seeds': 2, 'steps': 1500, 'data.held_out': 0.2}
PENALTY = RING | {'penalties': {'gradient_penalty': {}}}
FEW = DIGITS | {'data.held_out': 0.9}  # 180 digits to train on
BIG = DIGITS | {'data.image_size': 28, 'steps': 300}
# name: (recipe, what is changed)
CASES = {
  'ring8': ('ring8', RING),
  'ring8, 10,000 steps': ('ring8', RING | {'steps': 10_000}),
  **{
    f'ring8, {loss}': ('ring8', RING | {'loss.name': loss})
    for loss in ('lsgan', 'hinge', 'wasserstein', 'rpgan', 'minimax')
  },
  'grid25': ('grid25', RING),
  'grid25, 10,000 steps': ('grid25', RING | {'steps': 10_000}),
  'digits': ('digits', DIGITS),
  'digits, 4,000 steps': ('digits', DIGITS | {'steps': 4000}),
  **{
    f'digits, {loss}': ('digits', DIGITS | {'loss.name': loss})
    for loss in ('lsgan', 'hinge', 'wasserstein')
  },
  'digits in 28 x 28': ('digits', BIG),
  'digits, D bare': ('digits', DIGITS | {'model.d': BARE}),
  'ring8, no R1': ('ring8', RING | {'penalties': {}}),
  'ring8, no R1, minimax': (
    'ring8',
    RING | {'penalties': {}, 'loss.name': 'minimax'},
  ),
  'ring8, no R1, lsgan': (
    'ring8',
    RING | {'penalties': {}, 'loss.name': 'lsgan'},
  ),
  'ring8, no R1, hot G': (
    'ring8',
    RING
    | {'penalties': {}, 'optim.g.learning_rate': 5e-3}
    | {'optim.g.b1': 0.9, 'optim.d.b1': 0.9},
  ),
  'digits, hot G': ('digits', DIGITS | {'optim.g.learning_rate': 3e-2}),
  'digits, few, D bare': ('digits', FEW | {'model.d': BARE}),
  'digits, few, D bare, 3 moves': (
    'digits',
    FEW | {'model.d': BARE, 'd_steps': 3},
  ),
  'digits, few': ('digits', FEW),
  'ring8, hinge, gradient penalty': ('ring8', PENALTY | {'loss.name': 'hinge'}),
  'ring8, wasserstein, gradient penalty': (
    'ring8',
    PENALTY | {'loss.name': 'wasserstein'},
  ),
  'ring8, gradient penalty': ('ring8', PENALTY),
  'swissroll': ('ring8', RING | {'data': {'name': 'swissroll'}}),
  'digits, 100 steps': ('digits', DIGITS | {'steps': 100}),
  'digits, 300 steps': ('digits', DIGITS | {'steps': 300}),
  'ring8, still G': ('ring8', RING | STILL),
  'ring8, no R1, still G': ('ring8', RING | STILL | {'penalties': {}}),
  'digits, still G': ('digits', DIGITS | STILL),
  'digits, still G, D bare': ('digits', DIGITS | STILL | {'model.d': BARE}),
  'digits in 28 x 28, still G': ('digits', BIG | STILL),
  'digits in 28 x 28, still G, D bare': (
    'digits',
    BIG | STILL | {'model.d': BARE},
  ),
  'digits, D bare, minimax, 5 moves': (
    'digits',
    DIGITS | {'model.d': BARE, 'loss.name': 'minimax', 'd_steps': 5},
  ),
  'ring8, rate 1': (
    'ring8',
    RING
    | {'penalties': {}, 'steps': 500}
    | {'optim.g.learning_rate': 1.0, 'optim.d.learning_rate': 1.0},
  ),
  'ring8, rate 1000': (
    'ring8',
    RING
    | {'penalties': {}, 'steps': 500}
    | {'optim.g.learning_rate': 1e3, 'optim.d.learning_rate': 1e3},
  ),
}


def train(recipe: str, overrides: dict) -> tuple:
  """(setup, rows of ten reports, the state at the end or None)."""
  overrides = {'report_every': overrides['steps'] // 10} | overrides
  config = command.load_config(f'configs/{recipe}.py', overrides)
  setup = setup_lib.build(config)
  program = setup_lib.make_program(setup)
  rows = []

  def report(step, metrics, state):
    finite = lambda x: float(x) if np.isfinite(x) else None
    row = {k: [finite(x) for x in v] for k, v in metrics.items()}
    rows.append({'step': step, **row})

  nothing = lambda *args: False
  try:
    outcome = loop.run(
      program,
      loop.StartPoint(loop.Handed(setup.init())),
      setup_lib.make_data(setup, program, step=0),
      steps=config['steps'],
      cadence=loop.Cadence(config['report_every'], 0, 0),
      calls=loop.Calls(report, *(nothing,) * 3),
      stop_signal=lambda: None,
    )
  except loop.Diverged:
    return setup, rows, None
  return setup, rows, outcome.state


def scores(setup, state, seed: int) -> dict:
  """Of the moving average's samples, by name, with how many modes there are.

  Modes and share of good samples of 2,500 points, or their precision where no
  modes are known; of 1,000 images precision in pixels and class coverage.
  """
  g = jax.tree.map(lambda x: x[seed], state.ema)
  x = np.asarray(setup.sample(g, setup.keys[seed], np.arange(2500)))
  real, known = loading.arrays(setup.dataset)['x'], setup.dataset.modes
  if known:
    found = modes(x, known['centers'], known['std'])
    return found | {'modes_of': len(known['centers'])}
  flat = lambda x: np.reshape(x[:1000], (len(x[:1000]), -1))
  found = prdc(flat(real), flat(x))
  kept = {name: found[name] for name in ('precision', 'recall')}
  if setup.dataset.class_names:
    seen = spaces.load(setup.dataset, 'classifier').apply(x[:1000])
    kept |= class_coverage(seen.probabilities, seen.probabilities.shape[1])
  return kept


def add_scores(setup, rows: list, state, seeds) -> list:
  """The rows of a run and one more, with its scores."""
  if state is None:
    return rows
  each = [scores(setup, state, s) for s in seeds]
  names = [name for name in each[0] if name in (*outcome.NAMES, 'modes_of')]
  row = {name: [one[name] for one in each] for name in [*names]}
  return [*rows, {'step': rows[-1]['step'], **row}]


def measured(rows: list, seed: int) -> dict:
  """Means over the last quarter, by name."""
  last = [r for r in rows if r['step'] > 0.75 * rows[-1]['step']]
  found = {}
  for name in last[-1]:
    values = [r[name][seed] for r in last if isinstance(r.get(name), list)]
    if name.startswith('health_') and values and None not in values:
      found[name.removeprefix('health_')] = float(np.mean(values))
  if 'held_out' in found:
    gap = found['real'] - found['fake']
    found['memorised'] = (found['real'] - found['held_out']) / gap
  return found


def line(name: str, overrides: dict, found: tuple) -> str:
  """A row of the table: the range over the seeds of what was measured."""
  setup, rows, state = found
  seeds = range(overrides['num_seeds'])
  if rows and state is not None:
    scored = add_scores(setup, rows, state, seeds)
    verdicts = [diagnosis.diagnose(scored, s) for s in seeds]
    blind = [diagnosis.diagnose(rows, s) for s in seeds]
    figures = [measured(rows, s) for s in seeds]
    known = [outcome.of_rows([diagnosis.of_seed(scored[-1], s)]) for s in seeds]
  else:
    verdicts = [diagnosis.Diagnosis(diagnosis.DIVERGED, '')] * len(seeds)
    blind, figures, known = verdicts, [{}], []
  cells = [name]
  for key in MEASURED:
    values = [f[key] for f in figures if key in f]
    cells.append(f'{min(values):.2g} to {max(values):.2g}' if values else '')
  cells.append('; '.join(one.known for one in known))
  cells += [counted(blind), counted(verdicts)]
  return '| ' + ' | '.join(cells) + ' |'


def counted(verdicts: list) -> str:
  """'3 healthy, 1 mode collapse'."""
  counts = collections.Counter(v.verdict for v in verdicts)
  return ', '.join(f'{n} {v}' for v, n in counts.items())


def main(argv: list):
  """All cases, or those named."""
  names = [a for a in argv if not a.startswith('--')] or list(CASES)
  parallel.use_cores(4)
  titles = ['run', *MEASURED, 'scores', 'without them', 'verdicts']
  lines = ['| ' + ' | '.join(titles) + ' |', '|---' * len(titles) + '|']
  print('\n'.join(lines), flush=True)
  for name in names:
    recipe, overrides = CASES[name]
    begin = time.monotonic()
    lines.append(line(name, overrides, train(recipe, overrides)))
    print(lines[-1], f'{time.monotonic() - begin:.0f} s', flush=True)
    jax.clear_caches()  # or so many programs fill the memory
  if '--write' in argv:
    readme = HERE / 'README.md'
    head, mark, _ = readme.read_text().partition('## The runs\n')
    readme.write_text(f'{head}{mark}\n' + '\n'.join(lines) + '\n')


if __name__ == '__main__':
  main(sys.argv[1:])
