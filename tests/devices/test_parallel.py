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
  **kw,
):
  """States [S, ...] and summed metrics after STEPS steps."""
  init, make_step = tiny.game(**kw)
  roots, state = tiny.states(init, num_seeds)
  program = parallel.make_program(
    tiny.work(
      make_step,
      probe=tiny.look(every, d=kw.get('d', tiny.Discriminator)),
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
    cuts = (1,) * STEPS
  for n in cuts:
    state, total = program.advance(state, total, tiny.DATA, n)
  return jax.device_get((program.get(state), program.get(total)))


@pytest.fixture(scope='module')
def reference():
  return train('jit', 1)


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize('devices', [1, 2, 8])
def test_same_update_on_any_number_of_devices(wrapper, devices, reference):
  """SGD: Adam would hide a wrong scale of the gradient."""
  state, total = train(wrapper, devices)
  assert tiny.distance(state, reference[0]) < 1e-6
  assert tiny.distance(total, reference[1]) < 1e-5
  assert state.step.tolist() == [STEPS]
  before = tiny.states(tiny.game()[0], 1)[1]
  assert (
    tiny.distance(state.players['g'].params, before.players['g'].params) > 1e-3
  )
  assert (
    tiny.distance(state.players['d'].params, before.players['d'].params) > 1e-3
  )


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize(
  'game',
  [
    {'loss': 'ragan', 'd_steps': 1},
    {'penalties': {'r1': {'gamma': 0.1}, 'gradient_penalty': {'weight': 0.1}}},
    {'penalties': {'dragan': {'weight': 0.1}, 'weight_clip': {'limit': 0.5}}},
    {'update': 'simultaneous', 'loss': 'lsgan'},
  ],
  ids=['ragan', 'penalties', 'dragan', 'simultaneous'],
)
def test_batch_means_penalties_and_dynamics(wrapper, game):
  """A mean over the batch inside the loss is over the global batch."""
  one, _ = train('jit', 1, **game)
  many, _ = train(wrapper, 8, **game)
  assert tiny.distance(one, many) < 1e-6


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize('devices, num_seeds', [(8, 4), (4, 8), (8, 3)])
def test_seeds_are_runs_of_their_own(wrapper, devices, num_seeds):
  state, total = train(wrapper, devices, num_seeds=num_seeds)
  alone, _ = train('jit', 1, num_seeds=1)
  assert tiny.distance(jax.tree.map(lambda x: x[:1], state), alone) < 1e-6
  assert total['d_loss'].shape == (num_seeds,)
  assert len(np.unique(total['d_loss'])) == num_seeds


@pytest.mark.parametrize('layout', [TURNS, SINGLE, APART])
@pytest.mark.parametrize('devices', [1, 2])
def test_layouts_agree(layout, devices):
  game = {'num_seeds': 2, 'd': tiny.ConvDiscriminator}
  one = train('jit', 1, layout=LOOP, **game)
  other = train('jit', devices, layout=layout, **game)
  assert tiny.distance(one, other) < 1e-5


@pytest.mark.parametrize('wrapper', ['pmap', 'shard_map'])
def test_seeds_in_turn_are_bitwise_those_of_a_run_of_their_own(wrapper):
  """Also when devices share the seeds: each seed's program is the same."""
  many, _ = train(wrapper, 2, num_seeds=4, layout=TURNS)
  for devices, num_seeds in ((1, 4), (1, 2)):
    fewer, _ = train(wrapper, devices, num_seeds=num_seeds, layout=TURNS)
    own = jax.tree.map(lambda x, n=num_seeds: x[:n], many)
    assert tiny.distance(own, fewer) == 0


@pytest.mark.parametrize('layout', [LOOP, TURNS])
@pytest.mark.parametrize('cuts', [(1, 3), (2, 1, 1)])
def test_where_a_run_is_cut_changes_no_bit(cuts, layout):
  whole = train('jit', 1, layout=layout)
  cut = train('jit', 1, cuts=cuts, layout=layout)
  assert tiny.distance(cut, whole) == 0


# Looking at the steps.

HEALTH = {
  f'health_{name}'
  for name in (
    'separation', 'real', 'fake', 'held_out', 'grad_real', 'grad_fake',
    'update_ratio', 'diversity', 'reach', 'nonfinite', 'probes',
  )
}  # fmt: skip


def only_health(total):
  return {k: v for k, v in total.items() if k.startswith('health_')}


WAYS = [
  ('jit', 1, LOOP), ('jit', 1, TURNS), ('jit', 1, SINGLE), ('jit', 8, APART),
  ('pmap', 8, LOOP), ('pmap', 2, TURNS), ('pmap', 8, APART),
  ('shard_map', 8, LOOP), ('shard_map', 2, TURNS), ('shard_map', 8, SINGLE),
]  # fmt: skip


@pytest.fixture(scope='module')
def looked():
  return train('jit', 1, num_seeds=2, every=2)[1]


@pytest.mark.parametrize('wrapper, devices, layout', WAYS)
def test_whoever_looks_sees_the_same(wrapper, devices, layout, looked):
  """Two of the four steps are looked at, by all devices together."""
  game = {'num_seeds': 2, 'layout': layout, 'every': 2}
  _, many = train(wrapper, devices, **game)
  assert set(only_health(many)) == HEALTH
  assert many['health_probes'].tolist() == [2, 2]
  assert tiny.distance(looked, many) < 1e-5
  assert len(np.unique(many['health_diversity'])) == 2


@pytest.mark.parametrize('wrapper, devices, layout', WAYS)
def test_looking_changes_no_bit(wrapper, devices, layout):
  game = {'num_seeds': 2, 'layout': layout, 'optimizer': optax.adam(0.01)}
  never, without = train(wrapper, devices, **game)
  assert not only_health(without)
  for every in (1, 3):
    state, total = train(wrapper, devices, every=every, **game)
    assert tiny.distance(state, never) == 0
    assert total['health_probes'].tolist() == [STEPS // every] * 2
    assert tiny.distance({k: total[k] for k in without}, without) == 0


@pytest.mark.parametrize('cuts', [(1, 3), (2, 2), (3, 1)])
def test_when_one_looks_does_not_depend_on_where_a_run_is_cut(cuts):
  whole, cut = (train('jit', 1, cuts=c, every=2) for c in ((STEPS,), cuts))
  assert tiny.distance(cut, whole) == 0


@pytest.mark.parametrize('layout', [LOOP, TURNS, SINGLE, APART])
def test_one_looks_only_when_it_is_due(layout):
  """All seeds together: were it their own choice, each step would be seen."""
  seen = []

  def make(axis):
    def look(before, after, batch, key, aside):
      jax.debug.callback(lambda step: seen.append(int(step)), before.step)
      return {'health_x': before.step * 1.0}

    return look

  init, make_step = tiny.game()
  roots, state = tiny.states(init, 2)
  program = parallel.make_program(
    tiny.work(make_step, probe=layout_lib.Probe(3, make, {}, ('health_x',))),
    keys=roots,
    batch_size=tiny.BATCH,
    wrapper='jit',
    layout=layout,
    devices=jax.devices()[:1],
  )
  kept, total = program.put(state), None
  for _ in range(7):
    total = total or program.put(program.zeros)
    kept, total = program.advance(kept, total, tiny.DATA, 1)
  jax.block_until_ready(total)
  jax.effects_barrier()
  # The third and the sixth step, each by two seeds.
  assert sorted(seen) == [2, 2, 5, 5]
  assert np.asarray(total['health_x']).tolist() == [7, 7]
  assert np.asarray(total['health_probes']).tolist() == [2, 2]


def test_streamed_batches_equal_the_resident_set(reference):
  init, make_step = tiny.game()
  roots, state = tiny.states(init, 1)
  for wrapper, devices in (('jit', 1), ('pmap', 2), ('shard_map', 8)):
    program = parallel.make_program(
      tiny.work(
        make_step,
        feed=lambda batch, key, at, index: batch,
        probe=tiny.look(2),
      ),
      keys=roots,
      batch_size=tiny.BATCH,
      wrapper=wrapper,
      layout=LOOP,
      streamed=True,
      devices=jax.devices()[:devices],
    )
    assert program.max_steps == 1
    kept, total = program.put(state), None
    for at in range(STEPS):
      rows = tiny.feed(tiny.DATA, None, at, np.arange(tiny.BATCH))
      fed = {'x': np.asarray(rows['x'])[None]}  # [S, n, B, 2]
      total = total or program.put(program.zeros)
      kept, total = program.advance(kept, total, fed, 1)
    assert tiny.distance(program.get(kept), reference[0]) < 1e-6
    _, looked = train('jit', 1, every=2)
    assert tiny.distance(total, looked) < 1e-5


def test_layout_is_chosen_by_backend_and_model():
  z = np.zeros((1, 2), np.float32)
  for net, convolves in (
    (tiny.Discriminator(), False),
    (tiny.ConvDiscriminator(), True),
  ):
    params = net.init(jax.random.key(0), z, train=False)
    apply = lambda p, x, net=net: net.apply(p, x, train=False)
    assert parallel.has_convolution(apply, params, z) is convolves
  choose = parallel.choose_layout
  assert choose(convolutions=True, backend='cpu') == APART
  assert choose(convolutions=False, backend='cpu') == TURNS
  assert choose(convolutions=True, backend='tpu') == LOOP


@pytest.mark.parametrize(
  'seeds, devices, wrapper, grid',
  [
    (1, 8, 'pmap', (1, 8)),
    (16, 8, 'pmap', (8, 1)),
    (4, 8, 'pmap', (1, 8)),
    (4, 8, 'shard_map', (4, 2)),
    (6, 8, 'jit', (2, 4)),
  ],
)
def test_seeds_are_split_first(seeds, devices, wrapper, grid):
  found = parallel.device_grid(seeds, devices, wrapper=wrapper, layout=LOOP)
  assert found == grid
  apart = parallel.device_grid(seeds, devices, wrapper=wrapper, layout=APART)
  assert apart == (1, devices)
  turns = parallel.device_grid(seeds, devices, wrapper=wrapper, layout=TURNS)
  assert turns == ((1, devices) if wrapper == 'jit' else grid)


def test_mistakes_are_named():
  with pytest.raises(UserError, match='batch_size=16.*3 devices'):
    train('jit', 3)
  with pytest.raises(UserError, match="parallel='xmap'.*pmap"):
    train('xmap', 1)
  assert parallel.default_wrapper(8) == 'pmap'
  assert parallel.default_wrapper(1) == 'jit'
