"""Every kind of data meets every loss, penalty, augmentation, dynamics, ...

Not all of their products, but every pair of them, in as few runs as do. A new
file of any of these joins by itself.
"""

import functools

import jax
import numpy as np
import pytest

from gan_jax import select
from gan_jax.components import options
from gan_jax.run import compatibility
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests import tiny
from tests.pairs import pairwise
from tests.pairs.bases import BASES, config_of

# Of models with an encoder or a supervisor, or of latents with codes.
OF_CODES = 'kl', 'reconstruction', 'supervised', 'infogan'
AT_ONCE = 10  # penalties of a run
levels = lambda room: [k for k in select.available(room) if k not in OF_CODES]
ROOMS = {'loss': 'losses', 'penalty': 'penalties', 'dynamics': 'dynamics'}
# What goes with some levels of other factors alone.
PICTURES, LABELS = ('image', 'labels', 'pairs'), ('labels',)
UNLABELLED = tuple(base for base in BASES if base not in LABELS)
HEADS = tuple(levels('conditioning'))
# Losses for which the zero of D's logits means something.
CENTRED = tuple(
  name
  for name in select.available('losses')
  if not compatibility.is_shifted_freely(select.loss(name))
)
ONLY = {
  **dict.fromkeys(('cr', 'bcr', 'icr'), {'base': PICTURES}),
  **dict.fromkeys(
    ('blur', 'cutmix', 'diffaugment', 'flip'), {'base': PICTURES}
  ),
  'ada': {'base': PICTURES, 'loss': CENTRED},
  **dict.fromkeys(('apa', 'diffusion_noise'), {'loss': CENTRED}),
  **{head: {'base': LABELS} for head in HEADS},
  **{base: {'conditioning': HEADS} for base in LABELS},
  **{base: {'conditioning': ('',)} for base in UNLABELLED},
  # Where the play is the usual one.
  'logan': {'base': ('image', 'labels', 'point', 'series', 'text')},
  'optimal_transport': {'base': ('point',)},  # a latent like a sample
  'feature_matching': {'conditioning': ('multi_hinge',)},
  'multi_hinge': {'base': LABELS, 'loss': ('hinge',)},
  'unrolled': {'microbatches': (1,)},
  # A D with spectral norm is refused: it has none then.
  'weight_clip': {'dynamics': tuple(levels('dynamics'))},
}


def _file(factor, level):
  return select.module(ROOMS[factor], level, flag='')


def _own_demands(factor, level):
  if factor == 'conditioning' and level == '':
    return {'base': UNLABELLED}
  whole = factor in ('loss', 'penalty') and level
  if whole and getattr(_file(factor, level), 'WHOLE_BATCH', False):
    return {**ONLY.get(level, {}), 'microbatches': (1,)}
  return ONLY.get(level, {})


def together(names):
  """Penalties of the same demands, a few of them a level: 'r1+r2'."""
  alike = {}
  for name in names:
    key = repr(sorted(_own_demands('penalty', name).items()))
    alike.setdefault(key, []).append(name)
  return [
    '+'.join(group[i : i + AT_ONCE])
    for group in alike.values()
    for i in range(0, len(group), AT_ONCE)
  ]


FACTORS = {
  'base': tuple(BASES),
  'loss': tuple(levels('losses')),
  'penalty': ('', *together(levels('penalties'))),
  'parallel': ('jit', 'pmap', 'shard_map'),
  'num_seeds': (1, 2),
  'dynamics': tuple(levels('dynamics')),
  'halflife_kimg': (0.0, 0.01),
  'augment': ('', 'tests.pairs.noise', *levels('augment')),
  'conditioning': ('', *HEADS),
  'microbatches': (1, 2),
}
DEVICES = {'jit': 1, 'pmap': 2, 'shard_map': 2}
STEPS = 2
# Without these options they have no meaning in most of the games, or are slow.
OWN = {
  'path_length': {'space': 'z'},
  'pull_away': {'space': 'samples'},
  'timegan': {'threshold': -100.0},  # is of cross-entropy: no D waits
  'unrolled': {'unroll': 1},
}


@functools.cache
def _demands(factor, level):
  """{another factor: the levels of it that this one goes with}."""
  if factor != 'penalty':
    return _own_demands(factor, level)
  return _own_demands(factor, level.split('+')[0])  # alike, see together


def possible(row):
  """Whether such a run, or some run with these levels, is no mistake."""
  left, seen = {k: (v,) for k, v in row.items()}, set()
  while decided := {k for k, v in left.items() if len(v) == 1} - seen:
    for factor in decided:
      seen.add(factor)
      for other, allowed in _demands(factor, left[factor][0]).items():
        there = left.get(other, FACTORS[other])
        left[other] = tuple(level for level in there if level in allowed)
        if not left[other]:
          return False
  return True


def filled(rows):
  """The same rows with all factors: some in turn, of others the usual level."""
  for factor, there in FACTORS.items():
    left, made = list(there), []
    for row in rows:
      if factor not in row:
        own = next(k for k in left if possible({**row, factor: k}))
        if factor in IN_TURN:
          left.append(left.pop(left.index(own)))
        row = {**row, factor: own}
      made.append(row)
    rows = made
  return rows


# A loss sees nothing but logits, a head nothing but features.
IN_TURN = 'loss', 'conditioning', 'halflife_kimg'
# All pairs are built, which follows shapes. Trained are those that meet in what
# is differentiated and remembered, and in how samples and devices are cut.
ROWS = pairwise.cover(FACTORS, possible=possible)
MOVES = {k: FACTORS[k] for k in ('penalty', 'dynamics')}
CUTS = ('base', 'parallel', 'num_seeds', 'augment', 'microbatches')
CUTS = {k: FACTORS[k] for k in CUTS}
TRAINED = filled(pairwise.cover(MOVES, CUTS, possible=possible))
FIRST = {row['base']: row for row in reversed(ROWS)}  # one of each base


def setup_of(row):
  """What a row describes, resolved."""
  config = config_of(
    row['base'],
    loss={'name': row['loss']},
    dynamics={'name': row['dynamics'], **OWN.get(row['dynamics'], {})},
    augment={'name': row['augment']} if row['augment'] else {},
    num_seeds=row['num_seeds'],
    microbatches=row['microbatches'],
    health_every=0,  # the bases' is looked at in test_every_kind
  )
  takes = options.taken_by(_file('dynamics', row['dynamics']).make)
  if 'd_steps' not in takes:
    # One update of all terms, at each step.
    config['d_steps'] = 1
    for own in config['penalties'].values():
      own['every'] = 1
  for name in row['penalty'].split('+') if row['penalty'] else ():
    config['penalties'] |= {name: OWN.get(name, {})}
    if name == 'weight_clip' and 'norm' in config['model']['d']:
      config['model']['d']['norm'] = 'none'
    if name == 'optimal_transport':
      config['latent']['dim'] = 2
  if row['conditioning']:
    config['conditioning'] = {'name': row['conditioning']}
  config['ema']['halflife_kimg'] = row['halflife_kimg']
  return setup_lib.build(config)


def run(row):
  """(setup, state before, after a step, after all, mean metrics).

  The second step begins anew from what a checkpoint holds; that it ends with
  the same bits is asserted.
  """
  setup = setup_of(row)
  program = setup_lib.make_program(
    setup,
    wrapper=row['parallel'],
    devices=jax.devices()[: DEVICES[row['parallel']]],
  )
  before = setup.first()
  state, total = program.put(before), program.put(program.zeros)
  data = setup_lib.make_data(setup, program, step=0)
  state, total = program.advance(state, total, data(0), 1)
  middle = jax.device_get((program.get(state), program.get(total)))
  state, total = program.advance(state, total, data(1), 1)
  after = jax.device_get((program.get(state), program.get(total)))
  data = setup_lib.make_data(setup, program, step=1)
  state, total = program.advance(*map(program.put, middle), data(1), 1)
  jax.tree.map(
    np.testing.assert_array_equal,
    jax.device_get((program.get(state), program.get(total))),
    after,
  )
  return setup, jax.device_get(before), *after


def label(row):
  return '-'.join(str(level) for level in row.values())


@pytest.mark.slow
@pytest.mark.parametrize('row', TRAINED, ids=label)
def test_a_run_of_these_trains_and_resumes(row):
  setup, before, after, total = run(row)
  assert not [c for c in setup.clashes if c.refused]
  assert all(np.isfinite(v).all() for v in total.values()), total
  assert set(setup.names) <= set(total)
  for name, player in after.players.items():
    moved = tiny.distance(player.params, before.players[name].params)
    assert moved < np.inf, name
    # Who is too far ahead waits.
    assert moved > 0 or row['dynamics'] == 'equilibrium', name
  for name, own in after.ema.items():
    behind = tiny.distance(own['params'], after.players[name].params)
    assert behind == 0 or row['halflife_kimg'], name


@pytest.mark.slow
@pytest.mark.parametrize('base', FIRST)
def test_all_pairs_can_be_built(base):
  for row in ROWS:
    if row['base'] == base:
      assert setup_of(row).names


@pytest.mark.parametrize('base', FIRST)
def test_one_of_each_kind_can_be_built(base):
  """The default run traces a part of what the slow one does."""
  assert setup_of(FIRST[base]).names


def test_every_pair_of_levels_is_in_some_row():
  rows = [set(pairwise.within(row, FACTORS)) for row in ROWS]
  wanted = [p for p in pairwise.pairs(FACTORS) if possible(dict(p))]
  assert set(wanted) == set().union(*rows)
  largest = sorted(len(v) for v in FACTORS.values())[-2:]
  assert len(ROWS) < 2 * np.prod(largest)
  assert all(map(possible, ROWS + TRAINED))
  trained = [set(pairwise.within(row, FACTORS)) for row in TRAINED]
  for own in (MOVES, CUTS):
    wanted = [p for p in pairwise.pairs(own) if possible(dict(p))]
    assert set(wanted) <= set().union(*trained)
  kinds = {(row['loss'], row['base']) for row in TRAINED}
  for loss in FACTORS['loss']:
    assert len({base for own, base in kinds if own == loss}) > 1


MISTAKES = [
  ('point', {'penalty': 'bcr'}),
  ('text', {'augment': 'ada'}),
  ('pairs', {'penalty': 'logan'}),
  ('series', {'penalty': 'optimal_transport'}),
  ('image', {'penalty': 'feature_matching'}),
  ('labels', {'conditioning': 'multi_hinge', 'loss': 'lsgan'}),
  ('point', {'dynamics': 'unrolled', 'microbatches': 2}),
]


@pytest.mark.parametrize('base, levels', MISTAKES)
def test_what_is_left_out_is_refused(base, levels):
  plain = {'penalty': '', 'augment': '', 'microbatches': 1, 'loss': 'hinge'}
  row = FIRST[base] | plain | levels
  assert not possible(row)
  with pytest.raises(UserError):
    setup_of(row)
