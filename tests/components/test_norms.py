"""Norms against their definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models.layers import blocks, norms
from gan_jax.types import UserError
from tests.components.compiled import apply, close, image, init

SPECTRAL = {
  'dense': (blocks.Dense(6, use_bias=False), (3, 5)),
  'conv': (blocks.Conv(6, use_bias=False), (2, 4, 4, 3)),
  'conv_transpose': (blocks.ConvTranspose(6, use_bias=False), (2, 4, 4, 3)),
}


def spectral(kind, train):
  layer, shape = SPECTRAL[kind]
  norm = lambda **kw: blocks.SpectralNorm(train=train, **kw)
  return layer.clone(kernel_norm=norm), image(*shape)


def largest_singular_value(kernel):
  matrix = np.asarray(kernel, np.float64).reshape(-1, kernel.shape[-1])
  return np.linalg.svd(matrix, compute_uv=False)[0]


@pytest.mark.parametrize('kind', list(SPECTRAL))
def test_spectral_norm_divides_by_largest_singular_value(kind):
  layer, x = spectral(kind, train=True)
  variables = init(layer, x)
  iterate = jax.jit(lambda v: layer.apply(v, x, mutable=['spectral']))
  for _ in range(60):
    y, new = iterate(variables)
    variables = {**variables, **new}
  plain = apply(SPECTRAL[kind][0], {'params': variables['params']}, x)
  sigma = largest_singular_value(variables['params']['kernel'])
  assert abs(sigma - 1) > 0.05  # else the division could not be seen
  close(y, plain / sigma, 1e-4)


def test_spectral_norm_of_a_kernel_is_one_after_initialisation():
  norm = blocks.SpectralNorm()
  kernel = 0.02 * image(4, 4, 8, 16)
  variables = init(norm, kernel, seed=1)
  got = largest_singular_value(apply(norm, variables, kernel))
  assert got == pytest.approx(1, abs=0.05)


def test_spectral_norm_without_train_neither_iterates_nor_stores():
  layer, x = spectral('dense', train=False)
  variables = init(layer, x)
  wrong = jax.tree.map(lambda a: np.roll(a, 1), variables['spectral'])
  variables = {**variables, 'spectral': wrong}
  y, new = apply(layer, variables, x, mutable=['spectral'])
  close(new['spectral'], wrong, 0)
  kernel, uv = np.asarray(variables['params']['kernel']), wrong['norm']
  close(y, np.asarray(x) @ kernel / (uv['v'] @ kernel @ uv['u']))


def test_spectral_norm_trains_by_one_iteration_and_fixed_vectors():
  kernel = image(5, 4)
  norm = blocks.SpectralNorm(train=True)
  u = image(4, seed=1) / np.linalg.norm(image(4, seed=1))
  variables = {'spectral': {'u': u, 'v': jnp.zeros(5)}}
  weights = image(5, 4, seed=2)

  w, unit = np.asarray(kernel, np.float64), lambda a: a / np.linalg.norm(a)
  v = unit(w @ np.asarray(u))
  new_u = unit(v @ w)
  sigma = v @ w @ new_u
  # d(w / sigma) with dsigma = v dw u, as in eq. 12 of the paper.
  want = weights / sigma - (weights * w).sum() / sigma**2 * np.outer(v, new_u)

  loss = lambda k: (norm.apply(variables, k) * weights).sum()  # not mutable
  close(jax.jit(jax.grad(loss))(kernel), want.astype(np.float32))
  _, new = apply(norm, variables, kernel, mutable=['spectral'])
  close(new['spectral']['u'], new_u.astype(np.float32))


@pytest.mark.parametrize('conditional', [False, True])
def test_batch_statistics_over_an_axis_are_the_global_ones(conditional):
  x, label = 3 + 2 * image(8, 4, 4, 3), jnp.arange(8) % 4

  def run(x, label, axis_name):
    by = norms.by_class(blocks.Embed, label, 4) if conditional else None
    norm = norms.Norm(train=True, axis_name=axis_name, by=by)
    variables = norm.init(jax.random.key(0), x)
    return norm.apply(variables, x, mutable=['batch_stats'])

  want, stats = jax.jit(lambda *a: run(*a, None))(x, label)
  shards = x.reshape(4, 2, 4, 4, 3), label.reshape(4, 2)
  sharded = jax.vmap(lambda *a: run(*a, 'data'), axis_name='data')
  got, each = jax.jit(sharded)(*shards)
  close(got.reshape(x.shape), want)
  for i in range(4):
    close(jax.tree.map(lambda a, i=i: a[i], each), stats)


def test_batch_norm_against_its_definition():
  x = 3 + 2 * image(8, 4, 4, 3)
  norm = norms.Norm(train=True)
  variables = init(norm, x)
  y, new = apply(norm, variables, x, mutable=['batch_stats'])
  array = np.asarray(x, np.float64)
  mean, var = array.mean((0, 1, 2)), array.var((0, 1, 2))
  scale = variables['params']['batch']['scale']
  close(y, (array - mean) / np.sqrt(var + 1e-5) * np.asarray(scale), 1e-4)
  close(new['batch_stats']['batch']['mean'], 0.1 * mean)
  close(new['batch_stats']['batch']['var'], 0.9 + 0.1 * var, 1e-4)


def test_conditional_batch_norm_scales_by_one_plus_the_embedding():
  x = image(4, 2, 2, 3)
  by = norms.by_class(blocks.Embed, jnp.array([0, 1, 1, 2]), 3)
  norm = norms.Norm(by=by, train=True)
  variables = init(norm, x)
  params = jax.tree.map(np.zeros_like, variables['params'])
  params['gamma']['embedding'][1] = 2
  params['beta']['embedding'][2] = 5
  plain = norms.Norm(train=True, affine=False)
  stats = {'mutable': ['batch_stats']}
  want = np.array(apply(plain, init(plain, x), x, **stats)[0])
  want[1:3] *= 3
  want[3] += 5
  close(apply(norm, {**variables, 'params': params}, x, **stats)[0], want)


def test_scales_start_near_one():
  scale = norms.near_one(0.02)(jax.random.key(0), (4096,))
  assert scale.mean() == pytest.approx(1, abs=0.002)
  assert scale.std() == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize('kind', ['instance', 'layer'])
def test_norms_of_one_example(kind):
  x = 3 + 2 * image(4, 5, 3, 6)
  norm = norms.Norm(kind, train=True, spread=0.0)
  y = apply(norm, init(norm, x), x)
  array = np.asarray(x, np.float64)
  axes = (1, 2) if kind == 'instance' else (1, 2, 3)
  mean, var = array.mean(axes, keepdims=True), array.var(axes, keepdims=True)
  close(y, (array - mean) / np.sqrt(var + 1e-5), 1e-4)
  learnt = jax.eval_shape(lambda: norm.init(jax.random.key(0), x))['params']
  assert learnt[kind]['scale'].shape == learnt[kind]['bias'].shape == (6,)


def test_vectors_have_no_instance_norm():
  with pytest.raises(UserError, match="'instance': a vector has no places"):
    init(norms.Norm('instance'), jnp.ones((2, 3)))


def test_self_modulation_starts_near_one():
  """One hidden layer of 32 makes scale and shift of each channel."""
  by = norms.by_itself(blocks.Dense, jnp.ones((2, 5)))
  norm = norms.Norm('layer', by=by)
  shapes = jax.eval_shape(
    lambda: norm.init(jax.random.key(0), jnp.ones((2, 4, 4, 6)))
  )['params']
  assert shapes['hidden']['kernel'].shape == (5, 32)
  assert shapes['gain']['kernel'].shape == (32, 6)
