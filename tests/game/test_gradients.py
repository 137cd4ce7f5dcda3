"""Input gradients, norms and interpolates against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import gradients

SHAPES = [(5, 2), (5, 3, 2), (5, 2, 3, 2)]
each_shape = pytest.mark.parametrize('shape', SHAPES)


@each_shape
def test_input_gradient_is_that_of_each_logit(shape):
  x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
  critic = lambda x: jnp.sin(x).reshape(5, -1).sum(axis=1) ** 2
  total = np.sin(x).reshape(5, -1).sum(axis=1)
  expected = 2 * total.reshape((5,) + (1,) * (x.ndim - 1)) * np.cos(x)
  found = gradients.input_gradient(critic, jnp.array(x))
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@each_shape
def test_squared_norm_is_over_all_axes_of_an_example(shape):
  x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
  expected = [np.linalg.norm(example.ravel()) for example in x]
  squared = gradients.squared_norm(jnp.array(x))
  assert squared.shape == (5,)
  np.testing.assert_allclose(np.sqrt(squared), expected, rtol=1e-6)
  safe = gradients.safe_norm(jnp.array(x))
  np.testing.assert_allclose(safe, expected, rtol=1e-6)


def test_squared_norm_of_half_precision_sums_in_float32():
  x = jnp.full((1, 1024), 1.0, jnp.bfloat16)
  x = x.at[0, 0].set(3.0)  # 1032: bfloat16 would hold 1032 or 1024 only
  squared = gradients.squared_norm(x)
  assert squared.dtype == jnp.float32 and squared[0] == 1032.0


def test_safe_norm_has_a_finite_slope_at_zero():
  slope = jax.grad(lambda x: gradients.safe_norm(x).sum())(jnp.zeros((2, 3)))
  np.testing.assert_array_equal(slope, np.zeros((2, 3)))


@each_shape
def test_interpolate_draws_one_number_per_example(shape):
  x, y = jnp.zeros(shape), jnp.ones(shape)
  alpha = gradients.interpolate(jax.random.key(0), x, y).reshape(5, -1)
  assert ((0 <= alpha) & (alpha < 1)).all()
  np.testing.assert_array_equal(alpha.min(axis=1), alpha.max(axis=1))
  assert len(np.unique(alpha[:, 0])) == 5


def test_interpolate_is_uniform_on_the_segment():
  x = jnp.full((4000, 1), 2.0)
  found = gradients.interpolate(jax.random.key(1), x, x - 4.0)  # in (-2, 2]
  np.testing.assert_allclose(found.mean(), 0.0, atol=0.08)
  np.testing.assert_allclose(found.std(), 4 / np.sqrt(12), atol=0.05)
