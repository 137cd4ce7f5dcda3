"""Optimizers by name: their first updates and schedules by formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game.optim import make_optimizer
from gan_jax.types import UserError

G = np.array([3.0, -4.0, 0.5])  # the gradient


def updates(count=1, *, gradient=G, **kwargs):
  """What is added to the parameters [count, 3]."""
  tx = make_optimizer(**{'learning_rate': 0.1} | kwargs)
  params = {'w': jnp.zeros(3)}
  state, made = tx.init(params), []
  for _ in range(count):
    step, state = tx.update({'w': jnp.asarray(gradient)}, state, params)
    made.append(np.asarray(step['w']))
  return np.stack(made)


@pytest.mark.parametrize(
  'name, kwargs, want',
  [
    ('sgd', {}, -0.1 * G),
    ('sgd', {'momentum': 0.9}, -0.1 * G),
    ('adam', {}, -0.1 * np.sign(G)),
    ('adam', {'b1': 0.0, 'eps': 1.0}, -0.1 * G / (np.abs(G) + 1)),
    ('rmsprop', {'decay': 0.9}, -0.1 * np.sign(G) / np.sqrt(0.1)),
    ('lion', {'b1': 0.9}, -0.1 * np.sign(G)),
    ('adamw', {'weight_decay': 0.0}, -0.1 * np.sign(G)),
  ],
)
def test_first_update(name, kwargs, want):
  np.testing.assert_allclose(updates(name=name, **kwargs)[0], want, rtol=1e-4)


def test_adam_by_hand():
  b1, b2, m, v, want = 0.5, 0.9, 0.0, 0.0, []
  rng = np.random.default_rng(0)
  gradients = rng.normal(size=(4, 3))
  for t, g in enumerate(gradients, 1):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    want.append(-0.1 * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + 1e-8))
  tx = make_optimizer('adam', learning_rate=0.1, b1=b1, b2=b2)
  state = tx.init(jnp.zeros(3))
  for g, w in zip(gradients, want, strict=True):
    step, state = tx.update(jnp.asarray(g, jnp.float32), state)
    np.testing.assert_allclose(step, w, rtol=1e-4)


SCHEDULES = [
  ({}, lambda t: 1.0),
  (
    {'name': 'cosine_decay_schedule', 'decay_steps': 8},
    lambda t: 0.5 * (1 + np.cos(np.pi * min(t, 8) / 8)),
  ),
  (
    {'name': 'exponential_decay', 'transition_steps': 2, 'decay_rate': 0.5},
    lambda t: 0.5 ** (t / 2),
  ),
  (
    {'name': 'linear_schedule', 'end_value': 0.0, 'transition_steps': 5},
    lambda t: max(0.0, 1 - t / 5),
  ),
  (
    {'name': 'linear_schedule', 'init_value': 0.0, 'end_value': 0.1}
    | {'transition_steps': 5},
    lambda t: min(1.0, t / 5),
  ),
  (
    # The learning rate is the peak, not the start.
    {'name': 'warmup_cosine_decay_schedule', 'init_value': 0.0}
    | {'warmup_steps': 4, 'decay_steps': 8},
    lambda t: (
      t / 4 if t < 4 else 0.5 * (1 + np.cos(np.pi * (min(t, 8) - 4) / 4))
    ),
  ),
  ({'name': 'constant_schedule'}, lambda t: 1.0),
]


@pytest.mark.parametrize('schedule, factor', SCHEDULES)
def test_schedule(schedule, factor):
  made = updates(10, name='sgd', schedule=schedule)
  want = np.stack([-0.1 * factor(t) * G for t in range(10)])
  np.testing.assert_allclose(made, want, rtol=1e-4, atol=1e-7)


def test_clipping_is_by_the_global_norm_and_before_the_optimizer():
  norm = np.linalg.norm(G)
  made = updates(name='sgd', clip_norm=1.0)[0]
  np.testing.assert_allclose(made, -0.1 * G / norm, rtol=1e-5)
  made = updates(name='sgd', clip_norm=100.0)[0]
  np.testing.assert_allclose(made, -0.1 * G, rtol=1e-6)
  # Over all leaves together.
  tx = make_optimizer('sgd', learning_rate=1.0, clip_norm=1.0)
  tree = {'a': jnp.array([3.0]), 'b': jnp.array([4.0])}
  step, _ = tx.update(tree, tx.init(tree))
  np.testing.assert_allclose([step['a'][0], step['b'][0]], [-0.6, -0.8], 1e-6)
  # Adam forgets a gradient's scale unless eps matters: so it was clipped first.
  made = updates(name='adam', b1=0.0, eps=1.0, clip_norm=1.0)[0]
  clipped = G / norm
  np.testing.assert_allclose(made, -0.1 * clipped / (np.abs(clipped) + 1), 1e-4)


@pytest.mark.parametrize(
  'kwargs, words',
  [
    ({'name': 'foo'}, "optim.d.name='foo'"),
    ({'name': '__doc__'}, 'optim.d.name'),
    ({'name': 'global_norm'}, 'optim.d'),
    ({'name': 'adam', 'momentun': 0.9}, 'momentun.*adam takes.*b1'),
    ({'name': 'adam', 'eps': 'abc'}, 'optim.d'),
    ({'name': 'adam', 'clip_norm': -1.0}, 'optim.d.clip_norm=-1'),
    ({'name': 'sgd', 'schedule': {'name': 'foo'}}, "schedule.name='foo'"),
    (
      {'name': 'sgd', 'schedule': {'name': 'cosine_decay_schedule'}},
      'optim.d.schedule.*decay_steps',
    ),
  ],
)
def test_mistakes_are_named(kwargs, words):
  with pytest.raises(UserError, match=words):
    make_optimizer(learning_rate=0.1, flag='optim.d', **kwargs)


def test_it_can_be_compiled():
  tx = make_optimizer(
    'adam', learning_rate=0.1, clip_norm=1.0, schedule=SCHEDULES[1][0]
  )
  step, _ = jax.jit(tx.update)(
    {'w': jnp.asarray(G)}, tx.init({'w': jnp.zeros(3)})
  )
  assert np.isfinite(step['w']).all()


JOINED = {
  'name': 'join_schedules',
  'schedules': [
    {'name': 'linear_schedule', 'init_value': 0.0, 'transition_steps': 2}
    | {'end_value': 0.1},
    {'name': 'constant_schedule'},
  ],
  'boundaries': (2,),
}


@pytest.mark.parametrize(
  'schedule, factors',
  [
    (
      {'name': 'piecewise_constant_schedule'}
      | {'boundaries_and_scales': {'2': 0.5, '10': 0.1, '3': 0.5}},
      (1, 1, 0.5, 0.25, 0.25),
    ),
    (
      {'name': 'piecewise_interpolate_schedule', 'interpolate_type': 'linear'}
      | {'boundaries_and_scales': {'2': 0.5, '4': 0.5}},
      (1, 0.75, 0.5, 0.375, 0.25),
    ),
    (JOINED, (0, 0.5, 1, 1, 1)),
    (
      {'name': 'sgdr_schedule'}
      | {
        'cosine_kwargs': [
          {'init_value': 0.0, 'warmup_steps': 1, 'decay_steps': 2}
        ]
        * 2
      },
      (0, 1, 0, 1, 0),
    ),
    ({'name': 'optax.constant_schedule'}, (1, 1, 1, 1, 1)),
  ],
)
def test_schedules_of_parts(schedule, factors):
  made = updates(5, name='sgd', schedule=schedule)
  want = -0.1 * np.multiply.outer(factors, G)
  np.testing.assert_allclose(made, want, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('name', ['optax.adam', 'optax._src.alias.adam'])
def test_a_dotted_name_is_a_function_s(name):
  np.testing.assert_array_equal(
    updates(name=name, b1=0.5), updates(name='adam', b1=0.5)
  )


@pytest.mark.parametrize(
  'name', ['muon', 'optax.contrib.muon', 'prodigy', 'schedule_free_sgd']
)
def test_those_of_contrib(name):
  made = updates(2, name=name)
  assert np.isfinite(made).all() and np.abs(made).max() > 0


@pytest.mark.parametrize(
  'name, words',
  [
    ('optax.nothing', 'optax has no function nothing'),
    ('nowhere.adam', 'there is no such module'),
    ('json.decoder', 'the module has no make'),
    ('muom', 'neither optax nor optax.contrib'),
  ],
)
def test_a_function_that_is_not_there_is_named(name, words):
  with pytest.raises(UserError, match=words):
    make_optimizer(name, learning_rate=0.1)


def test_options_of_contrib_are_checked():
  with pytest.raises(UserError, match='b1.*muon takes.*ns_steps'):
    make_optimizer('muon', learning_rate=0.1, b1=0.5)
