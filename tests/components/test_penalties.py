"""Every penalty against closed forms and finite differences in float64."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import keys
from tests.components.shipped import SHIPPED

NAMES = sorted(SHIPPED['penalties'])
MODULES = {n: importlib.import_module(f'gan_jax.penalties.{n}') for n in NAMES}
PROJECTIONS = ['weight_clip']
CASES = [
  ('dragan', {}),
  ('dragan', {'variant': 'paper', 'c': 0.3, 'target': 0.4}),
  ('gradient_penalty', {}),
  ('gradient_penalty', {'weight': 3.0, 'target': 0.2, 'one_sided': True}),
  ('r1', {}),
  ('r1', {'gamma': 0.7}),
  ('r2', {}),
  ('r2', {'gamma': 0.7}),
]
each_case = pytest.mark.parametrize(
  ('name', 'kwargs'),
  CASES,
  ids=['-'.join([name, *map(str, k.values())]) for name, k in CASES],
)
SHAPES = [(4, 2), (4, 3, 2), (4, 2, 2, 3)]
each_shape = pytest.mark.parametrize('shape', SHAPES)


def batches(shape):
  """Reals and fakes [B, ...], float64."""
  rng = np.random.default_rng(0)
  return rng.normal(size=shape), 1.0 + 2.0 * rng.normal(size=shape)


def parameters(shape, width=3):
  """Of a small network: {'w': [n, width], 'b': [width], 'v': [width]}."""
  n, rng = int(np.prod(shape[1:])), np.random.default_rng(1)
  return {
    'w': rng.normal(size=(n, width)),
    'b': rng.normal(size=width),
    'v': rng.normal(size=width),
  }


def critic_of(params):
  def critic(x):
    h = x.reshape(x.shape[0], -1) @ params['w'] + params['b'][None]
    return jnp.tanh(h) @ params['v']  # [B]

  return critic


def norms(params, x):
  """The critic's input gradient by hand: |W (v (1 - tanh^2))|, [B]."""
  h = np.tanh(x.reshape(len(x), -1) @ params['w'] + params['b'])
  return np.linalg.norm(((1 - h**2) * params['v']) @ params['w'].T, axis=1)


def apply(name, kwargs, critic, real, fake, key):
  """The penalty [B] with the memo's contract checked."""
  module = MODULES[name]
  memo = module.init()
  value, after = module.penalty(
    critic, jnp.array(real), jnp.array(fake), memo, key=key, **kwargs
  )
  assert jax.tree.structure(after) == jax.tree.structure(memo)
  assert value.shape == (len(real),)
  return value


def points(name, kwargs, real, fake, key):
  """Where the penalty takes the gradient, [B, n], found by asking it.

  The gradient of (x_j + 100)^2 / 2 is x_j + 100, so a penalty with target 0
  tells |x_j + 100|, coordinate by coordinate.
  """
  plain = {'gamma': 2.0, 'weight': 1.0, 'target': 0.0, 'one_sided': False}
  options = MODULES[name].penalty.__kwdefaults__
  kwargs = kwargs | {k: v for k, v in plain.items() if k in options}

  @jax.jit
  def coordinate(j):
    critic = lambda x: (x.reshape(len(x), -1)[:, j] + 100.0) ** 2 / 2
    return apply(name, kwargs, critic, real, fake, key)

  n = int(np.prod(real.shape[1:]))
  return np.stack([coordinate(j) for j in range(n)], axis=1) ** 0.5 - 100.0


def expected(name, kwargs, norm):
  """The formula, given the norms [B]."""
  if name in ('r1', 'r2'):
    return kwargs.get('gamma', 10.0) / 2 * norm**2
  excess = norm - kwargs.get('target', 1.0)
  if kwargs.get('one_sided'):
    excess = np.maximum(excess, 0.0)
  return kwargs.get('weight', 10.0) * excess**2


def test_every_file_is_covered_and_of_one_kind():
  assert NAMES == sorted({name for name, _ in CASES} | set(PROJECTIONS))
  for name, module in MODULES.items():
    if name in PROJECTIONS:
      assert not hasattr(module, 'penalty')
    else:
      assert not hasattr(module, 'project') and module.PER_EXAMPLE is True
      assert module.init() == ()


@each_case
@each_shape
def test_value_is_the_formula_at_the_penalty_s_points(name, kwargs, shape):
  real, fake = batches(shape)
  params, key = parameters(shape), jax.random.key(3)
  with jax.enable_x64(True):
    value = apply(name, kwargs, critic_of(params), real, fake, key)
    x = points(name, kwargs, real, fake, key)
  np.testing.assert_allclose(
    value, expected(name, kwargs, norms(params, x)), rtol=1e-7
  )


@each_shape
def test_points_of_r1_r2_and_gradient_penalty(shape):
  real, fake = batches(shape)
  flat_real, flat_fake = real.reshape(4, -1), fake.reshape(4, -1)
  with jax.enable_x64(True):
    at = {
      name: points(name, {}, real, fake, jax.random.key(3))
      for name in ('r1', 'r2', 'gradient_penalty')
    }
  np.testing.assert_allclose(at['r1'], flat_real, atol=1e-10)
  np.testing.assert_allclose(at['r2'], flat_fake, atol=1e-10)
  # One alpha for all numbers of a sample, another for the next sample.
  alpha = (at['gradient_penalty'] - flat_real) / (flat_fake - flat_real)
  np.testing.assert_allclose(alpha, alpha[:, :1] + 0 * alpha, atol=1e-8)
  assert len(np.unique(alpha[:, 0].round(6))) == 4
  assert (alpha >= 0).all() and (alpha < 1).all()


def test_frozen_figures_of_a_linear_critic():
  """s(x) = 3 x_1 + 4 x_2 has a gradient of norm 5 everywhere."""
  critic = lambda x: x @ jnp.array([3.0, 4.0])
  flat = lambda x: critic(x) / 10  # norm 0.5
  real, fake, key = jnp.zeros((3, 2)), jnp.ones((3, 2)), jax.random.key(0)
  for name, f, kwargs, figure in [
    ('r1', critic, {}, 125.0),
    ('r2', critic, {'gamma': 2.0}, 25.0),
    ('gradient_penalty', critic, {}, 160.0),
    ('gradient_penalty', critic, {'target': 0.0, 'weight': 1.0}, 25.0),
    ('gradient_penalty', flat, {}, 2.5),
    ('gradient_penalty', flat, {'one_sided': True}, 0.0),
    ('dragan', critic, {}, 160.0),
    ('dragan', flat, {'variant': 'paper'}, 2.5),
  ]:
    value = apply(name, kwargs, f, real, fake, key)
    np.testing.assert_allclose(value, [figure] * 3, rtol=1e-5)


@each_case
def test_gradient_in_the_critic_s_parameters(name, kwargs):
  """Second order: along random directions, against central differences."""
  shape = (4, 2, 2, 3)
  real, fake = batches(shape)
  rng, key, h = np.random.default_rng(5), jax.random.key(3), 1e-5

  def mean(params):
    return apply(name, kwargs, critic_of(params), real, fake, key).mean()

  with jax.enable_x64(True):
    value, params = jax.jit(mean), jax.tree.map(jnp.array, parameters(shape))
    gradient = jax.jit(jax.grad(mean))(params)
    for _ in range(3):
      step = jax.tree.map(lambda p: rng.normal(size=p.shape), params)
      ahead = value(jax.tree.map(lambda p, d: p + h * d, params, step))
      behind = value(jax.tree.map(lambda p, d: p - h * d, params, step))
      slope = sum(np.vdot(gradient[k], step[k]) for k in params)
      np.testing.assert_allclose(slope, (ahead - behind) / (2 * h), 1e-6, 1e-6)


@each_case
def test_a_flat_critic_gives_no_nan(name, kwargs):
  """Dead units: the input gradient is zero, where a plain root breaks."""
  real, fake = (np.float32(x) for x in batches((4, 3)))
  params = {'w': jnp.ones((3, 2)), 'v': jnp.ones(2)}

  def mean(params):
    critic = lambda x: jax.nn.relu(x @ params['w'] - 1e3) @ params['v']
    value = apply(name, kwargs, critic, real, fake, jax.random.key(0))
    return value.mean()

  value, gradient = jax.value_and_grad(mean)(params)
  np.testing.assert_allclose(value, expected(name, kwargs, 0.0), rtol=1e-4)
  for leaf in jax.tree.leaves(gradient):
    np.testing.assert_array_equal(leaf, np.zeros(leaf.shape))


@each_case
def test_an_example_s_penalty_depends_on_it_and_its_key_only(name, kwargs):
  """One key is the same as one per example, and any split of the batch."""
  shape = (4, 2, 2, 3)
  real, fake = (jnp.float32(x) for x in batches(shape))
  if name == 'dragan' and 'variant' not in kwargs:
    real = jnp.broadcast_to(
      jnp.array([-1.0, 1.0, 0.5])[None, None, None], shape
    )
  critic = critic_of(jax.tree.map(jnp.float32, parameters(shape)))
  key = jax.random.key(7)
  each = keys.example_keys(key, 4)
  whole = apply(name, kwargs, critic, real, fake, key)
  np.testing.assert_array_equal(
    apply(name, kwargs, critic, real, fake, each), whole
  )
  halves = [
    apply(name, kwargs, critic, real[s], fake[s], each[s])
    for s in (slice(0, 2), slice(2, 4))
  ]
  np.testing.assert_allclose(jnp.concatenate(halves), whole, 1e-5, 1e-6)


@each_case
def test_no_gradient_reaches_the_fakes(name, kwargs):
  real, fake = (jnp.float32(x) for x in batches((4, 3)))
  critic = critic_of(jax.tree.map(jnp.float32, parameters((4, 3))))
  total = lambda fake: apply(
    name, kwargs, critic, real, fake, jax.random.key(0)
  ).sum()
  np.testing.assert_array_equal(jax.grad(total)(fake), np.zeros((4, 3)))


def test_memo_passes_through():
  real, memo = jnp.ones((2, 2)), object()
  for name, _ in CASES:
    _, after = MODULES[name].penalty(
      lambda x: x.sum(axis=1), real, real, memo, key=jax.random.key(0)
    )
    assert after is memo


def test_weight_clip_projects_every_leaf():
  params = {
    'a': {'kernel': jnp.array([[-3.0, 0.005], [0.01, 2.0]])},
    'b': jnp.array([0.5], jnp.bfloat16),
  }
  project = MODULES['weight_clip'].project
  clipped = project(params)
  np.testing.assert_allclose(
    clipped['a']['kernel'], [[-0.01, 0.005], [0.01, 0.01]]
  )
  assert clipped['b'].dtype == jnp.bfloat16
  wide = project(params, limit=1.0)
  np.testing.assert_allclose(wide['a']['kernel'], [[-1.0, 0.005], [0.01, 1.0]])
