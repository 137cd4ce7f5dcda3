"""Path length: against linear generators and Jacobians, in w and in z."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import keys, networks
from gan_jax.models import mlp, stylegan2
from gan_jax.penalties import path_length
from gan_jax.types import UserError

B, LAYERS, W, SHAPE = 4, 3, 5, (2, 3, 2)
KEYS = keys.example_keys(jax.random.key(1), B)


def noise(shape=SHAPE):
  """y [B, ...] of each example, before it is divided by the root of H W."""
  draw = lambda key: jax.random.normal(key, shape)
  return np.asarray(jax.vmap(draw)(KEYS), np.float64)


def linear(scale=1.0):
  """(G with styles z, 2 z, 3 z of its layers, its matrix [L, W, H, W, C])."""
  matrix = np.random.default_rng(0).normal(size=(LAYERS, W, *SHAPE))

  def net(player, x, *inputs, method=None):
    assert player == 'g'
    if method == 'training_styles':
      return x[:, None] * jnp.arange(1.0, LAYERS + 1)[None, :, None]
    if method == 'images':
      assert inputs == (None,)
      return scale * jnp.einsum('blw,lwijc->bijc', x, jnp.float32(matrix))
    return scale * jnp.einsum('bw,wijc->bijc', x, jnp.float32(matrix[0]))

  return net, matrix


def seen(net, latent=None, index=None, label=None):
  """What the term needs of a forward pass."""
  latent = jnp.ones((B, W)) if latent is None else latent
  index = jnp.arange(B) if index is None else index
  batch = {'index': index} | ({} if label is None else {'label': label})
  return types.SimpleNamespace(net=net, latent=latent, batch=batch)


def lengths(matrix, space):
  """Of a linear generator, by hand: J^T y is the same at all w."""
  y = noise() / np.sqrt(SHAPE[0] * SHAPE[1])
  if space == 'z':
    return np.linalg.norm(np.einsum('bijc,wijc->bw', y, matrix[0]), axis=1)
  each = np.einsum('bijc,lwijc->blw', y, matrix)
  return np.sqrt((each**2).sum(2).mean(1))


@pytest.mark.parametrize('space', path_length.SPACES)
def test_a_linear_generator_s_lengths(space):
  net, matrix = linear()
  length, memo = lengths(matrix, space), 0.7
  value, after = path_length.g_term(
    seen(net), jnp.float32(memo), key=KEYS, weight=3.0, decay=0.9, shrink=1,
    space=space,
  )  # fmt: skip
  average = 0.9 * memo + 0.1 * length.mean()
  np.testing.assert_allclose(after, average, rtol=1e-5)
  np.testing.assert_allclose(value, 3 * (length - average) ** 2, rtol=1e-4)
  assert path_length.init() == 0 and after.dtype == jnp.float32


def test_the_published_constants():
  net, matrix = linear()
  value, after = path_length.g_term(seen(net), path_length.init(), key=KEYS)
  length = lengths(matrix, 'w')[::2]  # each second example
  np.testing.assert_allclose(after, 0.01 * length.mean(), rtol=1e-5)
  want = 2 * (length - 0.01 * length.mean()) ** 2
  np.testing.assert_allclose(value, want.repeat(2), rtol=1e-4)


@pytest.mark.parametrize('shrink', [2, 3])
def test_the_same_examples_count_however_the_batch_is_cut(shrink):
  """By the index; the mean is that of those which count."""
  net, matrix = linear()
  value, after = path_length.g_term(
    seen(net), jnp.float32(0), key=KEYS, decay=0.0, shrink=shrink
  )
  length = lengths(matrix, 'w')[::shrink]
  np.testing.assert_allclose(after, length.mean(), rtol=1e-5)
  assert value.shape == (B,)
  want = 2 * ((length - length.mean()) ** 2).mean()
  np.testing.assert_allclose(value.mean(), want, rtol=1e-4)


def test_the_gradient_flows_through_the_average():
  def total(scale):
    net, _ = linear(scale)
    given = dict(key=KEYS, shrink=1, decay=0.25)
    return path_length.g_term(seen(net), jnp.float32(0.5), **given)[0].mean()

  length = lengths(linear()[1], 'w')
  at, found = 1.5, jax.grad(total)(1.5)
  average = lambda s: 0.25 * 0.5 + 0.75 * s * length.mean()
  slope = length - 0.75 * length.mean()
  want = (4 * (at * length - average(at)) * slope).mean()
  np.testing.assert_allclose(found, want, rtol=1e-4)


@pytest.fixture(scope='module')
def styled():
  """(a small StyleGAN2, its variables, latents that mix styles)."""
  g = stylegan2.Generator(
    shape=(8, 8, 2), features=3, channel_max=4, mapping_layers=1
  )
  prior = stylegan2.make_prior((8, 8, 2), dim=4, mixing=1.0)
  latent = jax.vmap(prior)(keys.example_keys(jax.random.key(2), B))
  variables = jax.jit(functools.partial(g.init, train=False))(
    jax.random.key(0), latent
  )
  return g, variables, latent


def test_of_stylegan2_by_the_whole_jacobian(styled):
  g, variables, latent = styled
  net = lambda player, *inputs, **kw: networks.apply(
    g, variables, *inputs, train=False, **kw
  )

  @jax.jit
  def both(latent):
    ws = net('g', latent, method='training_styles')
    one = lambda w, noise: net(
      'g', w[None], [n[None] for n in noise], method='images'
    )[0]
    jacobian = jax.vmap(jax.jacrev(one))(ws, latent['noise'])
    given = dict(key=KEYS, shrink=1, decay=0.0)
    return jacobian, path_length.g_term(
      seen(net, latent), jnp.float32(0), **given
    )

  jacobian, (value, average) = both(latent)  # [B, H, W, C, layers, features]
  y = noise((8, 8, 2)) / 8
  each = np.einsum('bijc,bijclw->blw', y, np.asarray(jacobian, np.float64))
  length = np.sqrt((each**2).sum(2).mean(1))
  np.testing.assert_allclose(average, length.mean(), rtol=1e-4)
  np.testing.assert_allclose(
    value, 2 * (length - length.mean()) ** 2, rtol=1e-3, atol=1e-7
  )


def test_truncation_does_not_count(styled):
  """Nor does evaluation mode: they are the styles that training has."""
  g, variables, latent = styled
  call = functools.partial(
    networks.apply, g.clone(truncation=0.1), variables, train=False
  )
  mixed = call(latent, method='training_styles')
  plain = call({'z': latent['z']}, method='training_styles')
  truncated = call(latent['z'], method='styles')
  np.testing.assert_allclose(truncated, 0.1 * plain, rtol=1e-5)
  np.testing.assert_array_equal(plain[:, 0], mixed[:, 0])
  assert np.abs(plain[:, -1] - mixed[:, -1]).max() > 1e-2


@pytest.mark.parametrize(
  'options, words',
  [
    ({'space': 'x'}, r"path_length\.space='x': expected one of w, z\."),
    ({'shrink': 0}, r'path_length\.shrink=0: expected at least 1\.'),
    ({}, r"this model's G has no styles w.*space='z'"),
  ],
)
def test_what_is_refused(options, words):
  g = mlp.Generator(shape=(2,), hidden=(3,))
  z = jnp.ones((B, W))
  variables = jax.eval_shape(
    functools.partial(g.init, train=False), jax.random.key(0), z
  )

  def run(variables):
    net = lambda player, *inputs, **kw: networks.apply(
      g, variables, *inputs, train=False, **kw
    )
    return path_length.g_term(seen(net, z), 0.0, key=KEYS, **options)

  with pytest.raises(UserError, match=words):
    jax.eval_shape(run, variables)
