"""Latent priors: moments, ranges, norms."""

import jax
import numpy as np
import pytest

from gan_jax.game import latents
from gan_jax.types import UserError

DIM, NUM = 8, 20_000


def draw(name, *, dim=DIM, num=NUM):
  prior = latents.make_prior(name, dim=dim)
  z = jax.jit(jax.vmap(prior))(jax.random.split(jax.random.key(0), num))
  assert z.dtype == np.float32
  return np.asarray(z, np.float64)  # [num, dim]


@pytest.mark.parametrize(
  'name, variance', [('normal', 1), ('uniform', 1 / 3), ('sphere', 1)]
)
def test_coordinates_are_centred_and_uncorrelated(name, variance):
  z = draw(name)
  assert z.shape == (NUM, DIM)
  np.testing.assert_allclose(z.mean(0), 0, atol=5 / np.sqrt(NUM))
  np.testing.assert_allclose(np.cov(z.T), variance * np.eye(DIM), atol=0.05)


def test_their_own_marks():
  z = draw('normal')
  assert (z**4).mean() == pytest.approx(3, abs=0.15)
  z = draw('uniform')
  assert z.min() >= -1 and z.max() <= 1 and np.abs(z).max() > 0.99
  assert (z**4).mean() == pytest.approx(1 / 5, abs=0.01)
  z = draw('sphere')
  np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.sqrt(DIM), rtol=1e-5)
  # A coordinate of the sphere in R^n has the fourth moment 3 n / (n + 2).
  assert (z**4).mean() == pytest.approx(3 * DIM / (DIM + 2), abs=0.1)


def test_a_draw_is_a_function_of_its_key():
  prior = latents.make_prior('normal', dim=3)
  a, b = jax.random.split(jax.random.key(1))
  assert (prior(a) == prior(a)).all() and (prior(a) != prior(b)).all()


@pytest.mark.parametrize(
  'kwargs, words',
  [
    ({'name': 'foo'}, "latent.name='foo'.*normal, uniform, sphere"),
    ({'dim': 0}, 'latent.dim=0'),
  ],
)
def test_mistakes_are_named(kwargs, words):
  with pytest.raises(UserError, match=words):
    latents.make_prior(**kwargs)
