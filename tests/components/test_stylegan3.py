"""StyleGAN3: its table of bands, its filters, equivariance in decibels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from gan_jax.models import stylegan3
from gan_jax.models.layers import bands, filters
from gan_jax.types import UserError
from tests.components.compiled import close, image

KEY = jax.random.key(0)
SIZE, Z = 32, 8
PUBLISHED = {'layers': 14, 'margin': 10, 'base': 32768, 'most': 512}


@pytest.mark.parametrize(
  'size, grids, channels',
  [
    (
      256,
      [36, 36, 36, 52, 52, 84, 84, 148, 148, 148, 276, 276, 276, 256, 256],
      [512] * 9 + [362, 256, 181, 128, 128, 3],
    ),
    (
      1024,
      [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044]
      + [1024, 1024],
      [512] * 7 + [323, 203, 128, 81, 51, 32, 32, 3],
    ),
  ],
)
def test_bands_are_the_published_ones(size, grids, channels):
  made = bands.bands((size, size, 3), **PUBLISHED)
  assert [band.grid for band in made] == [(n, n) for n in grids]
  assert [band.channels for band in made] == channels
  assert made[0].cutoff == 2 and made[-1].cutoff == size / 2


def response(taps, frequency, rate):
  """How much of a wave along the rows a filter keeps."""
  places = np.arange(len(taps)) - (len(taps) - 1) / 2
  line = taps if taps.ndim == 1 else taps.sum(1)
  return abs((line * np.exp(2j * np.pi * frequency * places / rate)).sum())


@pytest.mark.parametrize('radial', [False, True])
def test_a_low_pass_filter_halves_its_cutoff(radial):
  own = {'cutoff': 4.0, 'width': 4.0, 'rate': 32}
  taps = filters.low_pass(24, **own, radial=radial)
  assert taps.dtype == np.float32 and taps.sum() == pytest.approx(1)
  kept = [response(taps, f, 32) for f in (1.0, 4.0, 8.0)]
  np.testing.assert_allclose(kept, [1, 0.5, 0], atol=0.06)


def test_a_radial_filter_keeps_a_disc():
  taps = filters.low_pass(24, cutoff=4.0, width=4.0, rate=32, radial=True)
  waves = [(4.0, 0.0), (4 * np.sqrt(0.5), 4 * np.sqrt(0.5))]
  places = (np.arange(24) - 11.5) / 32
  kept = [
    (taps * np.cos(2 * np.pi * (places[:, None] * a + places * b))).sum()
    for a, b in waves
  ]
  assert kept[0] == pytest.approx(kept[1], abs=0.02)


def box(taps, *, radial=False, **band):
  """The nearest place, or a mean, where a low-pass filter would be."""
  del band
  line = np.zeros(taps, np.float32)
  few = taps // bands.TAPS
  line[(taps - few) // 2 : (taps + few) // 2] = 1 / few
  return np.outer(line, line) if radial else line


def small(**options):
  return stylegan3.Generator(
    shape=(SIZE, SIZE, 3), features=Z, layers=6, margin=8,
    channel_base=512, channel_max=8, **options,
  )  # fmt: skip


def decibels(g, bias, expected, mask):
  """Signal to noise between images of a moved input and moved images."""
  z = image(2, Z)
  variables = jax.jit(lambda z: g.init(KEY, z, train=False))(z)
  run = jax.jit(lambda variables: g.apply(variables, z, train=False))

  def moved(bias):
    variables['params']['synthesis']['input']['affine']['bias'] = bias
    return np.asarray(run(variables))

  still = moved(jnp.array([1.0, 0, 0, 0]))
  error = moved(jnp.array(bias)) - expected(still)
  power = np.square(error[:, mask]).mean() / np.ptp(still) ** 2
  return -10 * np.log10(power)


ROW, COLUMN = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
INSIDE = np.hypot(ROW, COLUMN) < 9


def translation(g):
  """By three pixels, which are no whole number of places of coarser grids."""
  shifted = lambda x: np.roll(x, 3, axis=2)
  return decibels(g, [1.0, 0.0, 3 / SIZE, 0.0], shifted, INSIDE)


def rotation(g):
  """By 30 degrees about the centre."""
  turn = lambda x: ndimage.rotate(x, 30, axes=(1, 2), reshape=False, order=5)
  by = np.deg2rad(30)
  return decibels(g, [np.cos(by), np.sin(by), 0.0, 0.0], turn, INSIDE)


@pytest.mark.slow
def test_translation_is_kept_by_filters(monkeypatch):
  with_filters = translation(small())
  monkeypatch.setattr(filters, 'low_pass', box)
  without = translation(small())
  assert with_filters > 80 > without + 20, (with_filters, without)


@pytest.mark.slow
def test_rotation_is_kept_by_radial_filters_and_kernels_of_1(monkeypatch):
  with_filters, by_t = rotation(small(rotation=True)), rotation(small())
  monkeypatch.setattr(filters, 'low_pass', box)
  without = rotation(small(rotation=True))
  assert with_filters > 60, with_filters
  assert max(without, by_t) < 45, (without, by_t)


def test_first_frequencies_fill_a_disc():
  g = small().clone(channel_max=512, channel_base=32768)
  _, kept = jax.eval_shape(
    lambda z: g.init_with_output(KEY, z, train=True), image(2, Z)
  )
  assert set(kept) == {'params', 'averages', 'fourier'}
  first = bands.bands((SIZE, SIZE, 3), **PUBLISHED)[0]
  x = stylegan3.Input(first).init(KEY, image(1, Z))['fourier']['frequencies']
  radii = np.sort(np.linalg.norm(x, axis=1))
  assert radii[-1] <= 2 + 1e-6
  # A disc's area grows as the square of its radius.
  np.testing.assert_allclose(
    radii[[127, 255, 383]], 2 * np.sqrt([0.25, 0.5, 0.75]), atol=0.15
  )


def test_magnitudes_move_in_training_by_the_images_met():
  band = bands.bands((8, 8, 1), layers=3, margin=0, base=32, most=3)[0]
  layer = stylegan3.Layer(
    band, band, kernel=1, radial=False, last=True, axis_name='batch',
    dtype=jnp.float32,
  )  # fmt: skip
  x, w = 3 * image(4, *band.grid, 3), image(4, Z)
  variables = layer.init(KEY, x, w, train=False)
  run = lambda x, w: layer.apply(
    variables, x, w, train=True, mutable='averages'
  )[1]
  halves = jax.tree.map(lambda x: x.reshape(2, 2, *x.shape[1:]), (x, w))
  after = jax.vmap(run, axis_name='batch')(*halves)
  decay = 0.5 ** (4 / 20_000)  # of four images on two devices
  wanted = decay + (1 - decay) * jnp.square(x).mean()
  close(after['averages']['magnitude']['value'], [wanted, wanted])


@pytest.mark.parametrize('shape', [(4, 4, 1), (28, 40, 1), (30, 16, 4)])
@pytest.mark.parametrize('turns', [False, True])
def test_images_of_any_size(shape, turns):
  g = stylegan3.Generator(shape=shape, rotation=turns, dtype=jnp.bfloat16)
  x, _ = jax.eval_shape(
    lambda z: g.init_with_output(KEY, z, train=True), image(2, Z)
  )
  assert (x.shape, x.dtype) == ((2, *shape), jnp.float32)


@pytest.mark.parametrize(
  'options, says',
  [
    ({'layers': 2}, 'layers=2, margin=10: expected 3 layers or more'),
    ({'margin': -1}, 'margin=-1'),
    ({'channel_base': 2}, 'channel_base=2'),
    ({'shape': (3, 3, 1)}, r'shape \(3, 3, 1\)'),
  ],
)
def test_refusals(options, says):
  g = stylegan3.Generator(**{'shape': (32, 32, 1), **options})
  with pytest.raises(UserError, match=says):
    jax.eval_shape(lambda z: g.init(KEY, z, train=True), image(2, Z))
