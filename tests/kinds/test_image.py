"""Images: levels and model range, grids of them."""

import jax.numpy as jnp
import numpy as np
import PIL.Image
import pytest

from gan_jax.kinds import image
from gan_jax.kinds.drawing import sheets


def test_model_range_and_back():
  levels = np.arange(256, dtype=np.uint8)
  x = np.asarray(image.to_model_range(jnp.asarray(levels)))
  # Two roundings to 24 bits, the constant's and the product's: 2 * 2**-24.
  np.testing.assert_allclose(x, levels / 127.5 - 1, rtol=0, atol=2**-23)
  np.testing.assert_array_equal(x, -x[::-1])
  assert (x[0], x[255]) == (-1, 1)
  np.testing.assert_array_equal(image.from_model_range(x), levels)
  np.testing.assert_array_equal(image.from_model_range(jnp.asarray(x)), levels)
  floats = jnp.array([0.3, -2.0])
  assert image.to_model_range(floats) is floats


def test_back_to_levels_rounds_and_clips():
  x = np.array([-3, -1, -0.9951, 0.9972, 1, 9, np.nan], np.float32)
  assert image.from_model_range(x).tolist() == [0, 0, 1, 255, 255, 255, 0]
  assert isinstance(image.from_model_range(x), np.ndarray)


@pytest.mark.parametrize('shape', [(8, 8, 1), (28, 28, 1), (16, 32, 3)])
def test_grid_cell_k_is_sample_k(shape):
  height, width, channels = shape
  rng = np.random.default_rng(0)
  samples = rng.uniform(-1, 1, (10, *shape)).astype(np.float32)
  sheet = np.asarray(image.picture(samples))
  columns, scale = 4, 600 // (4 * width)
  gap = image.GAP
  assert sheet.shape == (
    3 * (height * scale + gap) + gap,
    columns * (width * scale + gap) + gap,
    3,
  )
  for k, sample in enumerate(samples):
    top = gap + k // columns * (height * scale + gap)
    left = gap + k % columns * (width * scale + gap)
    centre = scale // 2
    cell = sheet[top + centre :: scale, left + centre :: scale]
    cell = cell[:height, :width].astype(np.float64)
    expected = np.broadcast_to((sample + 1) * 127.5, (height, width, 3))
    assert abs(cell - expected).max() <= 0.51, k


def test_grid_takes_uint8_as_it_stands_and_nan_as_black():
  full = image.pixels(np.full((1, 2, 2, 1), 200, np.uint8))
  assert (full == 200).all()
  assert (image.pixels(np.full((1, 2, 2, 3), np.nan)) == 0).all()


def _cells(sheet, colour):
  """(tops, lefts) of the squares of a colour on a sheet."""
  y, x = np.nonzero((np.asarray(sheet)[..., :3] == colour).all(-1))
  starts = lambda v: v[np.diff(v, prepend=-2) > 1].tolist()
  return starts(np.unique(y)), starts(np.unique(x))


@pytest.mark.parametrize(
  'classes, rows, across',
  [(3, 10, 2), (7, 4, 1), (10, 10, 1), (2, 50, 5), (1, 16, 4), (4, 25, 3)],
)
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_a_class_is_a_column(classes, rows, across, channels):
  colours = 50 + 20 * np.arange(classes, dtype=np.uint8)
  labels = [k % classes for k in range(classes * rows)]
  x = np.broadcast_to(
    colours[labels][:, None, None, None], (len(labels), 8, 8, channels)
  )
  sheet = image.picture(np.ascontiguousarray(x), labels=labels)
  assert sheet.mode == ('RGBA' if channels == 4 else 'RGB')
  tops, lefts = _cells(sheet, 50)
  for k, colour in enumerate(colours[1:], 1):
    own_tops, own_lefts = _cells(sheet, colour)
    assert own_tops == tops and own_lefts[0] > lefts[-1], k
    lefts = own_lefts
  assert len(lefts) == across
  assert len(tops) == -(-rows // across)


@pytest.mark.parametrize('classes', [21, 100, 1000])
def test_of_many_classes_evenly_chosen_ones_are_columns(classes):
  labels = [f'class {k % classes}' for k in range(2 * classes)]
  shown = list(sheets.chosen(labels))
  assert len(shown) == sheets.COLUMNS
  assert (shown[0], shown[-1]) == ('class 0', f'class {classes - 1}')
  numbers = [int(name.split()[1]) for name in shown]
  steps = np.diff(numbers)
  assert 0 < min(steps) and max(steps) - min(steps) <= 1
  x = np.zeros((len(labels), 8, 8, 1), np.uint8)
  few = image.picture(x[:20], labels=shown)
  noted = image.picture(x, labels=labels)
  row = sheets.WIDTH // (20 * 8) * 8 + sheets.GAP
  assert noted.height == few.height + row + sheets.HEAD


@pytest.mark.parametrize('names', [('cat', 'dog'), ('a' * 60, 'b', 'ch ' * 20)])
def test_names_stand_above_their_columns(names):
  x = np.zeros((len(names), 64, 64, 3), np.uint8)
  sheet = np.asarray(image.picture(x, labels=list(names)))
  head = sheet[: (sheet == 0).all(-1).any(1).argmax() - sheets.GAP]
  width = sheet.shape[1] // len(names)
  for k in range(len(names)):
    assert head[:, k * width : (k + 1) * width].max() > 150, k


@pytest.mark.parametrize('suffix', ['.png', '.webp'])
@pytest.mark.parametrize(
  'channels, mode', [(1, 'L'), (2, 'LA'), (3, 'RGB'), (4, 'RGBA')]
)
def test_one_sample_is_exported_as_it_is(channels, mode, suffix, tmp_path):
  x = np.random.default_rng(0).integers(0, 256, (1, 9, 7, channels), np.uint8)
  path = tmp_path / f'one{suffix}'
  image.export(path, np.asarray(image.to_model_range(jnp.asarray(x))))
  with PIL.Image.open(path) as read:
    assert read.size == (7, 9)
    assert suffix == '.webp' or read.mode == mode
    found = np.atleast_3d(np.asarray(read.convert(mode)))
  np.testing.assert_array_equal(found, x[0])


@pytest.mark.parametrize('channels', [2, 4])
def test_alpha_is_kept_beside_others_and_among_neighbours(channels):
  x = np.random.default_rng(0).integers(0, 256, (4, 8, 8, channels), np.uint8)
  for made in (image.picture(x), image.neighbours(x, x[:, None])):
    assert made.mode == 'RGBA'
    alphas = set(np.asarray(made)[..., 3].ravel().tolist())
    assert set(x[..., -1].ravel().tolist()) <= alphas
