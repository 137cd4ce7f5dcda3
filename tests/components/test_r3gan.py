"""R3GAN's layers, first weights and number formats."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import r3gan
from gan_jax.models.layers import blocks, resampling
from gan_jax.types import UserError
from tests.components.compiled import apply, close, image, init

WIDE = {'widths': (64, 64), 'num_classes': 8}


@pytest.fixture(scope='module')
def first_weights():
  """(G's, D's) of two stages of two blocks: four blocks each."""
  g = r3gan.Generator(shape=(8, 8, 3), **WIDE)
  d = r3gan.Discriminator(**WIDE)
  label = jnp.zeros(1, int)
  begin = lambda net: jax.jit(functools.partial(net.init, train=False))
  of = lambda net, x: begin(net)(jax.random.key(0), x, label)['params']
  return of(g, jnp.ones((1, 64))), of(d, jnp.ones((1, 8, 8, 3)))


def test_first_weights_are_the_papers(first_weights):
  g, d = first_weights
  gain = np.sqrt(2 / 1.04) * 4**-0.25
  for net in (g, d):
    block = net['block_0_1']
    spread = {name: block[name]['kernel'].std() for name in block}
    assert spread['widen'] == pytest.approx(gain / np.sqrt(64), rel=0.05)
    assert spread['grouped'] == pytest.approx(gain / np.sqrt(16 * 9), rel=0.05)
    assert spread['narrow'] == 0
    assert {name for name in block if 'bias' in block[name]} == {
      'widen', 'grouped',
    }  # fmt: skip
  assert g['basis'].std() == pytest.approx(1, rel=0.1)
  assert d['basis'].std() == pytest.approx(1 / 4, rel=0.1)  # of 4 x 4 pixels
  assert g['start']['kernel'].std() == pytest.approx(128**-0.5, rel=0.05)
  assert g['embed']['embedding'].std() == pytest.approx(8**-0.5, rel=0.1)
  both = (8 * 64) ** -0.5
  assert d['embed']['embedding'].std() == pytest.approx(both, rel=0.1)
  assert d['logits']['kernel'].std() == pytest.approx(1 / 8, rel=0.05)
  assert d['logits'].keys() == g['image'].keys() == {'kernel'}


@pytest.mark.parametrize('strides', [(1, 1), (2, 1)])
def test_a_grouped_convolution_is_one_for_each_group(strides):
  x = image(2, 5, 6, 12)
  size = {'kernel_size': (3, 3), 'strides': strides}
  layer = blocks.Conv(9, groups=3, **size)
  variables = init(layer, x)
  kernel = variables['params']['kernel']
  assert kernel.shape == (3, 3, 4, 9)
  parts = [
    apply(
      blocks.Conv(3, use_bias=False, **size),
      {'params': {'kernel': kernel[..., 3 * i : 3 * i + 3]}},
      x[..., 4 * i : 4 * i + 4],
    )
    for i in range(3)
  ]
  close(apply(layer, variables, x), jnp.concatenate(parts, axis=-1))
  native = jax.lax.conv_general_dilated(
    x, kernel, strides, 'SAME',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'), feature_group_count=3,
  )  # fmt: skip
  close(apply(layer, variables, x), native)


def test_groups_that_do_not_divide_are_refused():
  with pytest.raises(UserError, match='5 groups .* 12 channels'):
    init(blocks.Conv(10, groups=5), image(1, 4, 4, 12))
  d = r3gan.Discriminator(widths=(6, 6), group=5)
  with pytest.raises(UserError, match='group=5: a block of 12 channels'):
    d.init(jax.random.key(0), image(1, 8, 8, 3), train=True)


def test_doubled_grids_are_halved_back_where_they_are_flat():
  x = jnp.ones((1, 3, 5, 2))
  inner = resampling.smoothly_doubled(x)[:, 1:-1, 1:-1]
  close(inner, jnp.ones((1, 4, 8, 2)))
  inner = resampling.smoothly_halved(jnp.ones((1, 9, 6, 1)))
  assert inner.shape == (1, 4, 3, 1)
  close(inner[:, 1:, 1:-1], jnp.ones((1, 3, 1, 1)))
  with pytest.raises(UserError, match='grid of 1 x 6 is to be halved'):
    resampling.smoothly_halved(jnp.ones((1, 1, 6, 1)))


@pytest.mark.parametrize('shape', [(8, 8, 1), (24, 9, 2), (30, 50, 4)])
def test_images_of_any_size(shape):
  small = {'widths': (8, 4, 4), 'group': 4}
  g = r3gan.Generator(shape=shape, **small)
  d = r3gan.Discriminator(**small)
  run = lambda key: (
    g.init_with_output(key, jnp.ones((2, 4)), train=True)[0],
    d.init_with_output(key, jnp.ones((2, *shape)), train=True)[0],
  )
  images, logits = jax.eval_shape(run, jax.random.key(0))
  assert images.shape == (2, *shape) and logits.shape == (2,)


def test_the_smallest_grid_is_computed_in_float32():
  small = {'widths': (8, 8), 'group': 4, 'dtype': jnp.bfloat16}
  d = r3gan.Discriminator(**small)
  g = r3gan.Generator(shape=(8, 8, 3), **small)
  for net, x, coarse in ((d, (1, 8, 8, 3), 1), (g, (1, 4), 0)):
    run = functools.partial(
      net.init_with_output, train=True, capture_intermediates=True
    )
    _, v = jax.eval_shape(run, jax.random.key(0), jnp.ones(x))
    seen = v['intermediates']
    for i in range(2):
      dtype = jnp.float32 if i == coarse else jnp.bfloat16
      assert seen[f'block_{i}_0']['__call__'][0].dtype == dtype
