"""DRAGAN: the noise of its two variants, and whose deviation it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import keys
from gan_jax.types import UserError
from tests.components.test_penalties import apply, points


def test_noise_of_dragan_code():
  """alpha u std / 2, u of each number and alpha of each sample in [0, 1)."""
  real = np.random.default_rng(2).normal(size=(4000, 2)) * [1.0, 5.0] + 3.0
  with jax.enable_x64(True):
    x = points('dragan', {}, real, real, jax.random.key(0))
  share = (x - real) / (0.5 * real.std())
  assert share.min() > -1e-9 and share.max() < 1
  np.testing.assert_allclose(share.mean(axis=0), 1 / 4, atol=0.015)
  np.testing.assert_allclose((share**2).mean(axis=0), 1 / 9, atol=0.012)
  # 1/12 with one alpha per sample, 1/16 with one per number.
  np.testing.assert_allclose(share.prod(axis=1).mean(), 1 / 12, atol=0.008)


def test_noise_of_dragan_paper():
  real = np.random.default_rng(2).normal(size=(4000, 2))
  with jax.enable_x64(True):
    kwargs = {'variant': 'paper'}
    noise = points('dragan', kwargs, real, real, jax.random.key(0)) - real
  np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=0.2)
  np.testing.assert_allclose(np.cov(noise.T), 10 * np.eye(2), atol=0.8)


def test_dragan_std_can_be_that_of_the_global_batch():
  real = jnp.float32(np.random.default_rng(2).normal(size=(6, 2))) * 4
  real = real.at[3:].add(50.0)  # so that halves have another std
  critic = lambda x: jnp.square(x).sum(axis=1)
  key = keys.example_keys(jax.random.key(0), 6)
  whole = apply('dragan', {}, critic, real, real, key)
  halves = jax.vmap(
    lambda x, key: apply('dragan', {'axis_name': 'd'}, critic, x, x, key),
    axis_name='d',
  )(real.reshape(2, 3, 2), key.reshape(2, 3))
  np.testing.assert_allclose(halves.reshape(6), whole, rtol=1e-5)


def test_dragan_lists_its_variants():
  x, key = jnp.ones((2, 2)), jax.random.key(0)
  with pytest.raises(UserError, match="'nosuch'; it has: code, paper"):
    apply('dragan', {'variant': 'nosuch'}, lambda x: x[:, 0], x, x, key)
