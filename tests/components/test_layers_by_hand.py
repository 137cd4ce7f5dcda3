"""Constants of the layers that small nets do not show: all by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from gan_jax.models.layers import blocks, norms, parts

X = np.linspace(-3, 3, 7)
ACTIVATIONS = {
  'relu': np.maximum(X, 0),
  'leaky_relu': np.where(X > 0, X, 0.2 * X),
  'elu': np.where(X > 0, X, np.expm1(X)),
  'gelu': X * special.ndtr(X),  # JAX's is within .001 of it
  'silu': X * special.expit(X),
  'softplus': np.logaddexp(X, 0),
  'tanh': np.tanh(X),
}


def test_activations_by_their_formulas():
  assert set(parts.ACTIVATIONS) == set(ACTIVATIONS)
  for name, want in ACTIVATIONS.items():
    found = parts.activation(name)(jnp.float32(X))
    np.testing.assert_allclose(found, want, atol=1e-3, err_msg=name)


@pytest.mark.parametrize('train', [False, True])
def test_spectral_norm_of_small_kernels(train):
  """Singular values 2, 1 of any size become 1, 1/2."""
  kernel = jnp.float32([[0, 2], [1, 0]])
  key = jax.random.key(0)
  for size in (1e4, 1.0, 1e-9):
    net = blocks.SpectralNorm(train=train)
    found, _ = net.init_with_output(key, size * kernel)
    np.testing.assert_allclose(found, kernel / 2, rtol=1e-3, atol=1e-3)


def test_batch_norm_adds_1e_5_to_the_variance():
  x = jnp.float32([[2.0]])
  tree = {
    'params': {'batch': {'scale': jnp.ones(1), 'bias': jnp.zeros(1)}},
    'batch_stats': {
      'batch': {'mean': jnp.float32([1.0]), 'var': jnp.float32([3e-5])}
    },
  }
  found = norms.Norm(train=False).apply(tree, x)
  np.testing.assert_allclose(found, [[1 / np.sqrt(4e-5)]], rtol=1e-5)


def test_what_embeddings_and_scales_begin_with():
  net = blocks.Embed(num_classes=400, features=50)
  _, table = net.init_with_output(jax.random.key(0), jnp.zeros(1, int))
  table = table['params']['embedding']
  assert table.shape == (400, 50)
  np.testing.assert_allclose([table.mean(), table.std()], [0, 1], atol=0.03)
  scales = norms.near_one(0.02)(jax.random.key(0), (5000,))
  np.testing.assert_allclose(
    [scales.mean(), scales.std()], [1, 0.02], atol=2e-3
  )
