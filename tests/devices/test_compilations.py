"""What is compiled, and how often: each program once, and no number anew."""

import contextlib

import jax
import numpy as np
import pytest

from gan_jax.devices import layout, parallel
from gan_jax.game import forward, keys
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.types import State
from tests import tiny

EVENT = '/jax/core/compile/backend_compile_duration'
TURNS = parallel.Layout(loop=True, seeds='map')
ALL = parallel.Layout(loop=True, seeds='vmap')


@contextlib.contextmanager
def compilations():
  """Yields a list that grows by the name of each program compiled."""
  names = []

  def note(event, duration, **about):
    del duration
    if event == EVENT:
      names.append(about.get('fun_name', ''))

  jax.monitoring.register_event_duration_secs_listener(note)
  try:
    yield names
  finally:
    jax.monitoring.unregister_event_duration_listener(note)


def steps_in(names):
  """How many of the programs are steps; pmap calls them by its own name."""
  return sum('advance' in name or '_fun' in name for name in names)


def little_work():
  """Little to compile: of what a program does, the number does not depend."""

  def make_step(axis, unroll):
    del unroll
    mean, _ = forward.make_means(axis)

    def step(state, batch, key, numbers):
      del key, numbers
      w = state.memo['w'] - mean(batch['x'].mean())
      return state._replace(step=state.step + 1, memo={'w': w}), {'d_loss': w}

    return step

  def make_look(axis):
    del axis
    return lambda before, *rest: {'health_x': before.memo['w']}

  eyes = layout.Probe(2, make_look, {}, ('health_x',))
  return layout.Work(make_step, tiny.feed, ('d_loss',), probe=eyes)


@pytest.mark.parametrize('wrapper', parallel.WRAPPERS)
@pytest.mark.parametrize(
  'num_seeds, arranged', [(1, TURNS), (2, TURNS), (2, ALL)]
)
def test_each_program_is_compiled_once(wrapper, num_seeds, arranged):
  """At the first call; not again after a report, nor after a resume."""
  numbers = {'w': np.zeros(num_seeds, np.float32)}
  state = State(np.zeros(num_seeds, np.int32), {}, {}, numbers)
  program = parallel.make_program(
    little_work(),
    keys=keys.seed_keys(0, num_seeds),
    batch_size=tiny.BATCH,
    wrapper=wrapper,
    layout=arranged,
    devices=jax.devices()[:2],
  )
  data, fresh = program.place(tiny.DATA), lambda: program.put(program.zeros)
  with compilations() as names:
    kept, total = program.advance(program.put(state), fresh(), data, 2)
    assert steps_in(names) == 1
    kept, total = program.advance(kept, total, data, 1)
    report = jax.tree.map(np.array, (program.get(kept), program.get(total)))
    kept, total = program.advance(kept, fresh(), data, 1)
    kept, total = program.advance(program.put(report[0]), fresh(), data, 3)
    jax.block_until_ready(total)
  assert steps_in(names) == 1


def config(**numbers):
  found = command.load_config('configs/ring8.py:tiny')
  found |= {'penalties': {'r1': {'gamma': numbers.get('gamma', 0.02)}}}
  found['optim']['g']['learning_rate'] = numbers.get('rate', 0.001)
  found['ema'] = {'halflife_kimg': numbers.get('halflife', 0.5)}
  found['loss'] = {'name': 'cross_entropy', **numbers.get('loss', {})}
  return found


def train(config, *, names=None):
  """The state after three steps; the names grow by what is compiled."""
  setup = setup_lib.build(config)
  program = setup_lib.make_program(setup, devices=jax.devices()[:1])
  data = setup_lib.make_data(setup, program, step=0)
  state, total = program.put(setup.init()), program.put(program.zeros)
  state, total = program.advance(state, total, data(0), 3)
  return jax.tree.map(np.array, (program.get(state), program.get(total)))


def test_another_number_compiles_nothing():
  """A learning rate, a gamma, a half-life, a default that is now given."""
  changes = [
    {'rate': 0.004},
    {'gamma': 0.5},
    {'halflife': 2.0},
    {'loss': {'smoothing': 0.1}},
    {'rate': 0.003, 'gamma': 1, 'halflife': 1.0},  # a whole number is a float
  ]
  ends = [train(config())]
  with compilations() as names:
    for change in changes:
      ends.append(train(config(**change)))
  assert not names
  for one, other in zip(ends, ends[1:], strict=False):
    assert tiny.distance(one, other) > 1e-6
  # What is shared is not mixed up: alone it ends with the same bits.
  jax.clear_caches()
  assert tiny.distance(train(config(**changes[1])), ends[2]) == 0


def test_another_structure_compiles():
  """Or the count above would count nothing."""
  train(config())
  with compilations() as names:
    train(config() | {'loss': {'name': 'wasserstein'}})
  assert steps_in(names) == 1


def test_a_rate_that_optax_looks_at_is_a_part_of_the_program():
  """exponential_decay compares its rate with 0 in Python."""
  schedule = {'name': 'exponential_decay', 'transition_steps': 2}
  ends = []
  for decay in (0.5, 0.25):
    found = config() | {'penalties': {}, 'health_every': 0}
    found['optim']['g']['schedule'] = schedule | {'decay_rate': decay}
    setup = setup_lib.build(found)
    assert 'g' not in setup.numbers['optim'] and 'd' in setup.numbers['optim']
    ends.append(train(found)[0])
  assert tiny.distance(*[end.players['g'].params for end in ends]) > 1e-6
