"""The blur of what D is shown: against SciPy, its edges, its end."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from gan_jax.augment import blur
from gan_jax.types import UserError

X = np.random.default_rng(0).normal(size=(2, 9, 7, 3)).astype(np.float32)


def published(sigma, reach):
  """f / f.sum() of the authors' code; cut at `reach`."""
  size = min(int(np.floor(3 * sigma)), reach)
  f = 2.0 ** -((np.arange(-size, size + 1) / sigma) ** 2)
  return f / f.sum()


@pytest.mark.parametrize(
  'sigma, reach', [(0.34, 30), (1.3, 30), (10.0, 30), (4.0, 3)]
)
def test_rows_and_columns_are_filtered(sigma, reach):
  f, want = published(sigma, reach), X.astype(np.float64)
  for axis in (1, 2):
    own = {'axis': axis, 'mode': 'constant'}
    want = scipy.ndimage.correlate1d(want, f, **own)
  apply = functools.partial(blur.apply, X, (), key=None, reach=reach)
  run = jax.jit(lambda sigma: apply(sigma=sigma))
  np.testing.assert_allclose(run(sigma), want, atol=2e-6)
  assert np.abs(want - X).max() > 0.02


@pytest.mark.parametrize('sigma', [0.0, 0.2, 0.33])
def test_it_ends_without_a_trace(sigma):
  run = jax.jit(lambda sigma: blur.apply(X, (), key=None, sigma=sigma))
  np.testing.assert_array_equal(run(sigma), X)
  f = blur.kernel(jnp.float32(sigma), 4)
  np.testing.assert_array_equal(f, [1, 0, 0, 0, 0])
  slope = jax.grad(lambda x: (blur.apply(x, (), key=None, sigma=sigma)).sum())
  np.testing.assert_array_equal(slope(X), np.ones_like(X))


def test_gradients_are_blurred_as_images_are():
  """The filter is symmetric."""
  run = lambda x: blur.apply(x, (), key=None, sigma=1.5)
  _, back = jax.vjp(run, jnp.array(X))
  np.testing.assert_allclose(back(jnp.array(X))[0], run(X), atol=1e-6)


@pytest.mark.parametrize(
  'x, options, words',
  [
    (X[0], {}, r'augment.name=blur: expected images'),
    (X, {'reach': -1}, r'augment\.reach=-1: expected at least 0'),
  ],
)
def test_refusals(x, options, words):
  with pytest.raises(UserError, match=words):
    blur.apply(x, (), key=None, **options)
