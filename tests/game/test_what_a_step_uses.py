"""Which numbers a step uses where older, other or too few are at hand.

Each test fails if the step takes a neighbour of the right number: variables of
before the pass, the count of before the step, another term's random numbers.
"""

import zlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import ema, keys
from tests import tiny

INDEX = np.arange(tiny.BATCH)
REAL = np.random.default_rng(1).normal(size=(tiny.BATCH, 2)).astype(np.float32)
BATCH = {'x': jnp.asarray(REAL)[None], 'index': INDEX, 'step': 0}
ROOT = jax.random.key(5)


class Doubling(nn.Module):
  """D(x) = u (x_1 + x_2); each pass in training mode doubles u first."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    self.param('unused', nn.initializers.zeros, (1,))
    u = self.variable('spectral', 'u', jnp.ones, (1,))
    if train and not self.is_initializing():
      u.value = 2 * u.value
    return u.value * x.sum(axis=1)


class Bowl(nn.Module):
  """D(x) = |x|^2 / 2, whose gradient is x."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    self.param('unused', nn.initializers.zeros, (1,))
    return jnp.square(x).sum(axis=1) / 2


def take_step(state_of=lambda state: state, **options):
  """(state before, state after, metrics) of one step."""
  init, make_step = tiny.game(**options)
  state = state_of(init(ROOT))
  after, metrics = jax.jit(make_step(None))(state, BATCH, ROOT)
  return state, after, metrics


def test_penalties_see_the_variables_that_ds_pass_has_left():
  """R1 = gamma / 2 |grad D|^2; after reals and fakes u is 4, |grad|^2 32."""
  _, after, metrics = take_step(d=Doubling, penalties={'r1': {'gamma': 0.5}})
  assert float(after.players['d'].vars['spectral']['u'][0]) == 4
  assert float(metrics['penalty_r1']) == pytest.approx(0.25 * 2 * 4**2)
  # G's move shows D two batches more, and leaves D as it was.
  assert float(metrics['d_real']) == pytest.approx(
    2 * REAL.sum(axis=1).mean(), rel=1e-5
  )


def test_the_average_follows_by_the_decay_of_the_step_just_taken():
  """Early, where one step more or less is a factor of the half-life."""

  def far(state):
    far_average = jax.tree.map(lambda x: x + 3.0, state.ema)
    return state._replace(step=jnp.int32(3), ema=far_average)

  before, after, _ = take_step(far)
  make = ema.make_decay(halflife_kimg=1.0, batch_size=tiny.BATCH)
  late, right = float(make(3)), float(make(4))
  assert right == pytest.approx(0.5**5) and right - late > 0.02
  want = jax.tree.map(
    lambda old, new: right * old + (1 - right) * new,
    before.ema['g']['params'],
    after.players['g'].params,
  )
  assert tiny.distance(after.ema['g']['params'], want) < 1e-5


def own_keys(name):
  """Keys of a penalty in D's first move, one for each example."""
  key = ROOT
  for i in (keys.STEP, 0, keys.D_MOVE, 0, zlib.crc32(name.encode()) % 2**31):
    key = jax.random.fold_in(key, i)
  return [jax.random.fold_in(key, i) for i in INDEX]


def test_each_penalty_draws_from_a_stream_by_its_name():
  """DRAGAN's points by hand: x + sqrt(c) n, where D's gradient is the point."""
  options = {'variant': 'paper', 'c': 0.49, 'weight': 1.0, 'target': 0.0}
  with_others = {'gradient_penalty': {}, 'dragan': options, 'r1': {}}
  _, _, metrics = take_step(d=Bowl, penalties=with_others)
  noise = [jax.random.normal(key, (2,)) for key in own_keys('dragan')]
  points = REAL + 0.7 * np.stack(noise)
  expected = np.square(points).sum(axis=1).mean()
  assert float(metrics['penalty_dragan']) == pytest.approx(expected, rel=1e-4)
  # Whoever else draws, and in whatever order.
  _, _, alone = take_step(d=Bowl, penalties={'dragan': options})
  assert float(alone['penalty_dragan']) == pytest.approx(expected, rel=1e-4)


def test_the_gradient_penalty_s_points_are_of_its_own_stream():
  """With D(x) = |x|^2 / 2, the gradient is the point between real and fake."""
  options = {'weight': 1.0, 'target': 0.0}
  both = {'dragan': {}, 'gradient_penalty': options}
  before, _, metrics = take_step(d=Bowl, penalties=both)
  fake = np.asarray(fakes(before))
  alpha = np.array(
    [jax.random.uniform(key) for key in own_keys('gradient_penalty')]
  )[:, None]
  points = REAL + alpha * (fake - REAL)
  expected = np.square(points).sum(axis=1).mean()
  found = float(metrics['penalty_gradient_penalty'])
  assert found == pytest.approx(expected, rel=1e-4)


def fakes(state):
  """What G shows D in D's first move."""
  key = ROOT
  for i in (keys.STEP, 0, keys.D_MOVE, 0):
    key = jax.random.fold_in(key, i)
  z = jnp.stack(
    [jax.random.normal(jax.random.fold_in(key, i), (tiny.DIM,)) for i in INDEX]
  )
  tree = {'params': state.players['g'].params, **state.players['g'].vars}
  made, _ = tiny.Generator().apply(tree, z, train=True, mutable=['batch_stats'])
  return made
