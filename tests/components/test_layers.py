"""Layers: equal to flax.linen's."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from gan_jax.models.layers import blocks, convolutions, norms, parts, resampling
from gan_jax.types import UserError
from tests.components.compiled import apply, close, image, init

PAIRS = {
  'conv': (blocks.Conv, nn.Conv),
  'conv_transpose': (blocks.ConvTranspose, nn.ConvTranspose),
}


def both(kind, size=(4, 4), strides=(2, 2), padding='SAME'):
  fields = {'kernel_size': size, 'strides': strides, 'padding': padding}
  return [make(5, **fields) for make in PAIRS[kind]]


def penalised(layer):
  """A loss with a gradient inside, as R1 has: (params, x) -> []."""

  def critic(params, x):
    return jnp.tanh(layer.apply({'params': params}, x)).sum()

  def loss(params, x):
    return jnp.sum(jax.grad(critic, 1)(params, x) ** 2)

  return critic, loss


@pytest.mark.parametrize(
  'size, strides', [((4, 4), (2, 2)), ((3, 3), (1, 1)), ((5, 3), (2, 2))]
)
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
  """4/9 of it, and what resizes."""
  same = {'kernel_size': (3, 3), 'strides': (1, 1)}
  x, kernel = image(1, 16, 16, 64), image(3, 3, 64, 64)
  pairs = convolutions.in_pairs(kernel)
  quick = {
    'doubled': convolutions.conv_of_doubled,
    'halved': convolutions.halved_conv,
  }[name]
  plain = lambda x, k: RESIZED[name](
    lambda x: convolutions.conv(x, k, same['strides']), x
  )
  flops = lambda f, *args: jax.jit(f).lower(*args).cost_analysis()['flops']
  share = flops(quick, x, pairs) / flops(plain, x, kernel)
  assert share < 4 / 9 + 0.02


def test_what_is_not_a_3_x_3_is_not_resized():
  layer = blocks.Conv(4, kernel_size=(4, 4), strides=(1, 1), resized='halved')
  with pytest.raises(ValueError, match='only of a 3 x 3 that keeps the size'):
    layer.init(jax.random.key(0), image(1, 4, 4, 2))
  layer = blocks.Conv(4, kernel_size=(3, 3), strides=(1, 1), resized='halved')
  with pytest.raises(UserError, match='a grid of 1 x 4 is to be halved'):
    layer.init(jax.random.key(0), image(1, 1, 4, 2))


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
