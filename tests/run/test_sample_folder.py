"""A folder of samples is whole or not there, and reads back as it was."""

import numpy as np
import PIL.Image
import pytest

from gan_jax.data import loading, memory
from gan_jax.kinds import image
from gan_jax.run import sample_folder
from gan_jax.types import UserError


def _dataset(names, channels=3):
  x = np.zeros((4, 5, 6, channels), np.uint8)
  labels = np.arange(4) % len(names) if names else None
  return memory.from_arrays('tiny', 'image', x, labels, class_names=names)


@pytest.mark.parametrize('there', [False, True])
@pytest.mark.parametrize('names', [('cat', 'big dog', '0'), ()])
def test_reads_back_with_its_classes(names, there, tmp_path):
  out = tmp_path / 'out'
  if there:
    out.mkdir()
  levels = np.random.default_rng(0).integers(0, 256, (7, 5, 6, 3), np.uint8)
  x = levels / np.float32(127.5) - 1
  labels = np.arange(7) % 3 if names else None
  sample_folder.check(out)
  sample_folder.write(out, x, _dataset(names), labels)
  paths = sorted(out.rglob('*.png'), key=lambda path: path.name)
  assert [path.name for path in paths] == [f'{k:06d}.png' for k in range(7)]
  for k, path in enumerate(paths):
    assert path.parent.name == (names[k % 3] if names else 'out')
    with PIL.Image.open(path) as read:
      np.testing.assert_array_equal(np.asarray(read), levels[k])
  back = loading.load('folder', dir=str(out))
  assert back.size == 7 and set(back.class_names) == set(names)
  assert list(tmp_path.iterdir()) == [out], 'something is left'


@pytest.mark.parametrize('names', [('cat', 'dog'), ()])
def test_files_name_the_seed_of_their_run(names, tmp_path):
  out, labels = tmp_path / 'out', [0, 1, 0, 1] if names else None
  x = np.zeros((4, 5, 6, 3), np.float32)
  sample_folder.write(out, x, _dataset(names), labels, run_seeds=[3, 3, 12, 12])
  made = sorted(path.name for path in out.rglob('*.png'))
  assert made == [
    'seed12_000002.png', 'seed12_000003.png', 'seed3_000000.png',
    'seed3_000001.png',
  ]  # fmt: skip


@pytest.mark.parametrize('fault', ['full', 'file', 'parent'])
def test_what_is_there_stays(fault, tmp_path):
  out = tmp_path / ('absent/out' if fault == 'parent' else 'out')
  if fault == 'full':
    out.mkdir()
    (out / 'mine.txt').write_text('')
  if fault == 'file':
    out.write_text('')
  with pytest.raises(UserError, match='--out='):
    sample_folder.check(out)


def test_nothing_is_left_of_what_fails(tmp_path, monkeypatch):
  export = image.export

  def fails(path, *args, **kwargs):
    if path.name == '000002.png':
      raise OSError('the disk is full')
    export(path, *args, **kwargs)

  monkeypatch.setattr(image, 'export', fails)
  with pytest.raises(OSError, match='full'):
    sample_folder.write(
      tmp_path / 'out', np.zeros((4, 5, 6, 3), np.float32), _dataset(())
    )
  assert not list(tmp_path.iterdir())


def test_names_that_no_folder_may_have(tmp_path):
  names = ('a/b', '..', '.git', '__x', 'a_b', '10', 'b\\c')
  folders = sample_folder._folders(names)
  assert folders == ['a_b', '_.', '_git', '_x', 'a_b_4', '10', 'b\\c']


def test_names_that_are_too_long_or_a_systems(tmp_path):
  names = ('\u732b' * 120, '\u732b' * 121, 'x' * 300, 'lost+found', 'Thumbs.db')
  folders = sample_folder._folders(names)
  assert len(set(folders)) == len(names)
  x, labels = np.zeros((5, 5, 6, 3), np.float32), np.arange(5)
  sample_folder.write(tmp_path / 'out', x, _dataset(names), labels)
  back = loading.load('folder', dir=str(tmp_path / 'out'))
  assert back.size == 5 and set(back.class_names) == set(folders)
