"""Every kind of data meets every loss, penalty, wrapper and rule of the game.

Not all of their products, but every pair of them, in as few runs as do. A new
loss, penalty or kind joins by itself.
"""

import jax
import numpy as np
import pytest

from gan_jax import select
from gan_jax.run import setup as setup_lib
from tests import tiny
from tests.pairs import pairwise
from tests.pairs.bases import BASES, config_of

FACTORS = {
  'base': tuple(BASES),
  'loss': tuple(select.available('losses')),
  'penalty': ('', *tiny.PENALTIES),
  'parallel': ('jit', 'pmap', 'shard_map'),
  'num_seeds': (1, 2),
  'dynamics': ('alternating', 'simultaneous'),
  'halflife_kimg': (0.0, 0.01),
  'augment': ('', 'tests.pairs.noise'),
  'microbatches': (1, 2),
}
DEVICES = {'jit': 1, 'pmap': 2, 'shard_map': 2}
STEPS = 2


def possible(row):
  """Whether such a run is no mistake."""
  rooms = {'loss': 'losses', 'penalty': 'penalties'}
  files = [
    select.module(room, row[factor], flag='')
    for factor, room in rooms.items()
    if row.get(factor)
  ]
  whole = any(getattr(file, 'WHOLE_BATCH', False) for file in files)
  return not (whole and row.get('microbatches') == 2)


def with_losses(rows):
  """The same rows, the losses in turn."""
  losses, made = list(FACTORS['loss']), []
  for row in rows:
    own = next(k for k in losses if possible({**row, 'loss': k}))
    losses.append(losses.pop(losses.index(own)))
    made.append({**row, 'loss': own})
  return made


# All pairs are traced. A loss sees nothing but logits: of those without it, all
# are trained, and each loss on several kinds.
ROWS = pairwise.cover(FACTORS, possible=possible)
OTHERS = {k: v for k, v in FACTORS.items() if k != 'loss'}
TRAINED = with_losses(pairwise.cover(OTHERS, possible=possible))
FIRST = {row['base']: row for row in reversed(ROWS)}  # one of each base


def setup_of(row):
  """What a row describes, resolved."""
  own = config_of(row['base'])['penalties']
  config = config_of(
    row['base'],
    loss={'name': row['loss']},
    penalties=own | ({row['penalty']: {}} if row['penalty'] else {}),
    dynamics={'name': row['dynamics']},
    augment={'name': row['augment']} if row['augment'] else {},
    num_seeds=row['num_seeds'],
    microbatches=row['microbatches'],
    health_every=2 * (row['num_seeds'] - 1),  # half of the runs are looked at
  )
  if row['dynamics'] == 'simultaneous':
    config['d_steps'] = 1
  config['ema']['halflife_kimg'] = row['halflife_kimg']
  return setup_lib.build(config)


def run(row):
  """(setup, state before, state after, mean metrics) of a few steps."""
  setup = setup_of(row)
  program = setup_lib.make_program(
    setup,
    wrapper=row['parallel'],
    devices=jax.devices()[: DEVICES[row['parallel']]],
  )
  before = setup.first()
  state, total = program.put(before), program.put(program.zeros)
  data = setup_lib.make_data(setup, program, step=0)
  for step in range(STEPS):
    state, total = program.advance(state, total, data(step), 1)
  return setup, *jax.device_get(
    (before, program.get(state), program.get(total))
  )


def label(row):
  return '-'.join(str(level) for level in row.values())


@pytest.mark.slow
@pytest.mark.parametrize('row', TRAINED, ids=label)
def test_a_run_of_these_trains(row):
  setup, before, after, total = run(row)
  assert all(np.isfinite(v).all() for v in total.values()), total
  assert set(setup.names) <= set(total)
  for name, player in after.players.items():
    moved = tiny.distance(player.params, before.players[name].params)
    assert 0 < moved < np.inf, name
  for name, own in after.ema.items():
    behind = tiny.distance(own['params'], after.players[name].params)
    assert (behind > 0) == bool(row['halflife_kimg']), name


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
  assert len(ROWS) < 1.6 * len(FACTORS['base']) * len(FACTORS['loss'])
  assert all(map(possible, ROWS + TRAINED))
  kinds = {(row['loss'], row['base']) for row in TRAINED}
  for loss in FACTORS['loss']:
    assert len({base for own, base in kinds if own == loss}) > 1
