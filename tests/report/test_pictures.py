"""Samples as pictures: grids, scatter plots, files, animations."""

import numpy as np
import PIL.Image
import pytest

from gan_jax.report import charts, pictures
from gan_jax.types import UserError

RING = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)



@pytest.mark.parametrize('shape', [(8, 8, 1), (28, 28, 1), (16, 32, 3)])
def test_grid_cell_k_is_sample_k(shape):
  height, width, channels = shape
  rng = np.random.default_rng(0)
  samples = rng.uniform(-1, 1, (10, *shape)).astype(np.float32)
  sheet = np.asarray(pictures.picture('image', samples))
  columns, scale = 4, 600 // (4 * width)
  gap = pictures.GAP
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
  full = pictures.pixels(np.full((1, 2, 2, 1), 200, np.uint8))
  assert (full == 200).all()
  assert (pictures.pixels(np.full((1, 2, 2, 3), np.nan)) == 0).all()


def test_grid_labels_lie_beneath_the_images():
  samples = np.full((4, 8, 8, 1), -1.0)
  bare = np.asarray(pictures.grid(samples))
  named = np.asarray(pictures.grid(samples, labels=['cat', 'dog', 'a', 'b']))
  assert named.shape[0] == bare.shape[0] + 2 * pictures.CAPTION
  assert named[:300].max() < 60 < named[302 : 302 + pictures.CAPTION].max()


def _blue(image):
  """Centre of the accent-coloured pixels, [2] as (x, y)."""
  r, g, b = np.asarray(image, np.int32).transpose(2, 0, 1)
  return np.argwhere((b > 180) & (r < 140))[:, ::-1].mean(axis=0)


def test_scatter_axes_come_from_the_modes():
  modes = {'centers': RING, 'std': 0.01}
  there = [
    _blue(pictures.picture('point', np.full((50, 2), at), modes=modes))
    for at in (0.0, 0.5)
  ]
  few = _blue(pictures.picture('point', np.full((2, 2), 0.5), modes=modes))
  assert there[1][0] > there[0][0] + 50 and there[1][1] < there[0][1] - 50
  assert abs(few - there[1]).max() < 2
  with_nan = np.array([[0.0, 0.0], [np.nan, 1.0], [9.0, 9.0]])
  assert pictures.picture('point', with_nan, modes=modes).size == (600, 600)


@pytest.mark.parametrize('points', [np.zeros((4, 2)), np.full((4, 2), np.nan)])
def test_scatter_of_degenerate_points(points):
  image = pictures.picture('point', points, labels=[0, 1, 1, 0])
  assert image.size == (600, 600) and image.mode == 'RGB'


def test_chart_from_zero():
  rows = [{'step': 100 + k, 'a': 100.0 + k % 2} for k in range(1, 40)]
  line = charts.line('a', rows)
  assert '>0</text>' not in charts.chart('A', [line])
  assert '>0</text>' in charts.chart('A', [line], zero=True)


def test_unknown_kind_and_suffix_are_the_users_mistake(tmp_path):
  with pytest.raises(UserError, match="'image' and 'point'"):
    pictures.picture('smell', np.zeros((1, 2)))
  with pytest.raises(UserError, match='out.bmp'):
    pictures.save(tmp_path / 'out.bmp', PIL.Image.new('RGB', (2, 2)))


@pytest.mark.parametrize('suffix', ['.png', '.webp'])
def test_save_is_lossless(tmp_path, suffix):
  image = pictures.grid(np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)))
  pictures.save(tmp_path / f'out{suffix}', image)
  loaded = PIL.Image.open(tmp_path / f'out{suffix}').convert('RGB')
  assert (np.asarray(loaded) == np.asarray(image)).all()


def test_animation_of_at_most_so_many_frames(tmp_path):
  assert pictures.animate(tmp_path) is None
  for k in range(9):
    image = PIL.Image.new('RGB', (8, 8), (k * 28, 0, 0))
    pictures.save_step(tmp_path, 100 * k, image)
  path = pictures.animate(tmp_path, frames=5)
  assert path == tmp_path / 'progress.webp'
  with PIL.Image.open(path) as film:
    assert film.is_animated and film.n_frames == 5
    film.seek(0)
    assert film.convert('RGB').getpixel((4, 4))[0] < 20
    film.seek(4)
    assert film.convert('RGB').getpixel((4, 4))[0] > 200
  assert not list(tmp_path.glob('.*')), 'temporary files are left'


def test_later_step_pictures_are_dropped(tmp_path):
  for step in (100, 200, 300):
    pictures.save_step(tmp_path, step, PIL.Image.new('RGB', (2, 2)))
  pictures.drop_later(tmp_path, 200)
  names = [path.name for path in pictures.step_pictures(tmp_path)]
  assert names == ['step_00000100.png', 'step_00000200.png']
