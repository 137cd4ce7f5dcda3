"""Layers: equal to flax.linen's, and norms against their definitions."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models.layers import blocks, gemm, parts
from gan_jax.types import UserError

PAIRS = {
  'conv': (blocks.Conv, nn.Conv),
  'conv_transpose': (blocks.ConvTranspose, nn.ConvTranspose),
}
GEMMS = {
  'conv': (gemm.gemm_conv, jax.lax.conv_general_dilated),
  'conv_transpose': (gemm.gemm_conv_transpose, jax.lax.conv_transpose),
}


def image(*shape, seed=0):
  return jax.random.normal(jax.random.key(seed), shape)


def both(kind, size=(4, 4), strides=(2, 2), padding='SAME'):
  fields = {'kernel_size': size, 'strides': strides, 'padding': padding}
  return [make(5, **fields) for make in PAIRS[kind]]


def close(a, b, atol=1e-5):
  """Each leaf to atol of its largest value, or of 1 if that is larger."""

  def check(x, y):
    scale = max(1, np.abs(y).max())
    np.testing.assert_allclose(x, y, 0, atol * scale)

  jax.tree.map(check, a, b)


@pytest.mark.parametrize('padding', ['SAME', 'VALID'])
@pytest.mark.parametrize('strides', [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize('size', [(1, 1), (3, 3), (4, 4), (5, 2)])
@pytest.mark.parametrize('kind', list(PAIRS))
def test_values_equal_lax(kind, size, strides, padding):
  x, kernel = image(2, 7, 8, 3), 0.3 * image(*size, 3, 5, seed=1)
  ours, xla = GEMMS[kind]
  want = xla(x, kernel, strides, padding, dimension_numbers=gemm._LAYOUT)
  close(ours(x, kernel, strides, padding), want)


def penalised(layer):
  """A loss with a gradient inside, as R1 has: (params, x) -> []."""

  def critic(params, x):
    return jnp.tanh(layer.apply({'params': params}, x)).sum()

  def loss(params, x):
    return jnp.sum(jax.grad(critic, 1)(params, x) ** 2)

  return critic, loss


@pytest.mark.parametrize('size, strides', [((4, 4), (2, 2)), ((3, 3), (1, 1))])
@pytest.mark.parametrize('kind', list(PAIRS))
def test_layer_equals_flax_to_second_order(kind, size, strides):
  ours, flax = both(kind, size, strides)
  x = image(2, 6, 6, 3)
  params = jax.jit(flax.init)(jax.random.key(1), x)['params']
  shapes = lambda layer: jax.eval_shape(layer.init, jax.random.key(1), x)
  assert jax.tree.map(jnp.shape, shapes(ours)['params']) == jax.tree.map(
    jnp.shape, params
  )

  def all_orders(layer):
    critic, loss = penalised(layer)
    first = jax.grad(critic, (0, 1))
    second = jax.grad(loss, (0, 1))
    run = lambda p, x: (
      layer.apply({'params': p}, x),
      first(p, x),
      second(p, x),
    )
    return jax.jit(run)(params, x)

  close(all_orders(ours), all_orders(flax))


@pytest.mark.parametrize('kind', list(PAIRS))
def test_gradients_agree_under_vmap_and_in_a_loop(kind):
  ours, flax = both(kind)
  x = image(2, 4, 4, 3)
  init = jax.jit(jax.vmap(lambda k: flax.init(k, x)['params']))
  params = init(jax.random.split(jax.random.key(1), 3))  # [3, ...]

  def descend(layer, many):
    grad = jax.grad(penalised(layer)[0])
    step = lambda _, p: jax.tree.map(lambda a, b: a - 0.1 * b, p, grad(p, x))
    return jax.lax.fori_loop(0, many, step, params_of(layer))

  params_of = lambda layer: jax.tree.map(lambda a: a[0], params)
  close(
    jax.jit(lambda n: descend(ours, n))(3),
    jax.jit(lambda n: descend(flax, n))(3),
  )
  grads = [jax.vmap(jax.grad(penalised(m)[0]), (0, None)) for m in (ours, flax)]
  close(*(jax.jit(g)(params, x) for g in grads))


def lowered(f, platform):
  grad = jax.grad(lambda x, k: f(x, k, (2, 2)).sum(), (0, 1))
  traced = jax.jit(grad).trace(image(2, 8, 8, 3), image(4, 4, 3, 5))
  return traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize('kind', list(GEMMS))
def test_only_accelerators_get_xla_convolutions(kind):
  f = getattr(gemm, kind)
  assert 'stablehlo.convolution' not in lowered(f, 'cpu')
  for platform in ('cuda', 'tpu'):
    assert 'stablehlo.convolution' in lowered(f, platform)
    assert 'dot_general' not in lowered(f, platform)


def test_large_patches_are_left_to_xla(monkeypatch):
  x, kernel = image(2, 8, 8, 3), image(4, 4, 3, 5)
  want = gemm.conv(x, kernel, (2, 2))
  monkeypatch.setattr(gemm, 'MAX_PATCH_BYTES', 2 * 8 * 8 * 3 * 4 * 4 - 1)
  text = jax.jit(lambda *a: gemm.conv(*a, (2, 2))).lower(x, kernel).as_text()
  assert 'convolution' in text
  close(gemm.conv(x, kernel, (2, 2)), want, 1e-4)


def test_dense_equals_flax():
  x = image(3, 4)
  variables = nn.Dense(5).init(jax.random.key(0), x)
  close(blocks.Dense(5).apply(variables, x), nn.Dense(5).apply(variables, x))


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
  variables = jax.jit(layer.init)(jax.random.key(0), x)
  apply = jax.jit(lambda v: layer.apply(v, x, mutable=['spectral']))
  for _ in range(60):
    y, new = apply(variables)
    variables = {**variables, **new}
  plain = SPECTRAL[kind][0].apply({'params': variables['params']}, x)
  sigma = largest_singular_value(variables['params']['kernel'])
  assert abs(sigma - 1) > 0.05  # else the division could not be seen
  close(y, plain / sigma, 1e-4)


def test_spectral_norm_of_a_kernel_is_one_after_initialisation():
  norm = blocks.SpectralNorm()
  kernel = 0.02 * image(4, 4, 8, 16)
  variables = norm.init(jax.random.key(1), kernel)
  got = largest_singular_value(norm.apply(variables, kernel))
  assert got == pytest.approx(1, abs=0.05)


def test_spectral_norm_without_train_neither_iterates_nor_stores():
  layer, x = spectral('dense', train=False)
  variables = layer.init(jax.random.key(0), x)
  wrong = jax.tree.map(lambda a: jnp.roll(a, 1), variables['spectral'])
  variables = {**variables, 'spectral': wrong}
  y, new = layer.apply(variables, x, mutable=['spectral'])
  close(new['spectral'], wrong, 0)
  kernel, uv = variables['params']['kernel'], wrong['norm']
  close(y, x @ kernel / (uv['v'] @ kernel @ uv['u']))


def test_spectral_norm_trains_by_one_iteration_and_fixed_vectors():
  kernel = image(5, 4)
  norm = blocks.SpectralNorm(train=True)
  u = image(4, seed=1) / jnp.linalg.norm(image(4, seed=1))
  variables = {'spectral': {'u': u, 'v': jnp.zeros(5)}}
  weights = image(5, 4, seed=2)

  w, unit = np.asarray(kernel, np.float64), lambda a: a / np.linalg.norm(a)
  v = unit(w @ np.asarray(u))
  new_u = unit(v @ w)
  sigma = v @ w @ new_u
  # d(w / sigma) with dsigma = v dw u, as in eq. 12 of the paper.
  want = weights / sigma - (weights * w).sum() / sigma**2 * np.outer(v, new_u)

  loss = lambda k: (norm.apply(variables, k) * weights).sum()  # not mutable
  close(jax.grad(loss)(kernel), want.astype(np.float32))
  _, new = norm.apply(variables, kernel, mutable=['spectral'])
  close(new['spectral']['u'], new_u.astype(np.float32))


@pytest.mark.parametrize('conditional', [False, True])
def test_batch_statistics_over_an_axis_are_the_global_ones(conditional):
  x, label = 3 + 2 * image(8, 4, 4, 3), jnp.arange(8) % 4

  def run(x, label, axis_name):
    found = parts.make_parts(
      'batch',
      train=True,
      dtype=jnp.float32,
      axis_name=axis_name,
      label=label,
      num_classes=4 if conditional else 0,
    )
    norm = found.norm()
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
  norm = blocks.BatchNorm(train=True)
  variables = norm.init(jax.random.key(0), x)
  y, new = norm.apply(variables, x, mutable=['batch_stats'])
  array = np.asarray(x, np.float64)
  mean, var = array.mean((0, 1, 2)), array.var((0, 1, 2))
  scale = variables['params']['batch']['scale']
  close(y, (array - mean) / np.sqrt(var + 1e-5) * np.asarray(scale), 1e-4)
  close(new['batch_stats']['batch']['mean'], 0.1 * mean)
  close(new['batch_stats']['batch']['var'], 0.9 + 0.1 * var, 1e-4)


def test_conditional_batch_norm_scales_by_one_plus_the_embedding():
  x = image(4, 2, 2, 3)
  norm = blocks.ConditionalBatchNorm(jnp.array([0, 1, 1, 2]), 3, train=True)
  variables = norm.init(jax.random.key(0), x)
  zero = jax.tree.map(jnp.zeros_like, variables['params'])
  zero['gamma']['embedding'] = zero['gamma']['embedding'].at[1].set(2.0)
  zero['beta']['embedding'] = zero['beta']['embedding'].at[2].set(5.0)
  apply = lambda p: norm.apply(
    {**variables, 'params': p}, x, mutable=['batch_stats']
  )[0]
  plain = blocks.BatchNorm(train=True, affine=False)
  want = np.array(plain.apply(plain.init({}, x), x, mutable=['batch_stats'])[0])
  want[1:3] *= 3
  want[3] += 5
  close(apply(zero), want)


def test_scales_start_near_one():
  scale = blocks.scale_init(jax.random.key(0), (4096,))
  assert scale.mean() == pytest.approx(1, abs=0.002)
  assert scale.std() == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize('norm', parts.NORMS)
def test_norm_is_chosen_by_name(norm):
  found = parts.make_parts(norm, train=True, dtype=jnp.float32)
  x = image(4, 3)
  collections = found.dense(3).init(jax.random.key(0), x).keys()
  assert ('spectral' in collections) == (norm == 'spectral')
  assert isinstance(found.norm(), nn.Module) == (norm == 'batch')


def test_unknown_names_list_what_exists():
  with pytest.raises(UserError, match='batch, none, spectral'):
    parts.make_parts('layer', train=True, dtype=jnp.float32)
  with pytest.raises(UserError, match='leaky_relu'):
    parts.activation('rellu')
