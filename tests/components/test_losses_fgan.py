"""What only the f-GAN has: its table, its exponential, its names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from gan_jax.losses import fgan, minimax, nonsaturating
from gan_jax.types import UserError
from tests.loss_references import F_TABLE


@pytest.mark.parametrize('divergence', F_TABLE)
@pytest.mark.parametrize('v', [-1.5, -0.4, 0.0, 0.7, 1.5])
def test_the_table_of_fgan_is_of_convex_conjugates(divergence, v):
  """f*(t) is the supremum over u > 0 of u t - f(u)."""
  f, g, conjugate = F_TABLE[divergence]
  t = g(v)
  found = scipy.optimize.minimize_scalar(
    lambda log_u: f(np.exp(log_u)) - np.exp(log_u) * t,
    bounds=(-15.0, 15.0),
    method='bounded',
    options={'xatol': 1e-9},
  )
  np.testing.assert_allclose(conjugate(t), -found.fun, rtol=1e-6, atol=1e-8)
  assert f(1.0) == pytest.approx(-2 * np.log(2) if divergence == 'gan' else 0.0)


def test_fgan_contains_the_original_gan():
  real, fake = jnp.array([2.0, -1.0, 0.5]), jnp.array([-1.5, 0.3, 4.0])
  for generator, other in [
    ('minimax', minimax),
    ('alternative', nonsaturating),
  ]:
    kwargs = {'divergence': 'gan', 'generator': generator}
    for player in ('d_loss', 'g_loss'):
      ours = getattr(fgan, player)(real, fake, **kwargs)
      theirs = getattr(other, player)(real, fake)
      np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_fgan_exponential_is_exact_then_its_tangent():
  exp = lambda x: fgan.d_loss(0 * x, x + 1, divergence='kl')
  x = np.array([-80.0, -5.0, 0.0, 12.0, 29.5, 30.0], np.float32)
  np.testing.assert_allclose(exp(x), np.exp(np.float64(x)), rtol=3e-6)
  slope = np.exp(30.0)
  beyond = jnp.array([31.0, 80.0, 1e4])
  expected = slope * (np.array([31.0, 80.0, 1e4]) - 29.0)
  np.testing.assert_allclose(exp(beyond), expected, rtol=1e-5)
  points = jnp.array([29.0, 30.0, 31.0, 1e4])
  np.testing.assert_allclose(
    jax.vmap(jax.grad(exp))(points),
    [np.exp(29.0), slope, slope, slope],
    rtol=1e-5,
  )


@pytest.mark.parametrize('divergence', F_TABLE)
@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
def test_fgan_points_the_right_way_at_extreme_logits(divergence, dtype):
  """Never against the true gradient, and steep where that is."""
  kwargs = {'divergence': divergence, 'generator': 'minimax'}
  logits = jnp.array([1e4, -1e4], dtype)
  slopes = lambda loss: jax.grad(
    lambda real, fake: loss(real, fake, **kwargs).sum(), argnums=(0, 1)
  )(logits, logits)
  d_real, d_fake = slopes(fgan.d_loss)
  assert (d_real <= 0).all() and d_real[1] < -0.1
  if divergence == 'pearson':  # a parabola with its floor at -2
    assert d_fake[0] > 0 and d_fake[1] < 0
  else:
    assert (d_fake >= 0).all() and d_fake.max() > 0.1
  np.testing.assert_array_equal(slopes(fgan.g_loss)[1], -d_fake)


@pytest.mark.parametrize('option', ['divergence', 'generator'])
def test_fgan_lists_what_exists(option):
  exists = {
    'divergence': 'kl, reverse_kl, pearson',
    'generator': 'minimax, alt',
  }
  for loss in (fgan.d_loss, fgan.g_loss):
    with pytest.raises(UserError, match=f"'nosuch'; it has: {exists[option]}"):
      loss(jnp.zeros(2), jnp.zeros(2), **{option: 'nosuch'})
