"""What is known of a folder holds as long as nothing in it changes."""

import hashlib
import json
import os
import pathlib

import numpy as np
import pytest

from gan_jax import data
from gan_jax.data import fingerprint, folder_index, images, kept, news
from gan_jax.data.files import Files
from gan_jax.types import UserError
from tests import tiny_data


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
  """A cache of the test's own, in which small folders are kept, too."""
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))
  monkeypatch.setattr(folder_index, 'FEWEST', 1)
  monkeypatch.setattr(folder_index, 'SETTLED_SECONDS', 0)
  return tmp_path / 'cache'


@pytest.fixture
def pictures(tmp_path):
  """(a folder of twelve in two classes, the pictures in its order)."""
  x = tiny_data.images(12, (4, 4, 3))
  root = tiny_data.write_folder(tmp_path / 'p', x, classes=('a', 'b'))
  return root, np.concatenate([x[::2], x[1::2]])


@pytest.fixture
def looks(monkeypatch):
  """The files that are opened to be looked at or hashed, as they are."""
  seen = []

  def seeing(function):
    def see(path, *args, **kwargs):
      seen.append(pathlib.Path(path).name)
      return function(path, *args, **kwargs)

    return see

  monkeypatch.setattr(images, 'decode', seeing(images.decode))
  monkeypatch.setattr(images, 'depth_of', seeing(images.depth_of))
  monkeypatch.setattr(fingerprint, '_content', seeing(fingerprint._content))
  return seen


def opened(root, **options):
  return data.load('folder', dir=str(root), memory_mb=0, **options)


def fields(dataset):
  """All but functions."""
  return [v for v in dataset if not callable(v)]


def test_the_second_start_opens_no_file(pictures, looks):
  root, x = pictures
  first = opened(root)
  assert len(looks) > 24  # each was hashed, and its depth looked up
  looks.clear()
  second = opened(root)
  assert not looks and fields(second) == fields(first)
  np.testing.assert_array_equal(data.arrays(second)['x'], x)
  np.testing.assert_array_equal(
    data.arrays(second)['label'], np.repeat([0, 1], 6)
  )


def rewritten(root):
  """Other pixels in as many bytes, with the time of before."""
  path = root / 'a' / '0002.png'
  stat, content = path.stat(), bytearray(path.read_bytes())
  content[-20] ^= 1
  path.write_bytes(content)
  os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


CHANGES = {
  'added': lambda root: (root / 'b' / 'x.png').write_bytes(
    (root / 'b' / '0001.png').read_bytes()
  ),
  'removed': lambda root: (root / 'b' / '0001.png').unlink(),
  'renamed': lambda root: (root / 'a').rename(root / 'c'),
  'moved': lambda root: (root / 'a' / '0000.png').rename(root / 'b' / '9.png'),
  'swapped': lambda root: [
    (root / 'a' / '0000.png').rename(root / 't'),
    (root / 'a' / '0002.png').rename(root / 'a' / '0000.png'),
    (root / 't').rename(root / 'a' / '0002.png'),
  ],
  'rewritten': rewritten,
  'touched': lambda root: os.utime(root / 'a' / '0000.png'),
}


@pytest.mark.parametrize('change', CHANGES)
def test_a_changed_folder_is_looked_at_anew(pictures, looks, cache, change):
  root, _ = pictures
  before = opened(root).fingerprint
  CHANGES[change](root)
  looks.clear()
  now = opened(root).fingerprint
  assert len(looks) > 20
  assert (now == before) == (change == 'touched')
  for path in (cache / 'folders').iterdir():
    path.unlink()
  assert opened(root).fingerprint == now  # as without an index
  assert len(list((cache / 'folders').iterdir())) == 1


@pytest.mark.parametrize(
  'options', [{'image_size': 2}, {'channels': 1}, {'range': '0,256'}]
)
def test_another_way_to_read_is_another_entry(pictures, looks, cache, options):
  root, _ = pictures
  opened(root)
  looks.clear()
  first = opened(root, **options)
  assert looks and len(list((cache / 'folders').iterdir())) == 2
  looks.clear()
  assert opened(root, **options).shape == first.shape and not looks


def test_another_table_is_another_entry(pictures, tmp_path):
  root, _ = pictures
  names = sorted(p.name for p in root.rglob('*.png'))
  table, made = tmp_path / 't.csv', []
  for sign in (1, -1):
    rows = [f'{name},{sign * k}' for k, name in enumerate(names)]
    table.write_text('\n'.join(['name,size', *rows]))
    made.append(opened(root, table=str(table)))
    assert fields(opened(root, table=str(table))) == fields(made[-1])
  assert made[0].fingerprint != made[1].fingerprint


DAMAGE = {
  'cut': lambda text: text[: len(text) // 2],
  'empty': lambda text: '',
  'no object': lambda text: '[1, 2]',
  'no entry': lambda text: json.dumps({**json.loads(text), 'known': None}),
  'another shape': lambda text: text.replace('4,', '5,', 1),
  'another print': lambda text: text.replace('print": "', 'print": "0'),
}


@pytest.mark.parametrize('how', DAMAGE)
def test_a_damaged_index_is_made_anew(pictures, looks, cache, how):
  root, _ = pictures
  first = opened(root)
  (path,) = (cache / 'folders').iterdir()
  whole = path.read_text()
  damaged = DAMAGE[how](whole)
  assert damaged != whole
  path.write_text(damaged)
  looks.clear()
  assert fields(opened(root)) == fields(first)
  assert looks and path.read_text() == whole


def test_what_was_written_a_moment_ago_is_not_trusted(
  pictures, looks, cache, monkeypatch
):
  """Its next change might bear the same time."""
  monkeypatch.setattr(folder_index, 'SETTLED_SECONDS', 3600)
  opened(pictures[0])
  assert not (cache / 'folders').exists()


def test_no_place_for_an_index(pictures, cache):
  """The folder is never written to, and the cache need not be there."""
  root, x = pictures
  cache.write_text('a file')
  before = sorted(root.rglob('*'))
  np.testing.assert_array_equal(data.arrays(opened(root))['x'], x)
  assert sorted(root.rglob('*')) == before


def test_what_was_skipped_is_told_again(pictures, looks, capsys):
  root, x = pictures
  (root / 'a' / '0000.png').write_bytes(b'none')
  with pytest.raises(UserError, match='0000.png'):
    data.load('folder', dir=str(root))
  first = opened(root, skip_corrupt=True)
  warning = capsys.readouterr().err.splitlines()[0]
  looks.clear()
  second = opened(root, skip_corrupt=True)
  assert not looks and fields(second) == fields(first)
  assert capsys.readouterr().err.splitlines() == [warning]
  np.testing.assert_array_equal(data.arrays(second)['x'], x[1:])


def test_a_doubtful_range_is_asked_about_again(tmp_path, capsys, looks):
  x = tiny_data.images(3, (4, 4, 3)) // 3 + 20
  root = tiny_data.write_folder(tmp_path / 'dark', x)
  opened(root)
  line = capsys.readouterr().err
  assert 'values up to' in line
  news._print.cache_clear()  # as in another process
  looks.clear()
  opened(root)
  assert capsys.readouterr().err == line and not looks


def test_the_fingerprint_of_files_is_that_of_their_bytes(tmp_path):
  content = {'a/x': b'1', 'b': bytes(2**17), 'c': bytes(2**16)}
  (tmp_path / 'a').mkdir()
  for name, held in content.items():
    (tmp_path / name).write_bytes(held)
  own = fingerprint.digest(
    [*content],
    [len(x) for x in content.values()],
    [hashlib.sha256(x).hexdigest() for x in content.values()],
    ('p', 3),
  )
  paths = [tmp_path / name for name in content]
  assert fingerprint.digest_files(paths, tmp_path, 'p', 3) == own
  assert (
    fingerprint.digest_files(Files(tmp_path, [*content]), tmp_path, 'p', 3)
    == own
  )


def test_few_files_are_not_worth_it(pictures, cache, monkeypatch):
  monkeypatch.setattr(folder_index, 'FEWEST', 13)
  opened(pictures[0])
  assert not (cache / 'folders').exists() and kept.FEWEST > 13
