"""Layers of the style-based networks against direct computations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gan_jax.conditioning import mapped_projection
from gan_jax.models.layers import (
  blocks,
  convolutions,
  equalised,
  filters,
  leaky,
  mapping,
  minibatch,
  modulated,
  running,
)
from tests.components.compiled import apply, close, image, init


def upfirdn_by_loops(x, taps, up, down, pads):
  """Place by place, of one channel [H, W] and taps [N, M]."""
  (top, bottom), (left, right) = pads
  fine = np.zeros((up * x.shape[0], up * x.shape[1]))
  fine[::up, ::up] = x
  n, m = taps.shape
  rows = range(0, fine.shape[0] + top + bottom - n + 1, down)
  columns = range(0, fine.shape[1] + left + right - m + 1, down)
  at = lambda i, j: (
    fine[i, j] if 0 <= i < len(fine) and 0 <= j < fine.shape[1] else 0.0
  )
  value = lambda i, j: sum(
    taps[a, b] * at(i - top + n - 1 - a, j - left + m - 1 - b)
    for a in range(n)
    for b in range(m)
  )
  return np.array([[value(i, j) for j in columns] for i in rows])


SEPARABLE = np.random.default_rng(1).normal(size=4).astype(np.float32)


@pytest.mark.parametrize(
  'up, down, pads',
  [
    (1, 1, ((0, 0), (0, 0))),
    (2, 1, ((2, 1), (3, 2))),
    (1, 2, ((1, 1), (0, 3))),
    (3, 2, ((2, -1), (-2, 4))),
  ],
)
@pytest.mark.parametrize('separable', [True, False])
def test_upfirdn_is_what_it_says(separable, up, down, pads):
  rng = np.random.default_rng(0)
  taps = rng.normal(size=4 if separable else (3, 4)).astype(np.float32)
  x = image(2, 4, 5, 3)
  y = jax.jit(lambda x: filters.upfirdn(x, taps, up=up, down=down, pads=pads))(
    x
  )
  plane = np.outer(taps, taps) if separable else taps
  for b, c in ((0, 0), (1, 2)):
    close(
      y[b, :, :, c],
      upfirdn_by_loops(np.asarray(x[b, :, :, c]), plane, up, down, pads),
    )


@pytest.mark.parametrize('up, down', [(1, 2), (3, 2)])
def test_sums_for_cpu_are_the_convolution(up, down):
  """Which is what other devices compute; the slopes are the same, too."""
  taps = SEPARABLE[:, None]
  how = (up, 1), (down, 1), ((2, -1), (0, 0))
  x = image(2, 6, 5, 3)
  both = (
    lambda x: filters._summed(1, x, taps, *how),
    lambda x: filters._convolved(x, taps, *how),
  )
  (a, slope_a), (b, slope_b) = (
    (f(x), jax.grad(lambda x, f=f: jnp.square(f(x)).sum())(x)) for f in both
  )
  close(a, b)
  close(slope_a, slope_b)


def test_smooth_resampling_keeps_what_is_constant_and_slopes():
  x = jnp.broadcast_to(jnp.arange(8.0)[:, None], (8, 8))[None, :, :, None]
  inside = lambda x: x[0, 4:-4, 4:-4, 0]
  # Centres of the finer pixels lie a quarter of a pixel off.
  fine = jnp.arange(16.0) / 2 - 0.25
  wanted = jnp.broadcast_to(fine[:, None], (16, 16))[4:-4, 4:-4]
  close(inside(filters.doubled(x)), wanted)
  half = filters.halved(x)[0, 1:-1, 1:-1, 0]
  close(half, jnp.broadcast_to(jnp.array([[2.5], [4.5]]), (2, 2)))
  assert filters.halved(jnp.ones((1, 5, 7, 1))).shape == (1, 2, 3, 1)


def test_a_doubling_convolution_is_one_of_the_zero_filled_grid():
  x, kernel = image(2, 4, 5, 3), image(3, 3, 3, 6, seed=1)
  fine = lax.pad(
    x, 0.0, [(0, 0, 0), (3, 4, 1), (3, 4, 1), (0, 0, 0)]
  )  # more zeros than the kernel and the filter reach
  y = lax.conv_general_dilated(
    fine, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
  )
  y = filters.upfirdn(y, 2 * filters.SMOOTH)
  close(filters.conv_doubled(x, kernel), y[:, :8, :10])


def modulated_by_groups(x, kernel, style, demodulate):
  """A kernel of its own for each example: a grouped convolution."""
  b, h, w, c = x.shape
  own = kernel[None] * style[:, None, None, :, None]  # [B, 3, 3, C, O]
  if demodulate:
    own /= np.sqrt(np.square(own).sum((1, 2, 3), keepdims=True) + 1e-8)
  own = np.concatenate(list(own), axis=-1)
  grouped = np.moveaxis(np.asarray(x), 0, 2).reshape(1, h, w, b * c)
  y = lax.conv_general_dilated(
    grouped,
    own,
    (1, 1),
    'SAME',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    feature_group_count=b,
  )
  return np.moveaxis(y.reshape(h, w, b, -1), 2, 0)


@pytest.mark.parametrize('demodulate', [True, False])
def test_modulated_convolution_is_the_grouped_one(demodulate):
  x, style = image(4, 5, 6, 3), np.asarray(image(4, 3, seed=1))
  kernel = np.asarray(image(3, 3, 3, 7, seed=2))
  run = jax.jit(
    lambda *args: modulated.conv(
      *args, convolve=convolutions.conv, demodulate=demodulate
    )
  )
  close(
    run(x, kernel, style), modulated_by_groups(x, kernel, style, demodulate)
  )


def test_demodulated_outputs_have_the_power_of_the_input():
  x = image(8, 16, 16, 32)
  kernel, style = image(3, 3, 32, 64, seed=1), 1 + image(8, 32, seed=2)
  y = modulated.conv(x, 5 * kernel, style)
  assert float(jnp.square(y).mean()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
  'batch, group, size', [(8, 4, 4), (6, 4, 2), (3, 2, 1)]
)
def test_minibatch_deviation(batch, group, size):
  x = np.asarray(image(batch, 2, 3, 5))
  y = np.asarray(jax.jit(minibatch.with_deviation, static_argnums=1)(x, group))
  close(y[..., :-1], x)
  for i in range(batch):
    first = i // size * size
    own = x[first : first + size]
    wanted = np.sqrt(own.var(axis=0) + 1e-8).mean()
    close(y[i, ..., -1], np.full((2, 3), wanted))


def test_a_shared_batch_has_the_same_groups():
  x = image(8, 2, 2, 3)
  whole = minibatch.with_deviation(x, 4)
  halves = [minibatch.with_deviation(half, 4) for half in (x[:4], x[4:])]
  close(jnp.concatenate(halves), whole)


def test_equalised_layers_have_a_gain_in_place_of_an_initialiser():
  layer = blocks.Dense(400, **equalised.fields(0.01, bias=2.0))
  x = image(5, 300)
  variables = init(layer, x)
  kernel, bias = (variables['params'][k] for k in ('kernel', 'bias'))
  assert float(kernel.std()) == pytest.approx(100, rel=0.02)
  close(bias, np.full(400, 2.0))
  wanted = x @ kernel * (0.01 / np.sqrt(300)) + 0.01 * 2.0
  close(apply(layer, variables, x), wanted)
  conv = blocks.Conv(8, kernel_size=(3, 3), **equalised.fields())
  x = image(2, 4, 4, 5)
  variables = init(conv, x)
  plain = blocks.Conv(8, kernel_size=(3, 3))
  close(apply(conv, variables, x), apply(plain, variables, x) / np.sqrt(45))


def test_leaky_relu_keeps_the_power_and_bounds_half_precision():
  x = image(1000, 100)
  power = jnp.square(leaky.leaky_relu(x)).mean()
  assert float(power) == pytest.approx(1.04, abs=0.01)
  assert leaky.bound_of(jnp.float32) is None
  bound = leaky.bound_of(jnp.bfloat16)
  close(leaky.leaky_relu(jnp.array([1e4, -1e4]), bound=bound), [256.0, -256.0])


def test_a_mapping_sees_directions_of_latents():
  net = mapping.Mapping(3, 16, layers=2)
  z, label = image(4, 6), jnp.array([0, 1, 2, 0])
  variables = init(net, label, z)
  w = apply(net, variables, label, z)
  close(apply(net, variables, label, 10 * z), w, 1e-4)
  assert float(jnp.abs(apply(net, variables, label[::-1], z) - w).max()) > 0.01
  alone = mapping.Mapping(3, 16, layers=2)
  assert apply(alone, init(alone, label), label).shape == (4, 16)


def test_a_mapping_is_deep_and_knows_no_direction_of_nothing():
  assert mapping.Mapping(3, 16).layers == 8
  close(mapping.normalised(jnp.zeros((1, 3))), np.zeros((1, 3)))


def test_a_mapping_learns_slowly():
  """Weights are a hundred times as large and as little of each is used."""
  net = mapping.Mapping(3, 16, layers=2)
  z, label = image(4, 6), jnp.array([0, 1, 2, 0])
  p = jax.tree.map(np.array, init(net, label, z)['params'])
  assert 70 < p['dense_0']['kernel'].std() < 130
  assert 0.7 < p['embed']['kernel'].std() < 1.3
  for i in range(2):
    p[f'dense_{i}']['bias'] += np.arange(16)
  per_root = lambda x: x / np.sqrt((x**2).mean(-1, keepdims=True))
  embedded = np.eye(3)[label] @ p['embed']['kernel'] / np.sqrt(3)
  x = np.concatenate(
    [per_root(np.array(z)), per_root(embedded + p['embed']['bias'])], -1
  )
  for i in range(2):
    kernel, bias = p[f'dense_{i}']['kernel'], p[f'dense_{i}']['bias']
    x = 0.01 * (x @ kernel / np.sqrt(len(kernel)) + bias)
    x = np.sqrt(2) * np.where(x > 0, x, 0.2 * x)
  close(apply(net, {'params': p}, label, z), x)


def test_a_running_average_moves_in_training_only():
  net = running.Running(first=1.0)
  variables = {'averages': {'value': jnp.ones(2)}}
  run = lambda train: net.apply(
    variables, jnp.array([3.0, 5.0]), decay=0.75, train=train,
    mutable=['averages'],
  )  # fmt: skip
  value, after = run(True)
  close(value, [1.5, 2.0])
  close(after['averages']['value'], value)
  value, after = run(False)
  close(value, [1.0, 1.0])


def test_a_running_average_is_of_all_devices():
  net = running.Running(axis_name='batch')
  run = lambda x: net.apply(
    {'averages': {'value': jnp.float32(0)}}, x, decay=0.0, train=True
  )
  close(jax.vmap(run, axis_name='batch')(jnp.array([1.0, 3.0])), [2.0, 2.0])


def test_mapped_projection_is_a_product_of_what_is_mapped():
  table = np.asarray(image(3, 5, seed=2))
  own = {
    'dense': blocks.Dense,
    'embed': lambda count, features, name: (
      lambda label: jnp.take(table, label, axis=0)
    ),
  }
  x, label = image(4, 5), np.array([0, 2, 1, 1])
  head = mapped_projection.Head(**own, num_classes=3)
  variables = init(head, x, label)
  layer = variables['params']['logits']
  wanted = ((x @ layer['kernel']) * table[label]).sum(1) / np.sqrt(5)
  close(apply(head, variables, x, label)['logits'], wanted)
  plain = mapped_projection.Head(**own, num_classes=0)
  assert apply(plain, init(plain, x), x)['logits'].shape == (4,)
