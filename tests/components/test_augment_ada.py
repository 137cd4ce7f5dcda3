"""ADA's transforms against NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, signal
from scipy.spatial.transform import Rotation

from gan_jax.augment.shared import color, corruption, geometry, wavelets
from gan_jax.augment.shared.draws import Numbers

KEYS = jax.random.split(jax.random.key(3), 4)
RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(9, 12, 3)).astype(np.float32)  # [H, W, C]
GRAY = IMAGE[..., :1]
TAPS = np.array(wavelets.SYM6) / np.sqrt(2)


def frozen(**values):
  """Draws that are these values, and neutral otherwise."""

  def draw(name, sampler, neutral):
    like = sampler(Numbers(jnp.zeros(2), jnp.zeros(2)))
    value = jnp.asarray(values.get(name, neutral), jnp.float32)
    return jnp.broadcast_to(value, like.shape)

  return draw


# Wavelets.


def test_sym6_is_orthogonal_with_six_vanishing_moments():
  h, n = np.array(wavelets.SYM6), np.arange(12)
  for shift in range(6):
    product = (h[2 * shift :] * h[: 12 - 2 * shift]).sum()
    assert product == pytest.approx(float(shift == 0), abs=1e-9)
  for power in range(6):
    moment = ((-1.0) ** n * (n / 11) ** power * h).sum()
    assert moment == pytest.approx(0, abs=1e-8)


def test_sym2_is_orthogonal_with_two_vanishing_moments():
  h, n = np.array(wavelets.SYM2), np.arange(4)
  assert (h**2).sum() == pytest.approx(1)
  assert (h[2:] * h[:2]).sum() == pytest.approx(0)
  assert ((-1.0) ** n * h).sum() == pytest.approx(0)
  assert ((-1.0) ** n * n * h).sum() == pytest.approx(0)


def spread(h, by):
  """h(z^by)."""
  made = np.zeros(by * (len(h) - 1) + 1)
  made[::by] = h
  return made


def octaves():
  """The four bands as products of filters of one octave each."""
  low = np.array(wavelets.SYM2)
  high = low * np.array([1, -1, 1, -1])
  low, high = (np.convolve(h, h[::-1]) / 2 for h in (low, high))
  rows = [
    [spread(low, 4), spread(low, 2), low],
    [spread(high, 4), spread(low, 2), low],
    [spread(high, 2), low],
    [high],
  ]
  for row in rows:
    made = row[0]
    for h in row[1:]:
      made = np.convolve(made, h)
    yield np.pad(made, (43 - len(made)) // 2)


def test_bands_split_a_signal_into_octaves():
  bands = wavelets.bands()
  np.testing.assert_allclose(bands, np.stack(list(octaves())), atol=1e-12)
  np.testing.assert_allclose(bands.sum(0), np.arange(43) == 21, atol=1e-12)


# Geometry.


def matrix(a, b, c, d, x=0.0, y=0.0):
  return np.array([[a, b, x], [c, d, y], [0, 0, 1]])


def turn(angle):
  c, s = np.cos(angle), np.sin(angle)
  return matrix(c, -s, s, c)


def forwards(values, height, width):
  """What is done to a place, one transform after another."""
  made = np.eye(3)
  flip = 1 - 2 * values.get('xflip', 0)
  size, stretch = values.get('scale', 1), values.get('aniso', 1)
  steps = np.round(np.array(values.get('xint', (0, 0))) * [width, height])
  by = np.array(values.get('xfrac', (0, 0))) * [width, height]
  for one in (
    matrix(flip, 0, 0, 1),
    turn(-np.pi / 2 * values.get('rotate90', 0)),
    matrix(1, 0, 0, 1, *steps),
    matrix(size, 0, 0, size),
    turn(-values.get('rotate_before', 0)),
    matrix(stretch, 0, 0, 1 / stretch),
    turn(-values.get('rotate_after', 0)),
    matrix(1, 0, 0, 1, *by),
  ):
    made = one @ made
  return made


def finer(x, axis):
  """Twice as many places: zeros between, filtered."""
  n = x.shape[axis]
  whole = signal.upfirdn(2 * TAPS, x, up=2, axis=axis)
  return np.take(whole, range(5, 5 + 2 * n), axis=axis)


def coarser(x, axis, n):
  whole = signal.upfirdn(TAPS[::-1], x, axis=axis)
  return np.take(whole, range(12, 12 + 2 * n, 2), axis=axis)


def margins(inverse, height, width):
  """Pixels beyond the edges that the corners of the new image ask for."""
  cx, cy = (width - 1) / 2, (height - 1) / 2
  corners = np.array([[-cx, cx, cx, -cx], [-cy, -cy, cy, cy], [1, 1, 1, 1]])
  at = (inverse @ corners)[:2]
  far = np.concatenate([-at, at]).max(axis=1)  # left, top, right, bottom
  far += np.array([6 - cx, 6 - cy] * 2)
  far = np.minimum(np.maximum(far, 0), [width - 1, height - 1] * 2)
  return np.ceil(far).astype(int)


def warped(x, inverse):
  """As published: reflected as far as is needed, 2 x, bilinear, 1 / 2 x."""
  height, width, channels = x.shape
  left, top, right, bottom = margins(inverse, height, width)
  pads = ((top, bottom), (left, right), (0, 0))
  fine = finer(finer(np.pad(x, pads, mode='reflect'), 0), 1)
  rows, columns = (
    (np.arange(2 * n + 12) + 0.5 - (n + 6)) for n in (height, width)
  )
  grid = np.stack(np.meshgrid(columns, rows))  # [2, N, M], from the centre
  places = (grid + 0.5) / 2
  shift = np.array([left - right, top - bottom]) / 2
  moved = np.einsum('ij,jnm->inm', inverse[:2, :2], places)
  moved += (inverse[:2, 2] + shift)[:, None, None]
  at = 2 * moved - 0.5 + (np.array(fine.shape[1::-1]) / 2)[:, None, None] - 0.5
  seen = np.stack(
    [
      ndimage.map_coordinates(
        fine[..., c], at[::-1], order=1, mode='grid-constant'
      )
      for c in range(channels)
    ],
    axis=-1,
  )
  return coarser(coarser(seen, 0, height), 1, width)


MOVES = {
  'xflip': {'xflip': 1},
  'quarter': {'rotate90': 1},
  'three quarters': {'rotate90': 3},
  'xint': {'xint': (0.12, -0.1)},
  'larger': {'scale': 1.3},
  'smaller': {'scale': 0.8},
  'before': {'rotate_before': 0.7},
  'after': {'rotate_after': -2.5},
  'aniso': {'aniso': 1.2},
  'xfrac': {'xfrac': (0.07, -0.21)},
  'all': {
    'xflip': 1, 'rotate90': 1, 'xint': (-0.1, 0.1), 'scale': 1.2,
    'rotate_before': 0.3, 'aniso': 0.9, 'rotate_after': 1.1,
    'xfrac': (-0.1, 0.04),
  },
  'far away': {'scale': 0.2, 'xfrac': (2.0, 0.0)},  # beyond all reflections
}  # fmt: skip


@pytest.mark.parametrize('name', MOVES)
def test_an_image_is_moved_as_published(name):
  height, width = IMAGE.shape[:2]
  draw = frozen(**MOVES[name])
  maps = [f(draw, height, width) for f in (geometry.blit, geometry.geom)]
  inverse = maps[0] @ maps[1]
  want = np.linalg.inv(forwards(MOVES[name], height, width))
  np.testing.assert_allclose(inverse, want, atol=1e-5)
  made = jax.jit(geometry.warp)(IMAGE, inverse)
  np.testing.assert_allclose(made, warped(IMAGE, want), atol=1e-4)


def test_what_is_not_moved_stays():
  draw = frozen()
  inverse = geometry.blit(draw, 9, 12) @ geometry.geom(draw, 9, 12)
  made = jax.jit(geometry.warp)(IMAGE, inverse)
  np.testing.assert_allclose(made, IMAGE, atol=1e-5)


# Colours.


def colored(x, values):
  """An image [H, W, 3] in other colours, one transform after another."""
  x = x + values.get('brightness', 0)
  x = x * values.get('contrast', 1)
  x = x - 2 * values.get('lumaflip', 0) * x.mean(-1, keepdims=True)
  axis = np.ones(3) / np.sqrt(3)
  turn = Rotation.from_rotvec(values.get('hue', 0) * axis).as_matrix()
  x = x @ turn.T
  mean = x.mean(-1, keepdims=True)
  return mean + values.get('saturation', 1) * (x - mean)


COLORS = {
  'brightness': {'brightness': 0.3},
  'contrast': {'contrast': 1.7},
  'lumaflip': {'lumaflip': 1},
  'hue': {'hue': 2.2},
  'saturation': {'saturation': 0.4},
  'all': {
    'brightness': -0.2, 'contrast': 0.6, 'lumaflip': 1, 'hue': -1.0,
    'saturation': 2.3,
  },
}  # fmt: skip


@pytest.mark.parametrize('name', COLORS)
def test_colours_are_changed_as_published(name):
  by = color.matrix(frozen(**COLORS[name]), channels=3)
  made = color.change(jnp.asarray(IMAGE), by)
  np.testing.assert_allclose(made, colored(IMAGE, COLORS[name]), atol=1e-4)


@pytest.mark.parametrize('name', ['brightness', 'contrast', 'lumaflip', 'all'])
def test_gray_images_have_the_mean_of_three_rows(name):
  values = dict(COLORS[name])
  by = color.matrix(frozen(**values), channels=1)
  made = color.change(jnp.asarray(GRAY), by)
  values |= {'hue': 0, 'saturation': 1}
  want = colored(np.repeat(GRAY, 3, -1), values).mean(-1, keepdims=True)
  np.testing.assert_allclose(made, want, atol=1e-4)


# Corruptions.


def test_octaves_are_filtered_as_published():
  gains = [0.5, 2.0, 1.0, 3.0]
  values = {f'imgfilter_{i}': t for i, t in enumerate(gains)}
  total = np.ones(4)
  for i, gain in enumerate(gains):
    own = np.where(np.arange(4) == i, gain, 1.0)
    total *= own / np.sqrt((np.array([10, 1, 1, 1]) / 13 * own**2).sum())
  kernel = total @ np.stack(list(octaves()))
  taps = corruption.taps(frozen(**values))
  np.testing.assert_allclose(taps, kernel, atol=1e-5)
  pads = ((21, 21), (21, 21), (0, 0))
  wide = np.pad(IMAGE, pads, mode='reflect')
  plane = np.outer(kernel, kernel)[..., None]
  want = signal.convolve(wide, plane, mode='valid')
  made = corruption.filtered(jnp.asarray(IMAGE), jnp.float32(kernel))
  np.testing.assert_allclose(made, want, atol=1e-4)


def test_noise_has_the_strength_that_is_drawn():
  made = corruption.noisy(jnp.asarray(IMAGE), frozen(noise=-0.3), KEYS[0])
  want = IMAGE + 0.3 * np.asarray(jax.random.normal(KEYS[0], IMAGE.shape))
  np.testing.assert_allclose(made, want, atol=1e-5)


@pytest.mark.parametrize('centre', [(0.5, 0.5), (0.02, 0.9)])
def test_a_box_of_half_the_sides_is_cut(centre):
  made = corruption.cut(jnp.asarray(IMAGE), frozen(cutout=(*centre, 0.5)))
  want = IMAGE.copy()
  for i in range(9):
    for j in range(12):
      down, right = (i + 0.5) / 9 - centre[1], (j + 0.5) / 12 - centre[0]
      if abs(down) < 0.25 and abs(right) < 0.25:
        want[i, j] = 0
  np.testing.assert_array_equal(made, want)
  assert (want != IMAGE).any()
