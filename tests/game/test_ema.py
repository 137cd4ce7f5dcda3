"""The moving average of G: half-life in images, warm-up, what is averaged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import ema
from gan_jax.types import UserError


def weight_of_the_first(decay, steps):
  """Weight that the start has in the average after some steps."""
  average = {'params': jnp.ones(()), 'vars': {}}
  for step in range(1, steps + 1):
    average = ema.update(average, jnp.zeros(()), {}, decay(step))
  return float(average['params'])


@pytest.mark.parametrize('batch_size', [1, 50, 500, 1000])
def test_half_is_left_after_the_half_life(batch_size):
  decay = ema.make_decay(halflife_kimg=1.0, rampup=0.0, batch_size=batch_size)
  steps = 1000 // batch_size
  if steps > 50:  # one by one it would take long
    assert float(decay(1)) ** steps == pytest.approx(0.5, rel=1e-3)
    return
  assert weight_of_the_first(decay, steps) == pytest.approx(0.5, rel=1e-4)
  assert weight_of_the_first(decay, 2 * steps) == pytest.approx(0.25, rel=1e-4)


@pytest.mark.parametrize('rampup', [0.05, 0.5])
def test_warm_up(rampup):
  batch_size, halflife = 50, 1000
  decay = ema.make_decay(
    halflife_kimg=halflife / 1000, rampup=rampup, batch_size=batch_size
  )
  for step in (1, 2, 10, 39, 40, 400, 401, 10_000):
    least = min(halflife, rampup * batch_size * step)
    want = 0.5 ** (batch_size / least)
    assert float(decay(jnp.int32(step))) == pytest.approx(want, rel=1e-5)
  # A product of 0.5 ** (1 / (rampup * step)): the start is soon forgotten.
  want = 0.5 ** (sum(1 / step for step in range(1, 11)) / rampup)
  assert weight_of_the_first(decay, 10) == pytest.approx(want, rel=1e-3)


@pytest.mark.parametrize('batch_size', [1, 64])
def test_without_averaging_the_average_is_g(batch_size):
  decay = ema.make_decay(halflife_kimg=0.0, batch_size=batch_size)
  for step in (1, 1000):
    assert float(decay(jnp.int32(step))) == 0
  new = {'w': jnp.array([1 / 3])}
  average = {'params': {'w': jnp.array([1e6])}, 'vars': {}}
  found = ema.update(average, new, {}, decay(1))['params']
  assert (found['w'] == new['w']).all()


def test_statistics_are_averaged_and_spectral_vectors_copied():
  def tree(value):
    return {'w': jnp.full(2, value), 'v': {'b': jnp.full((1, 2), value)}}

  average = {
    'params': tree(1.0),
    'vars': {'batch_stats': tree(2.0), 'spectral': tree(3.0)},
  }
  variables = {'batch_stats': tree(20.0), 'spectral': tree(30.0)}
  found = ema.update(average, tree(10.0), variables, 0.75)
  assert jax.tree.structure(found) == jax.tree.structure(average)
  for leaf in jax.tree.leaves(found['params']):
    np.testing.assert_allclose(leaf, 0.75 * 1 + 0.25 * 10, rtol=1e-6)
  for leaf in jax.tree.leaves(found['vars']['batch_stats']):
    np.testing.assert_allclose(leaf, 0.75 * 2 + 0.25 * 20, rtol=1e-6)
  for leaf in jax.tree.leaves(found['vars']['spectral']):
    assert (leaf == 30).all()


def test_an_average_of_the_same_stays_the_same():
  same = {'w': jnp.array([0.1, 1e-20, 3e20])}
  average = {'params': same, 'vars': {}}
  for decay in (0.0, 0.3, 0.999):
    found = ema.update(average, same, {}, decay)['params']
    assert (found['w'] == same['w']).all()


@pytest.mark.parametrize('kwargs', [{'halflife_kimg': -1.0}, {'rampup': -0.1}])
def test_mistakes_are_named(kwargs):
  with pytest.raises(UserError, match=f'{next(iter(kwargs))}=-'):
    ema.make_decay(**kwargs, batch_size=64)
