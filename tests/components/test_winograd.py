"""Convolutions of fewer products: equal to lax's, and taken where they pay."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models.layers import convolutions, gemm, phases, winograd
from tests.components.compiled import close, image
from tests.components.convolved import GEMMS, all_orders, multiplications, plain

# By taps of a kernel and strides of rows and columns.
KINDS = [(2, (1, 1)), (2, (2, 2)), (3, (1, 1)), (3, (2, 2)), (3, (2, 1))]


def given(taps, strides, sizes, *, channels=3, features=4):
  """Pixels that a kernel reads for a result of these sizes, and a kernel."""
  grid = [s * (n + taps - 1) for n, s in zip(sizes, strides, strict=True)]
  size = [s * taps for s in strides]
  x = image(2, *grid, channels)
  return x, 0.2 * image(*size, channels, features, seed=1)


@pytest.mark.parametrize(
  'sizes, turned', [((4, 6), False), ((5, 3), True), ((1, 2), False)]
)
@pytest.mark.parametrize('taps, strides', KINDS)
def test_the_algorithm_is_exact(taps, strides, sizes, turned):
  """In float64, with its slopes and theirs."""
  with jax.enable_x64(True):
    x, kernel = (y.astype(jnp.float64) for y in given(taps, strides, sizes))
    turn = lambda k: k.swapaxes(2, 3) if turned else k
    ours = lambda x, k: winograd.conv(x, turn(k), strides, turned=turned)
    lax = plain(strides, 'VALID')
    close(all_orders(ours, x, kernel), all_orders(lax, x, kernel), 1e-13)


@pytest.mark.parametrize('taps, share', [(2, 9 / 16), (3, 16 / 36)])
@pytest.mark.parametrize('strides', [(1, 1), (2, 2)])
def test_it_multiplies_less(taps, share, strides):
  """By as much as the paper says, forwards and for either slope."""
  x, kernel = given(taps, strides, (8, 6))
  ours = lambda x, k: winograd.conv(x, k, strides)
  slopes = jax.grad(lambda *both: jnp.sum(ours(*both) ** 2), (0, 1))
  work = 2 * 8 * 6 * kernel.size
  assert multiplications(ours, x, kernel) == share * work
  assert multiplications(slopes, x, kernel) == 3 * share * work


def test_rounding_is_that_of_float32():
  """Of sums of 9 times 64 products, a few times 2^-24 of the largest."""
  x, kernel = given(3, (1, 1), (8, 8), channels=64)
  with jax.enable_x64(True):
    exact = plain(padding='VALID')(
      *(y.astype(jnp.float64) for y in (x, kernel))
    )
  errors = [
    np.abs(np.asarray(conv(x, kernel), np.float64) - np.asarray(exact)).max()
    for conv in (
      functools.partial(winograd.conv, strides=(1, 1)),
      plain(padding='VALID'),
    )
  ]
  assert errors[0] < 2e-6 * np.abs(exact).max()
  assert errors[0] < 16 * errors[1]


@pytest.fixture
def always(monkeypatch):
  """Fewer products however small the work."""
  for limit in ('WIDE', 'MANY', 'LEAST'):
    monkeypatch.setattr(winograd, limit, 1)


# Of a kernel and of strides.
CHOSEN = [
  ((3, 3), (1, 1)),
  ((4, 4), (2, 2)),
  ((2, 2), (1, 1)),
  ((6, 3), (2, 1)),
]


@pytest.mark.parametrize('padding', ['SAME', 'VALID'])
@pytest.mark.parametrize('size, strides', CHOSEN)
@pytest.mark.parametrize('kind', list(GEMMS))
def test_padded_and_transposed_ones_equal_lax(
  kind, size, strides, padding, always
):
  """To second order, on grids of odd and even sizes."""
  ours, lax = GEMMS[kind]
  x, kernel = image(2, 7, 8, 3), 0.2 * image(*size, 3, 4, seed=1)
  way = functools.partial(ours, strides=strides, padding=padding)
  native = lambda x, k: lax(
    x, k, strides, padding, dimension_numbers=phases.LAYOUT
  )
  close(all_orders(way, x, kernel), all_orders(native, x, kernel))


@pytest.mark.parametrize('split', ['examples', 'kernels'])
@pytest.mark.parametrize('kind', list(GEMMS))
def test_devices_may_have_examples_or_kernels_of_their_own(kind, split, always):
  """As by shard_map, which knows what varies over them."""
  ours, _ = GEMMS[kind]
  x, kernel = image(4, 4, 4, 3), image(8, 4, 3, 5, seed=1)
  shared, own = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec('data')
  specs = (own, shared) if split == 'examples' else (shared, own)
  mesh = jax.sharding.Mesh(jax.devices()[:2], ('data',))

  def run(x, kernel):
    critic = lambda x, k: jnp.tanh(ours(x, k[:4], (2, 2), 'SAME')).sum()
    return jax.grad(critic, (0, 1))(x, kernel)

  many = jax.shard_map(run, mesh=mesh, in_specs=specs, out_specs=specs)
  if split == 'examples':
    want = jax.jit(run)(x, kernel)
  else:
    each = [jax.jit(run)(x, half) for half in jnp.split(kernel, 2)]
    of_x, of_kernels = zip(*each, strict=True)
    want = sum(of_x), jnp.concatenate(of_kernels)
  close(jax.jit(many)(x, kernel), want)


def test_seeds_are_runs_of_their_own(always):
  x, kernels = image(3, 2, 5, 6, 2), image(3, 3, 3, 2, 4, seed=1)
  run = functools.partial(gemm.conv, strides=(1, 1), padding='SAME')
  each = [jax.jit(run)(*both) for both in zip(x, kernels, strict=True)]
  close(jax.jit(jax.vmap(run))(x, kernels), jnp.stack(each))


def share(x, kernel, stride, *, dtype=jnp.float32, transposed=False):
  """Multiplications of a convolution by those that its taps would take."""
  strides, conv = (stride, stride), convolutions.conv
  pixels = x[0] * (x[1] // stride) * (x[2] // stride)
  if transposed:
    pixels, conv = x[0] * x[1] * x[2], convolutions.conv_transpose
  run = lambda x, k: conv(x, k, strides)
  like = (jax.ShapeDtypeStruct(shape, dtype) for shape in (x, kernel))
  return multiplications(run, *like) / (pixels * math.prod(kernel))


LARGE = (64, 32, 32, 16), (4, 4, 16, 16), 2  # 2^26 multiplications
WIDE = (16, 8, 8, 512), (4, 4, 512, 1024), 2  # 256 pixels


def test_what_is_large_enough_multiplies_less():
  assert share(*LARGE) == share(*WIDE) == 9 / 16
  assert share((64, 16, 16, 16), LARGE[1], 2, transposed=True) == 9 / 16
  assert (
    share((16, 4, 4, 1024), (4, 4, 1024, 512), 2, transposed=True) == 9 / 16
  )
  assert share((64, 16, 16, 64), (3, 3, 64, 32), 1) == 16 / 36
  assert share((64, 16, 16, 64), (6, 6, 64, 32), 2) == 16 / 36


SMALL = {
  'little work': ((63, 32, 32, 16), *LARGE[1:]),
  'few channels of the input': ((64, 32, 32, 15), (4, 4, 15, 32), 2),
  'few channels of the result': ((64, 32, 32, 32), (4, 4, 32, 15), 2),
  'few pixels': ((15, 8, 8, 512), *WIDE[1:]),
  'few pixels in few rows': ((24, 4, 8, 512), *WIDE[1:]),
  'five taps': ((64, 32, 32, 32), (5, 5, 32, 32), 1),
  'taps and a half': ((64, 32, 32, 32), (3, 3, 32, 32), 2),
  'rows alone': ((64, 512, 1, 64), (3, 1, 64, 64), 1),
}


@pytest.mark.parametrize('why', list(SMALL))
def test_what_would_not_pay_is_as_it_was(why):
  assert share(*SMALL[why]) >= 1


def test_coarse_numbers_are_not_subtracted():
  assert share(*LARGE, dtype=jnp.bfloat16) == 1
