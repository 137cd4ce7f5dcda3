"""The residual networks of images: sizes, attention, initial weights."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.models.layers import resampling, resnets
from gan_jax.types import UserError
from tests.components import compiled, golden
from tests.components.shipped import SMALL

ATTEND = ('biggan', 'biggan_deep', 'sagan', 'sngan')
NAMES = (*ATTEND, 'infogan', 'sndcgan')


def small(name, player, own):
  """Options of a thin network of two blocks, and others."""
  widths = (1, 1, 1) if name.startswith('biggan') else (4, 4, 4)
  return SMALL[name][player] | {'widths': widths} | (own or {})


def pair(name, shape, *, g=None, d=None, **common):
  module = importlib.import_module(f'gan_jax.models.{name}')
  g, d = small(name, 'g', g), small(name, 'd', d)
  return module.Generator(shape=shape, **g, **common), module.Discriminator(
    **d, **common
  )


@pytest.mark.parametrize(
  'size, channels', [((8, 8), 1), ((9, 30), 2), ((28, 28), 4), ((64, 33), 5)]
)
@pytest.mark.parametrize('name', NAMES)
def test_any_size_and_any_number_of_channels(name, size, channels):
  shape = *size, channels
  (image, _), (logits, _) = golden.shapes(pair(name, shape), 5)
  assert image.shape == (2, *shape)
  assert logits.shape == (2,)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize(
  'shape', [(2,), (7, 64, 3), (5000, 5000, 3), (8, 8, 0)]
)
def test_what_no_row_is_for_is_refused(name, shape):
  with pytest.raises(UserError, match=f'model {name}: cannot make .* 8 to '):
    golden.shapes(_plain(name, shape), 8)


def _plain(name, shape):
  module = importlib.import_module(f'gan_jax.models.{name}')
  return module.Generator(shape=shape), module.Discriminator()


def test_the_row_is_that_of_the_next_larger_size():
  rows = {32: 'a', 48: 'b', 64: 'c'}
  shapes = [(8, 90, 1), (32, 32, 3), (33, 40, 3), (64, 49, 3)]
  net = pair('sngan', (8, 8, 3))[0]
  assert [resnets.row(net, rows, s) for s in shapes] == ['a', 'a', 'b', 'c']


def test_grids_of_g_reach_the_image_and_those_of_d_leave_odd_lines_out():
  assert resnets.doubled_grids((28, 30, 1), 2) == [(7, 8), (14, 16), (28, 32)]
  assert resnets.doubled_grids((9, 8, 1), 1) == [(5, 4), (10, 8)]
  assert resnets.halved_grids((9, 30, 1), 2) == [(9, 30), (4, 15), (2, 7)]


def attended(net, shape):
  g = 'shape' in net.__dataclass_fields__
  x = jnp.ones((2, 8) if g else (2, *shape))
  made = jax.eval_shape(
    lambda: net.init(jax.random.key(0), x, train=True)['params']
  )
  return {k for k in made if k.startswith('attention')}


@pytest.mark.parametrize(
  'name, size, g, d',
  [
    ('sngan', 32, set(), set()),
    ('sagan', 32, {1}, {0}),  # 16 rows
    ('sagan', 64, {2}, {0}),  # 32
    ('sagan', 128, {2}, {1}),  # 32
    ('biggan', 32, {1}, {0}),  # 16
    ('biggan', 128, {3}, {0}),  # 64
    ('biggan', 256, {3}, {1}),  # 64
    ('biggan_deep', 128, {3}, {0}),  # 64
  ],
)
def test_where_attention_is_if_not_asked_for(name, size, g, d):
  shape = size, size, 3
  nets = _plain(name, shape)
  found = [attended(net, shape) for net in nets]
  assert found == [{f'attention_{i}' for i in own} for own in (g, d)]


@pytest.mark.parametrize('name', ATTEND)
def test_attention_is_where_it_is_asked_for_once(name):
  shape = 32, 32, 3
  ask = lambda g, d: [
    attended(net, shape)
    for net in pair(name, shape, g={'attention': g}, d={'attention': d})
  ]
  assert ask((0,), (0,)) == [set(), set()]
  assert ask((16,), (16,)) == [{'attention_0'}, {'attention_0'}]
  both = {'attention_0', 'attention_1'}
  assert ask((32, 16), (16, 8)) == [both, both]


@pytest.mark.parametrize('player', 'gd')
def test_attention_where_there_is_no_such_grid_is_refused(player):
  nets = pair('sngan', (32, 32, 3), **{player: {'attention': (7,)}})
  there = {'g': '16, 32', 'd': '16, 8'}[player]
  with pytest.raises(
    UserError, match=f'model.{player}.attention=7: .* {there}'
  ):
    golden.shapes(nets, 4)


@pytest.mark.parametrize('option', ['attention', 'widths'])
def test_a_single_number_is_no_list_of_them(option):
  with pytest.raises(UserError, match=f'{option}=8: expected values with'):
    select.model('sngan', g={option: 8}, d={}, shape=(8, 8, 1))


def test_a_grid_of_one_line_is_not_halved():
  with pytest.raises(UserError, match='a grid of 1 x 4 is to be halved'):
    resampling.halved(jnp.ones((1, 1, 4, 2)))


def test_doubled_and_halved():
  x = compiled.image(2, 3, 5, 4)
  big = np.asarray(resampling.doubled(x))
  np.testing.assert_array_equal(big, np.kron(x, np.ones((1, 2, 2, 1))))
  np.testing.assert_allclose(resampling.halved(big), x, 1e-6)
  odd = np.asarray(resampling.halved(x))
  assert odd.shape == (2, 1, 2, 4)
  np.testing.assert_allclose(
    odd[:, 0, 1], np.asarray(x)[:, :2, 2:4].mean((1, 2)), 1e-5
  )


@pytest.mark.parametrize('option', ['pool', 'modulation'])
def test_unknown_names_list_what_exists(option):
  own = (
    {'d': {'pool': 'max'}}
    if option == 'pool'
    else {'g': {'modulation': 'style'}}
  )
  with pytest.raises(UserError, match=f"{option} '.*expected one of .*none"):
    golden.shapes(pair('sngan', (8, 8, 1), **own), 4)


def test_a_latent_shorter_than_the_blocks_is_refused():
  with pytest.raises(UserError, match=r'latent.dim=2: .* 2 blocks .* 3 parts'):
    golden.shapes(pair('biggan', (8, 8, 1)), 2)


def test_a_latent_is_cut_from_its_end():
  """Of 8 numbers for 2 blocks, 4 make the grid, 2 go to each block."""
  g, _ = pair('biggan', (8, 8, 1), num_classes=3)
  z, label = jnp.ones((2, 8)), jnp.zeros(2, int)
  made = jax.eval_shape(
    lambda: g.init(jax.random.key(0), z, label, train=True)['params']
  )
  assert made['start']['kernel'].shape[0] == 4
  gain = made['block_1']['norm_1']['gain']['kernel']
  assert gain.shape == (3 + 2, 4)


def weights(name, player):
  net = _plain(name, (32, 32, 3))['gd'.index(player)]
  net = net.clone(widths=(16, 16, 16))
  x = jnp.ones((2, 64)) if player == 'g' else jnp.ones((2, 32, 32, 3))
  init = lambda key: net.init(key, x, train=True)['params']
  return jax.jit(init)(jax.random.key(0))


def test_widths_of_sngan():
  """Of 48 pixels as published; of more, D is G's mirror, doubling to 1,024."""
  rows = importlib.import_module('gan_jax.models.sngan').SIZES
  assert list(rows) == [32, 48, 64, 128, 256]
  assert rows[48] == ((512, 256, 128, 64), (64, 128, 256, 512, 1024), 4)
  for size, halved in {64: 5, 128: 5, 256: 6}.items():
    g, d, halvings = rows[size]
    assert d == g[::-1]
    assert sorted({*d}) == [64, 128, 256, 512, 1024]
    assert d == tuple(sorted(d))
    assert 4 * 2 ** (len(g) - 1) == size
    assert halvings == halved


def test_first_weights_of_sngan():
  """Glorot's; of the 3 x 3 in a block with a gain of sqrt 2."""
  for player in 'gd':
    own = weights('sngan', player)
    block = own['block_1']
    kernel, variance = np.asarray(block['conv_1']['kernel']), 2 / (9 * 16)
    assert kernel.std() == pytest.approx(variance**0.5, rel=0.06)
    assert np.abs(kernel).max() <= (3 * variance) ** 0.5
    shortcut = np.asarray(block['shortcut']['kernel'])
    assert shortcut.std() == pytest.approx((2 / 32) ** 0.5, rel=0.12)


def test_first_weights_of_biggan_are_orthogonal():
  module = importlib.import_module('gan_jax.models.biggan')
  net = module.Discriminator(unit=4, widths=(1, 2), num_classes=3)
  x, label = jnp.ones((2, 8, 8, 3)), jnp.zeros(2, int)
  init = lambda key: net.init(key, x, label, train=True)['params']
  own = jax.jit(init)(jax.random.key(0))
  for kernel in (
    own['block_1']['conv_0']['kernel'],
    own['block_1']['shortcut']['kernel'],
    own['embed']['embedding'].T,
  ):
    matrix = np.asarray(kernel).reshape(-1, kernel.shape[-1])
    rows, columns = matrix.shape
    gram = matrix.T @ matrix if rows >= columns else matrix @ matrix.T
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), atol=1e-5)
