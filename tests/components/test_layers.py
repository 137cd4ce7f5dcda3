"""Layers: equal to flax.linen's."""

import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from gan_jax.models.layers import blocks, gemm, norms, parts, resampling
from gan_jax.types import UserError
from tests.components.compiled import apply, close, image, init

PAIRS = {
  'conv': (blocks.Conv, nn.Conv),
  'conv_transpose': (blocks.ConvTranspose, nn.ConvTranspose),
}
GEMMS = {
  'conv': (gemm.gemm_conv, jax.lax.conv_general_dilated),
  'conv_transpose': (gemm.gemm_conv_transpose, jax.lax.conv_transpose),
}


def both(kind, size=(4, 4), strides=(2, 2), padding='SAME'):
  fields = {'kernel_size': size, 'strides': strides, 'padding': padding}
  return [make(5, **fields) for make in PAIRS[kind]]


SIZES = [(1, 1), (3, 3), (4, 4), (5, 2)]
STRIDES = [(1, 1), (2, 2), (3, 1)]
PADDINGS = ['SAME', 'VALID']


@functools.cache
def all_values(kind):
  """{(size, strides, padding): (ours, of lax)}, by one program."""
  ours, xla = GEMMS[kind]
  x = image(2, 7, 8, 3)
  kernels = {size: image(*size, 3, 5, seed=1) for size in SIZES}

  def run(x, kernels):
    return {
      (size, strides, padding): (
        ours(x, kernels[size], strides, padding),
        xla(x, kernels[size], strides, padding, dimension_numbers=gemm._LAYOUT),
      )
      for size, strides, padding in itertools.product(SIZES, STRIDES, PADDINGS)
    }

  return jax.jit(run)(x, {size: 0.3 * k for size, k in kernels.items()})


@pytest.mark.parametrize('padding', PADDINGS)
@pytest.mark.parametrize('strides', STRIDES)
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', list(PAIRS))
def test_values_equal_lax(kind, size, strides, padding):
  close(*all_values(kind)[size, strides, padding])


@pytest.mark.parametrize('rows, taps', [(21, 6), (1, 1), (6, 1)])
@pytest.mark.parametrize('padding', PADDINGS)
def test_a_convolution_along_rows_alone_equals_lax(padding, rows, taps):
  x, kernel = image(2, rows, 1, 3), image(taps, 1, 3, 5, seed=1)
  ours, xla = GEMMS['conv']
  both = jax.jit(
    lambda *args: (
      ours(*args, (4, 1), padding),
      xla(*args, (4, 1), padding, dimension_numbers=gemm._LAYOUT),
    )
  )
  close(*both(x, kernel))


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
  params = init(flax, x, seed=1)['params']
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
  begin = jax.jit(jax.vmap(lambda k: flax.init(k, x)['params']))
  params = begin(jax.random.split(jax.random.key(1), 3))  # [3, ...]

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


# By the columns of the input, its channels and those of the output.
WAYS = {
  '_by_patches': [(5, 31, 2), (16, 7, 2), (16, 8, 2), (18, 31, 2), (20, 31, 2)],
  '_shifted_before': [(5, 32, 8)],
  '_shifted_after': [(5, 32, 7)],
}


@pytest.mark.parametrize(
  'way, shape', [(way, shape) for way in WAYS for shape in WAYS[way]]
)
def test_narrow_and_wide_convolutions_equal_lax(way, shape, monkeypatch):
  """To second order, each by the product that suits its channels."""
  taken = []
  for name in WAYS:
    real = getattr(gemm, name)
    spy = lambda *args, name=name, real=real: taken.append(name) or real(*args)
    monkeypatch.setattr(gemm, name, spy)
  columns, wide, features = shape
  x = image(2, 4, columns, wide)
  kernel = 0.1 * image(3, 2, wide, features, seed=1)

  def all_orders(conv):
    critic = lambda k, x: jnp.tanh(conv(x, k)).sum()
    penalty = lambda k, x: jnp.sum(jax.grad(critic, 1)(k, x) ** 2)
    orders = [conv, *(jax.grad(f, (1, 0)) for f in (critic, penalty))]
    run = lambda x, k: (orders[0](x, k), *(f(k, x) for f in orders[1:]))
    return jax.jit(run)(x, kernel)

  plain = functools.partial(
    jax.lax.conv_general_dilated,
    window_strides=(1, 1),
    padding='SAME',
    dimension_numbers=gemm._LAYOUT,
  )
  ours = functools.partial(gemm.gemm_conv, strides=(1, 1), padding='SAME')
  close(all_orders(ours), all_orders(plain))
  assert set(taken) == {way}


@pytest.mark.parametrize('columns, channels', [(16, 8), (16, 7), (15, 8)])
def test_four_neighbours_at_once_copy_half_as_much(columns, channels):
  """3 x 6 pixels for four of them, not 3 x 3 for each: of broad rows."""
  x, kernel = image(1, 4, columns, channels), image(3, 3, channels, 2)
  run = functools.partial(gemm.gemm_conv, strides=(1, 1), padding='SAME')
  steps = jax.make_jaxpr(run)(x, kernel).eqns
  (dot,) = (step for step in steps if step.primitive.name == 'dot_general')
  share = dot.invars[0].aval.size / (9 * x.size)
  assert share == (1 / 2 if (columns, channels) == (16, 8) else 1)


RESIZED = {
  'doubled': lambda layer, x: layer(resampling.doubled(x)),
  'halved': lambda layer, x: resampling.halved(layer(x)),
}


@pytest.mark.parametrize('shape', [(6, 4), (7, 5), (2, 3)])
@pytest.mark.parametrize('name', RESIZED)
def test_a_resized_convolution_is_both_to_second_order(name, shape):
  same = {'kernel_size': (3, 3), 'strides': (1, 1)}
  ours, plain = blocks.Conv(5, **same, resized=name), blocks.Conv(5, **same)
  x = image(2, *shape, 3)
  params = init(ours, x, seed=1)['params']
  params['bias'] = image(5)

  def all_orders(layer):
    critic = lambda p, x: jnp.tanh(layer(p, x)).sum()
    penalty = lambda p, x: jnp.sum(jax.grad(critic, 1)(p, x) ** 2)
    orders = layer, *(jax.grad(f, (0, 1)) for f in (critic, penalty))
    return jax.jit(lambda *args: [f(*args) for f in orders])(params, x)

  of = lambda layer: lambda p, x: layer.apply({'params': p}, x)
  both = lambda p, x: RESIZED[name](lambda x: of(plain)(p, x), x)
  close(all_orders(of(ours)), all_orders(both), 1e-4)


@pytest.mark.parametrize('name', RESIZED)
def test_a_resized_convolution_is_less_work(name):
  """Of 4/9, but for the edge that a doubled grid needs."""
  same = {'kernel_size': (3, 3), 'strides': (1, 1)}
  x, kernel = image(1, 32, 32, 64), image(3, 3, 64, 64)
  pairs = gemm.in_pairs(kernel)
  quick = {'doubled': gemm.conv_of_doubled, 'halved': gemm.halved_conv}[name]
  plain = lambda x, k: RESIZED[name](
    lambda x: gemm.conv(x, k, same['strides']), x
  )
  flops = lambda f, *args: jax.jit(f).lower(*args).cost_analysis()['flops']
  share = flops(quick, x, pairs) / flops(plain, x, kernel)
  assert share < 4 / 9 * (33 / 32) ** 2 + 0.02


def test_what_is_not_a_3_x_3_is_not_resized():
  layer = blocks.Conv(4, kernel_size=(4, 4), strides=(1, 1), resized='halved')
  with pytest.raises(ValueError, match='only of a 3 x 3 that keeps the size'):
    layer.init(jax.random.key(0), image(1, 4, 4, 2))
  layer = blocks.Conv(4, kernel_size=(3, 3), strides=(1, 1), resized='halved')
  with pytest.raises(UserError, match='a grid of 1 x 4 is to be halved'):
    layer.init(jax.random.key(0), image(1, 1, 4, 2))


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
  conv = lambda: jax.jit(lambda *a: gemm.conv(*a, (2, 2)))
  want = conv()(x, kernel)
  monkeypatch.setattr(gemm, 'MAX_PATCH_BYTES', 2 * 8 * 8 * 3 * 4 * 4 - 1)
  assert 'convolution' in conv().lower(x, kernel).as_text()
  close(conv()(x, kernel), want, 1e-4)


def test_dense_equals_flax():
  x = image(3, 4)
  variables = init(nn.Dense(5), x)
  ours, flax = (
    apply(make(5), variables, x) for make in (blocks.Dense, nn.Dense)
  )
  close(ours, flax)


@pytest.mark.parametrize('norm', parts.NORMS)
def test_norm_is_chosen_by_name(norm):
  found = parts.make_parts(norm, train=True, dtype=jnp.float32)
  x = image(4, 3)
  begin = lambda x: found.dense(3).init(jax.random.key(0), x)
  collections = jax.eval_shape(begin, x).keys()
  kinds = set(norm.split('+'))
  assert ('spectral' in collections) == ('spectral' in kinds)
  assert isinstance(found.norm(), nn.Module) == bool(kinds & set(norms.KINDS))


def test_unknown_names_list_what_exists():
  with pytest.raises(UserError, match='none, batch, instance'):
    parts.make_parts('group', train=True, dtype=jnp.float32)
  with pytest.raises(UserError, match='leaky_relu'):
    parts.activation('rellu')
