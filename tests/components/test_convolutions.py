"""Convolutions by products of matrices, and by phases: equal to lax's."""

import functools
import itertools

import jax
import jax.numpy as jnp
import pytest

from gan_jax.models.layers import convolutions, gemm, phases
from tests.components.compiled import close, image
from tests.components.convolved import (
  GEMMS,
  all_orders,
  plain,
  primitives,
  products,
)

EQUALS = {**GEMMS, 'phases': (phases.conv_transpose, jax.lax.conv_transpose)}
SIZES = [(1, 1), (3, 3), (4, 4), (5, 2)]
STRIDES = [(1, 1), (2, 2), (3, 1)]
PADDINGS = ['SAME', 'VALID']


@functools.cache
def all_values(kind):
  """{(size, strides, padding): (ours, of lax)}, by one program."""
  ours, xla = EQUALS[kind]
  x, layout = image(2, 7, 8, 3), {'dimension_numbers': phases.LAYOUT}
  kernels = {size: image(*size, 3, 5, seed=1) for size in SIZES}

  def run(x, kernels):
    return {
      (size, strides, padding): (
        ours(x, kernels[size], strides, padding),
        xla(x, kernels[size], strides, padding, **layout),
      )
      for size, strides, padding in itertools.product(SIZES, STRIDES, PADDINGS)
    }

  return jax.jit(run)(x, {size: 0.3 * k for size, k in kernels.items()})


@pytest.mark.parametrize('padding', PADDINGS)
@pytest.mark.parametrize('strides', STRIDES)
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', list(EQUALS))
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
      xla(*args, (4, 1), padding, dimension_numbers=phases.LAYOUT),
    )
  )
  close(*both(x, kernel))


# By the sizes of a grid and of a kernel.
@pytest.mark.parametrize(
  'grid, size, turned',
  [
    ((8, 1), (3, 1), True),
    ((8, 1), (1, 1), False),
    ((8, 2), (3, 1), False),
    ((8, 2), (3, 2), False),
    ((1, 8), (1, 3), False),
  ],
)
def test_rows_alone_are_made_columns(grid, size, turned):
  x, kernel = image(2, *grid, 3), image(*size, 3, 5)
  run = lambda x, k: gemm.conv(x, k, (1, 1), 'SAME')
  made = [name for name, _ in primitives(run, x, kernel)]
  assert ('transpose' in made) == turned


@pytest.mark.parametrize('limit', [1, gemm.MAX_PATCH_BYTES])
@pytest.mark.parametrize('kind', list(GEMMS))
def test_examples_may_be_split_over_devices(kind, limit, monkeypatch):
  """As by shard_map, which knows what varies over them; one by one, or all."""
  monkeypatch.setattr(gemm, 'MAX_PATCH_BYTES', limit)
  ours, _ = GEMMS[kind]
  x, kernel = image(4, 4, 4, 3), image(4, 4, 3, 5, seed=1)
  critic = lambda x, k: jnp.tanh(ours(x, k, (2, 2), 'SAME')).sum()
  slopes = jax.grad(critic, (0, 1))
  mesh = jax.sharding.Mesh(jax.devices()[:2], ('data',))
  many, whole = jax.sharding.PartitionSpec('data'), jax.sharding.PartitionSpec()
  split = jax.shard_map(
    slopes, mesh=mesh, in_specs=(many, whole), out_specs=(many, whole)
  )
  close(jax.jit(split)(x, kernel), jax.jit(slopes)(x, kernel))


# By the columns of the input, its channels and those of the output.
WAYS = {
  '_by_patches': [(5, 31, 2), (8, 15, 2), (8, 16, 2), (9, 31, 2), (10, 31, 2)],
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
  both = image(2, 4, columns, wide), 0.1 * image(3, 2, wide, features, seed=1)
  ours = functools.partial(gemm.conv, strides=(1, 1), padding='SAME')
  close(all_orders(ours, *both), all_orders(plain(), *both))
  assert set(taken) == {way}


def test_groups_one_after_another_equal_lax_and_keep_no_patches():
  """To second order; for the gradient, what is read is copied once more."""
  x, kernel = image(2, 4, 8, 48), 0.1 * image(3, 3, 16, 6, seed=1)
  how = {'strides': (1, 1), 'padding': 'SAME', 'groups': 3}
  ours = functools.partial(gemm.grouped, **how)
  close(all_orders(ours, x, kernel), all_orders(plain(groups=3), x, kernel))
  kept = jax.eval_shape(lambda *both: jax.vjp(ours, *both)[1], x, kernel)
  assert sum(own.size for own in jax.tree.leaves(kept)) == x.size + kernel.size


@pytest.mark.parametrize(
  'columns, channels', [(8, 16), (8, 15), (7, 16), (6, 16)]
)
def test_two_neighbours_at_once_copy_a_third_less(columns, channels):
  """3 x 4 pixels for both of them, not 3 x 3 for each: of broad rows."""
  x, kernel = image(1, 4, columns, channels), image(3, 3, channels, 2)
  run = functools.partial(gemm.conv, strides=(1, 1), padding='SAME')
  share = products(run, x, kernel)[0][0] / (9 * x.size)
  assert share == (2 / 3 if (columns, channels) == (8, 16) else 1)


def test_a_transposed_convolution_makes_no_pixel_that_is_dropped():
  """Of 4 x 4 pixels 16 rows of a product, not the 5 x 5 of its phases."""
  x, kernel = image(1, 4, 4, 8), image(4, 4, 8, 6)
  run = lambda x, k: gemm.conv_transpose(x, k, (2, 2), 'SAME')
  assert products(run, x, kernel) == [[16 * 8, 8 * 16 * 6]]


def test_what_overlaps_is_added_up_by_blocks():
  """Four squares of four pixels, then two rows of them, not each of 8 runs."""
  x, kernel = image(1, 8, 8, 3), image(4, 4, 3, 5)
  run = lambda x: gemm.conv(x, kernel, (2, 2), 'SAME').sum()
  made = primitives(jax.grad(run), x)
  edges = 2  # of the image, there and back
  assert sum(name == 'pad' for name, _ in made) == edges + 4 + 2


def lowered(f, platform):
  grad = jax.grad(lambda x, k: f(x, k, (2, 2)).sum(), (0, 1))
  traced = jax.jit(grad).trace(image(2, 8, 8, 3), image(4, 4, 3, 5))
  return traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize('kind', list(GEMMS))
def test_only_accelerators_get_xla_convolutions(kind):
  f = getattr(convolutions, kind)
  assert 'stablehlo.convolution' not in lowered(f, 'cpu')
  for platform in ('cuda', 'tpu'):
    assert 'stablehlo.convolution' in lowered(f, platform)
    assert 'dot_general' not in lowered(f, platform)


# By the part of what a batch of six would take that may be taken at once.
@pytest.mark.parametrize(
  'limit, parts', [(1, 1), (1 / 2, 2), (0.4, 3), (1 / 4, 6), (1 / 99, 6)]
)
@pytest.mark.parametrize(
  'kind, copies', [('conv', 4), ('conv_transpose', 16 * 5 / 3)]
)
def test_large_patches_are_of_a_part_of_the_batch(
  kind, copies, limit, parts, monkeypatch
):
  """To second order, one part after another, whose patches are not kept."""
  x, kernel = image(6, 4, 6, 3), 0.2 * image(4, 4, 3, 5, seed=1)
  ours = lambda x, k: GEMMS[kind][0](x, k, (2, 2), 'SAME')
  want, whole = all_orders(ours, x, kernel), products(ours, x, kernel)
  # 2 x 2 taps read a pixel; each channel of it adds to 4 x 4 of five.
  monkeypatch.setattr(gemm, 'MAX_PATCH_BYTES', int(limit * copies * x.nbytes))
  ours = lambda x, k: GEMMS[kind][0](x, k, (2, 2), 'SAME')  # traced anew
  close(all_orders(ours, x, kernel), want)
  assert products(ours, x, kernel) == [
    [pixels // parts, taken] for pixels, taken in whole
  ]
  made = [name for name, _ in primitives(ours, x, kernel)]
  assert ('scan' in made) == (parts > 1)
  if parts > 1:
    kept = jax.eval_shape(lambda *both: jax.vjp(ours, *both)[1], x, kernel)
    sizes = [own.size for own in jax.tree.leaves(kept)]
    assert sum(sizes) == x.size + kernel.size
