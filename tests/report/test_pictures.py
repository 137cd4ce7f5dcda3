"""Picture files and animations."""

import numpy as np
import PIL.Image
import pytest

from gan_jax.kinds import image as kind
from gan_jax.report import charts, pictures
from gan_jax.types import UserError


def test_chart_from_zero():
  rows = [{'step': 100 + k, 'a': 100.0 + k % 2} for k in range(1, 40)]
  line = charts.line('a', rows)
  assert '>0</text>' not in charts.chart('A', [line])
  assert '>0</text>' in charts.chart('A', [line], zero=True)


def test_unknown_suffix_is_the_users_mistake(tmp_path):
  with pytest.raises(UserError, match='out.bmp'):
    pictures.save(tmp_path / 'out.bmp', PIL.Image.new('RGB', (2, 2)))


@pytest.mark.parametrize('suffix', ['.png', '.webp'])
def test_save_is_lossless(tmp_path, suffix):
  noise = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3))
  image = kind.picture(noise)
  pictures.save(tmp_path / f'out{suffix}', image)
  loaded = PIL.Image.open(tmp_path / f'out{suffix}').convert('RGB')
  assert (np.asarray(loaded) == np.asarray(image)).all()


@pytest.mark.parametrize(
  'channels, seen',
  [(4, (255, 255, 255)), (2, (255, 255, 255)), (3, (0, 0, 0)), (1, (0, 0, 0))],
)
def test_what_is_transparent_is_white_on_pages_and_boards(
  channels, seen, tmp_path
):
  clear = kind.picture(np.full((1, 8, 8, channels), -1.0))  # black
  shown = [pictures.flat(clear)]
  pictures.save_step(tmp_path, 0, clear)
  shown.append(pictures.opened(tmp_path / 'step_00000000.png'))
  with PIL.Image.open(pictures.animate(tmp_path)) as film:
    shown.append(film.convert('RGB'))
  for image in shown:
    assert image.mode == 'RGB'
    middle = image.getpixel((image.width // 2, image.height // 2))
    assert np.abs(np.subtract(middle, seen)).max() < 5


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
