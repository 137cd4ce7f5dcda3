"""The same step under every wrapper, on any number of devices."""

import jax
import numpy as np
import optax
import pytest

from gan_jax.devices import layout as layout_lib
from gan_jax.devices import parallel
from gan_jax.types import UserError
from tests import tiny

LOOP = parallel.Layout(loop=True, seeds='vmap')
TURNS = parallel.Layout(loop=True, seeds='map')
SINGLE = parallel.Layout(loop=False, seeds='vmap')
APART = parallel.Layout(loop=False, seeds='apart')
STEPS = 4


def train(
  wrapper,
  devices,
  *,
  num_seeds=1,
  layout=LOOP,
  cuts=(STEPS,),
  every=0,
  probe=None,
  **kw,
):
  """States [S, ...] and summed metrics after the steps of all cuts."""
  init, make_step = tiny.game(**kw)
  roots, state = tiny.states(init, num_seeds)
  program = parallel.make_program(
    tiny.work(
      make_step,
      probe=probe or tiny.look(every, d=kw.get('d', tiny.Discriminator)),
      **kw,
    ),
    keys=roots,
    batch_size=tiny.BATCH,
    wrapper=wrapper,
    layout=layout,
    devices=jax.devices()[:devices],
  )
  state = program.put(state)
  total = program.put(program.zeros)
  if program.max_steps:
    cuts = (1,) * sum(cuts)
  for n in cuts:
    state, total = program.advance(state, total, tiny.DATA, n)
  return jax.device_get((program.get(state), program.get(total)))


ran = tiny.once(train)


@pytest.fixture(scope='module')
def reference():
  """One seed on one device. It is looked at, which changes no bit."""
  state, total = ran('jit', 1, every=2)
  return state, total


def steps_of(total):
  """The metrics of the steps, without those of the looks at them."""
  return {k: v for k, v in total.items() if not k.startswith('health_')}


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize('devices', [1, 2, 8])
def test_same_update_on_any_number_of_devices(wrapper, devices, reference):
  """SGD: Adam would hide a wrong scale of the gradient."""
  state, total = ran(wrapper, devices)
  assert tiny.distance(state, reference[0]) < 1e-6
  assert tiny.distance(total, steps_of(reference[1])) < 1e-5
  assert state.step.tolist() == [STEPS]
  before = tiny.states(tiny.game()[0], 1)[1].players
  for name, player in state.players.items():
    assert tiny.distance(player.params, before[name].params) > 1e-3


PENALTIES = {
  'r1': {'gamma': 0.1, 'every': 2},  # of an update of its own
  'gradient_penalty': {'weight': 0.1},
  'dragan': {'weight': 0.1},
}


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize(
  'game',
  [
    {'loss': 'ragan', 'd_steps': 1},
    {'penalties': PENALTIES},
    {'loss': 'lsgan', 'penalties': {'weight_clip': {'limit': 0.5}}},
    {'update': 'simultaneous', 'loss': 'ragan', 'penalties': PENALTIES},
  ],
  ids=['ragan', 'penalties', 'clipped', 'all'],
)
def test_batch_means_penalties_and_dynamics(wrapper, game):
  """A mean over the batch inside the loss is over the global batch."""
  one, _ = ran('jit', 1, **game)
  many, _ = ran(wrapper, 8, **game)
  assert tiny.distance(one, many) < 1e-6


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize('devices, num_seeds', [(8, 4), (4, 8), (8, 3)])
def test_seeds_are_runs_of_their_own(wrapper, devices, num_seeds, reference):
  state, total = ran(wrapper, devices, num_seeds=num_seeds)
  first = jax.tree.map(lambda x: x[:1], state)
  assert tiny.distance(first, reference[0]) < 1e-6
  assert total['d_loss'].shape == (num_seeds,)
  assert len(np.unique(total['d_loss'])) == num_seeds


@pytest.mark.parametrize('devices, num_seeds', [(1, 2), (1, 4)])
@pytest.mark.parametrize('wrapper', ['pmap', 'shard_map'])
def test_seeds_in_turn_are_bitwise_those_of_a_run_of_their_own(
  wrapper, devices, num_seeds
):
  """Also when devices share the seeds: each seed's program is the same."""
  many, _ = ran(wrapper, 2, num_seeds=4, layout=TURNS)
  fewer, _ = ran(wrapper, devices, num_seeds=num_seeds, layout=TURNS)
  own = jax.tree.map(lambda x: x[:num_seeds], many)
  assert tiny.distance(own, fewer) == 0


# Of a large eps: the bias before a batch norm has no gradient but rounding.
ADAM = {'num_seeds': 2, 'optimizer': optax.adam(0.01, eps=1e-3)}


@pytest.mark.parametrize(
  'game',
  [
    {'every': 2},
    {'layout': TURNS, **ADAM},
    {'layout': TURNS, **ADAM, 'every': 2},
  ],
  ids=['seen', 'in turn', 'in turn, seen'],
)
@pytest.mark.parametrize('cuts', [(1, 3), (2, 2), (3, 1), (2, 1, 1)])
def test_where_a_run_is_cut_changes_no_bit(cuts, game):
  """Nor when one looks: the whole total is compared."""
  assert (
    tiny.distance(ran('jit', 1, cuts=cuts, **game), ran('jit', 1, **game)) == 0
  )


# Looking at the steps.

HEALTH = {
  f'health_{name}'
  for name in (
    'separation', 'real', 'fake', 'held_out', 'grad_real', 'grad_fake',
    'update_ratio', 'diversity', 'reach', 'nonfinite', 'probes',
  )
}  # fmt: skip


WAYS = [
  ('jit', 1, LOOP), ('jit', 1, TURNS), ('jit', 1, SINGLE), ('jit', 8, APART),
  ('pmap', 8, LOOP), ('pmap', 2, TURNS), ('pmap', 8, APART),
  ('shard_map', 8, LOOP), ('shard_map', 2, TURNS), ('shard_map', 8, SINGLE),
]  # fmt: skip


@pytest.mark.parametrize('wrapper, devices, layout', WAYS)
def test_whoever_looks_sees_the_same(wrapper, devices, layout):
  """Two of the four steps are looked at, by all devices together."""
  _, one = ran('jit', 1, every=2, **ADAM)
  _, many = ran(wrapper, devices, every=2, layout=layout, **ADAM)
  assert many.keys() - steps_of(many).keys() == HEALTH
  assert many['health_probes'].tolist() == [2, 2]
  assert tiny.distance(one, many) < 1e-5
  assert len(np.unique(many['health_diversity'])) == 2


@pytest.mark.parametrize('wrapper, devices, layout', WAYS)
def test_looking_changes_no_bit(wrapper, devices, layout):
  never, without = ran(wrapper, devices, layout=layout, **ADAM)
  assert steps_of(without) == without
  for every in (1, 3):
    state, total = ran(wrapper, devices, layout=layout, every=every, **ADAM)
    assert tiny.distance(state, never) == 0
    assert total['health_probes'].tolist() == [STEPS // every] * 2
    assert tiny.distance(steps_of(total), without) == 0


# Every arrangement of steps and seeds. All seeds together: were it their own
# choice when to look, each step would be seen.

noted = []


def note(axis):
  del axis

  def look(before, after, batch, key, given):
    jax.debug.callback(lambda step: noted.append(int(step)), before.step)
    return {'health_x': before.step * 1.0}

  return look


ARRANGED = {
  'num_seeds': 2,
  'd': tiny.ConvDiscriminator,
  'probe': layout_lib.Probe(3, note, {}, ('health_x',)),
}


@pytest.mark.parametrize('layout', [TURNS, SINGLE, APART])
@pytest.mark.parametrize('devices', [1, 2])
def test_layouts_agree(layout, devices):
  one = ran('jit', 1, layout=LOOP, **ARRANGED)
  other = ran('jit', devices, layout=layout, **ARRANGED)
  assert tiny.distance(one, other) < 1e-5


@pytest.mark.parametrize('layout', [LOOP, TURNS, SINGLE, APART])
def test_one_looks_only_when_it_is_due(layout):
  jax.effects_barrier()
  noted.clear()
  _, total = train('jit', 1, layout=layout, cuts=(1,) * 7, **ARRANGED)
  jax.effects_barrier()
  # The third and the sixth step, each by two seeds.
  assert sorted(noted) == [2, 2, 5, 5]
  assert total['health_x'].tolist() == [7, 7]
  assert total['health_probes'].tolist() == [2, 2]


@pytest.mark.parametrize(
  'wrapper, devices, every, block',
  [('jit', 1, 2, 1), ('jit', 1, 2, 3), ('pmap', 2, 0, 3)]
  + [('shard_map', 8, 0, 3)],
)
def test_streamed_batches_equal_the_resident_set(
  wrapper, devices, every, block, reference
):
  init, make_step = tiny.game()
  roots, state = tiny.states(init, 1)
  program = parallel.make_program(
    tiny.work(
      make_step,
      feed=lambda batch, key, at, index: batch,
      probe=tiny.look(every),
    ),
    keys=roots,
    batch_size=tiny.BATCH,
    wrapper=wrapper,
    layout=LOOP,
    streamed=block,
    devices=jax.devices()[:devices],
  )
  assert program.max_steps == block
  kept, total = program.put(state), program.put(program.zeros)
  at = 0
  while at < STEPS:
    steps = range(at - at % block, at - at % block + block)
    rows = [tiny.feed(tiny.DATA, None, s, np.arange(tiny.BATCH)) for s in steps]
    fed = {'x': np.stack([row['x'] for row in rows])[None]}  # [S, K, n, B, 2]
    # As many as a report would let it, which is due after every second step.
    n = layout_lib.most_steps(block, at, min(2 - at % 2, STEPS - at))
    kept, total = program.advance(kept, total, fed, n)
    at += n
  assert tiny.distance(program.get(kept), reference[0]) < 1e-6
  seen = reference[1] if every else steps_of(reference[1])
  assert tiny.distance(total, seen) < 1e-5


def test_mistakes_are_named():
  with pytest.raises(UserError, match='batch_size=16.*3 devices'):
    train('jit', 3)
  with pytest.raises(UserError, match="parallel='xmap'.*pmap"):
    train('xmap', 1)
  assert parallel.default_wrapper(8) == 'pmap'
  assert parallel.default_wrapper(1) == 'jit'
