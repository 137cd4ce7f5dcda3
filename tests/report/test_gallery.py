"""The page's pictures: nearest neighbours and the animation."""

import numpy as np
import PIL.Image

from gan_jax.report import gallery, pictures
from tests.report.test_page import _Reader


def _folder(tmp_path, *names, size=64):
  """A folder of pictures of noise, so that they need their bytes."""
  rng = np.random.default_rng(0)
  for name in names:
    noise = rng.integers(0, 256, (size, size, 3), np.uint8)
    pictures.save(tmp_path / name, PIL.Image.fromarray(noise))
  return tmp_path


def test_gallery_shows_the_nearest_neighbours(tmp_path):
  assert gallery.gallery(_folder(tmp_path, 'neighbours.png')) == ''
  bare = gallery.gallery(_folder(tmp_path, 'step_00000100.png'))
  assert bare.count('<img') == 2 and 'Nearest real examples' in bare
  (tmp_path / 'neighbours.png').unlink()
  without = gallery.gallery(tmp_path)
  assert without.count('<img') == 1 and 'Nearest' not in without
  _Reader(bare)


def test_gallery_shows_neighbours_that_are_new(tmp_path):
  _folder(tmp_path, 'step_00000100.png', 'neighbours.png')
  before = gallery.embed(tmp_path / 'neighbours.png')
  assert before in gallery.gallery(tmp_path)
  pictures.save(tmp_path / 'neighbours.png', PIL.Image.new('RGB', (64, 63)))
  after = gallery.embed(tmp_path / 'neighbours.png')
  assert after != before and after in gallery.gallery(tmp_path)


def test_neighbours_leave_less_room_for_the_animation(tmp_path, monkeypatch):
  folder = _folder(tmp_path, 'step_00000100.png', 'progress.webp')
  without = gallery.gallery(folder)
  assert 'class="film"' in without
  pictures_alone = len(gallery.embed(folder / 'step_00000100.png')) * 3 // 4
  film = (folder / 'progress.webp').stat().st_size
  monkeypatch.setattr(gallery, 'BUDGET', pictures_alone + film + 1000)
  assert 'class="film"' in gallery.gallery(folder)
  _folder(tmp_path, 'neighbours.png')
  shown = gallery.gallery(folder)
  assert 'class="film"' not in shown and 'Nearest real examples' in shown


def test_what_a_picture_cannot_show_stands_below_it(tmp_path):
  folder = _folder(tmp_path, 'step_00000100.png', 'neighbours.png')
  assert 'class="more"' not in gallery.gallery(folder)
  (folder / gallery.MORE).write_text('<p>a sound</p>')
  html = gallery.gallery(folder)
  below = html.index('<div class="more"><p>a sound</p></div>')
  assert html.index('class="pair"') < below < html.index('class="nearest"')
  _Reader(html)
  (folder / gallery.MORE).write_text('x' * (gallery.MOST_MORE + 1))
  assert 'class="more"' not in gallery.gallery(folder)
  (folder / gallery.MORE).write_bytes(b'\xff\xfe')
  assert 'class="more"' not in gallery.gallery(folder)
