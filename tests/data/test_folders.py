"""Which files of a folder are data: none vanishes without a word."""

import os
import unicodedata

import numpy as np
import pytest
from PIL import Image

from gan_jax import data
from gan_jax.data import folders, names, news
from gan_jax.types import UserError
from tests import tiny_data


def put(root, *places):
  """A small picture at each of the places below root; [N, 4, 4, 3]."""
  x = tiny_data.images(len(places), (4, 4, 3))
  for place, image in zip(places, x, strict=True):
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiny_data.png(image))
  return x


def opened(root, **options):
  return data.load('folder', dir=str(root), **options)


@pytest.mark.parametrize(
  'hidden, why',
  [
    ('.ipynb_checkpoints', 'hidden folders'),
    ('.git', 'hidden folders'),
    ('.thumbnails', 'hidden folders'),
    ('__MACOSX', 'system folders'),
    ('@eaDir', 'system folders'),
    ('lost+found', 'system folders'),
    ('$RECYCLE.BIN', 'system folders'),
    ('System Volume Information', 'system folders'),
    ('#recycle', 'system folders'),
    ('__pycache__', 'system folders'),
    ('@Recently-Snapshot', 'system folders'),
    ('CVS', 'system folders'),
    ('FOUND.000', 'system folders'),
    ('.AppleDouble', 'hidden folders'),
  ],
)
def test_what_systems_hide_is_no_data(tmp_path, capsys, hidden, why):
  x = put(tmp_path, 'a/0.png', 'b/0.png', 'b/1.png')
  for place in (hidden, f'a/{hidden}', f'b/deep/{hidden}/deeper'):
    put(tmp_path, f'{place}/0.png')
  found = opened(tmp_path)
  assert found.class_names == ('a', 'b')
  np.testing.assert_array_equal(data.arrays(found)['x'], x)
  line = f'{tmp_path}: 3 images of 2 classes; skipped 3 in {why}.\n'
  assert capsys.readouterr().err == line


def test_a_line_says_what_was_read_and_what_was_not(tmp_path, capsys):
  put(tmp_path, 'a/0.png', 'b/0.png', 'a/._0.png', 'c/.hidden.png')
  for name in ('notes.txt', 'a/list.TXT', 'a/Thumbs.db', 'README'):
    (tmp_path / name).write_text('no image')
  assert opened(tmp_path).class_names == ('a', 'b')
  said = capsys.readouterr().err
  assert said == (
    f'{tmp_path}: 2 images of 2 classes; skipped 2 .txt, 2 hidden, 1 without an'
    ' ending, 1 system; no image in c.\n'
  )
  opened(tmp_path)
  assert not capsys.readouterr().err  # once is enough


def test_nothing_is_said_where_nothing_was_passed_over(tmp_path, capsys):
  put(tmp_path, 'a/0.png', 'b/deep/0.png')
  for empty in ('.cache', 'b/@eaDir'):
    (tmp_path / empty).mkdir()
  assert opened(tmp_path).size == 2
  assert not capsys.readouterr().err


def test_pictures_beside_the_folders_take_the_classes_away_aloud(
  tmp_path, capsys
):
  put(tmp_path, 'a/0.png', 'b/0.png', 'stray.png')
  assert opened(tmp_path).class_names == ()
  assert '1 lie beside the folders, so none has' in capsys.readouterr().err


def test_folders_that_look_like_splits_are_pointed_at(tmp_path, capsys):
  put(tmp_path, 'train/cat/0.png', 'test/cat/0.png', 'test/dog/0.png')
  assert opened(tmp_path).class_names == ('test', 'train')
  inside = tmp_path / 'test'
  assert f'like splits: data.dir={inside} is one' in capsys.readouterr().err
  assert opened(inside).class_names == ('cat', 'dog')


def test_what_cannot_be_read_is_counted_too(tmp_path, capsys):
  put(tmp_path, 'a/0.png', 'a/1.png')
  whole = (tmp_path / 'a' / '0.png').read_bytes()
  odd = {'zero.png': b'', 'cut.JPG': whole[:50], 'text.gif': b'GIF, not'}
  for name, content in odd.items():
    (tmp_path / 'a' / name).write_bytes(content)
  (tmp_path / 'a' / 'nowhere.TIF').symlink_to('no.tif')
  (tmp_path / 'a' / '._0.png').write_bytes(b'AppleDouble')
  with pytest.raises(UserError, match='cut.JPG: cannot be read.*skip_corrupt'):
    opened(tmp_path)
  assert opened(tmp_path, skip_corrupt=True).size == 2
  *each, last = capsys.readouterr().err.splitlines()
  assert len(each) == 4 and all(line.startswith('warning: ') for line in each)
  line = '2 images of 1 class; skipped 1 hidden, 4 unreadable.'
  assert last == f'{tmp_path}: {line}'


@pytest.mark.skipif(os.name != 'posix', reason='rights as in POSIX')
@pytest.mark.parametrize('place, word', [('b', 'b: cannot'), ('b/1.png', 'as')])
def test_what_may_not_be_read_is_named(tmp_path, place, word, monkeypatch):
  """By an owner who is not root."""
  put(tmp_path, 'a/0.png', 'b/1.png')
  of, scan = open, os.scandir
  locked = str(tmp_path / place)

  def refuse(path, *args, **kwargs):
    if str(path) == locked:
      raise PermissionError(13, 'Permission denied', locked)
    return (scan if not args else of)(path, *args, **kwargs)

  with monkeypatch.context() as patch:
    patch.setattr(os, 'scandir', refuse)
    patch.setattr('builtins.open', refuse)
    with pytest.raises(UserError, match=f'{word}.*Permission denied'):
      opened(tmp_path)


def test_where_there_is_no_image_the_line_says_what_there_is(tmp_path):
  put(tmp_path, '.cache/0.png')
  (tmp_path / 'a.mp4').touch()
  with pytest.raises(UserError, match='there are: 1 .mp4, 1 in hidden folders'):
    opened(tmp_path)


def test_a_hidden_folder_that_was_asked_for_is_read(tmp_path):
  put(tmp_path, '.cache/data/0.png')
  assert opened(tmp_path / '.cache' / 'data').size == 1


def test_links_are_followed(tmp_path, capsys):
  put(tmp_path, 'data/a/0.png', 'far/b/0.png', 'far/b/deep/1.png', 'far/2.png')
  root = tmp_path / 'data'
  (root / 'b').symlink_to(tmp_path / 'far' / 'b')
  (root / 'again').symlink_to('b')  # a link to a link, to the same files
  (root / 'a' / '2.png').symlink_to('../../far/2.png')
  found = opened(root)
  assert found.class_names == ('a', 'again', 'b')
  assert np.bincount(data.arrays(found)['label']).tolist() == [2, 2, 2]
  (tmp_path / 'whole').symlink_to(root)
  assert opened(tmp_path / 'whole').fingerprint == found.fingerprint
  assert not capsys.readouterr().err


@pytest.mark.parametrize(
  'place, target', [('loop', '.'), ('a/loop', '..'), ('a/up', '../..')]
)
def test_a_link_in_a_loop_is_refused_by_name(tmp_path, place, target):
  put(tmp_path, 'data/a/0.png')
  (tmp_path / 'data' / place).symlink_to(target)
  with pytest.raises(UserError, match=f'{place}: a link to .* lies in itself'):
    opened(tmp_path / 'data')


def test_two_folders_that_link_to_each_other_are_a_loop(tmp_path):
  put(tmp_path, 'data/a/0.png', 'far/0.png')
  (tmp_path / 'data' / 'far').symlink_to(tmp_path / 'far')
  (tmp_path / 'far' / 'back').symlink_to(tmp_path / 'data')
  with pytest.raises(UserError, match='far/back: a link to'):
    opened(tmp_path / 'data')


def test_a_link_to_nowhere_is_named(tmp_path, capsys):
  put(tmp_path, 'a/0.png', 'a/1.png')
  (tmp_path / 'b').symlink_to(tmp_path / 'unmounted')
  with pytest.raises(UserError, match=r'broken link .*/b; data.skip_corrupt'):
    opened(tmp_path)
  assert opened(tmp_path, skip_corrupt=True).class_names == ('a',)
  assert f'1 broken link {tmp_path / "b"}' in capsys.readouterr().err


def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path, monkeypatch):
  def scandir(path):
    raise PermissionError(13, 'Permission denied')

  monkeypatch.setattr(folders.os, 'scandir', scandir)
  with pytest.raises(UserError, match='cannot be read .Permission denied'):
    opened(tmp_path)


@pytest.mark.parametrize(
  'ending', ['tif', 'TIFF', 'jfif', 'jpe', 'ppm', 'PGM', 'pbm', 'Png', 'avif']
)
def test_pictures_of_every_usual_ending_are_read(tmp_path, ending):
  kind = {'pgm': 'L', 'pbm': '1'}.get(ending.lower(), 'RGB')
  image = Image.new(kind, (8, 8), 255 if kind != 'RGB' else (200, 100, 50))
  forms = {'jpe': 'JPEG', 'jfif': 'JPEG', 'pgm': 'PPM', 'pbm': 'PPM'}
  image.save(tmp_path / f'a.{ending}', forms.get(ending.lower()))
  x = data.arrays(opened(tmp_path))['x'][0].astype(int)
  assert np.abs(x - np.asarray(image.convert('RGB'))).max() <= 8


def test_of_many_pages_the_first_counts(tmp_path):
  pages = [Image.new('RGB', (8, 8), c) for c in ((250, 0, 0), (0, 0, 250))]
  pages[0].save(tmp_path / 'a.tif', save_all=True, append_images=pages[1:])
  x = data.arrays(opened(tmp_path))['x']
  np.testing.assert_array_equal(x, np.asarray(pages[0])[None])


# -------------------------------------------------------- names of classes


@pytest.mark.parametrize(
  'wanted',
  [
    '0 1 2 9 10 11 100',
    'class1 class2 class10',
    'B10 a b1 b2 b10 b10a',
    '07 7 8 x',
    'v1.2 v1.10 v2.0',
    'fold2/3 fold2/20 fold10/1',
  ],
)
def test_names_are_in_natural_order(wanted):
  wanted = wanted.split()
  assert names.in_order(reversed(wanted)) == tuple(wanted)


def test_long_numbers_are_numbers():
  long = '1' * 9000
  assert names.in_order([f'{long}0', '2', long]) == ('2', long, f'{long}0')
  assert names.number('9' * 30) is None and names.number('07') == 7
  assert names.number('-1') is names.number('²') is names.number('a1') is None


def test_class_folders_are_numbered_in_natural_order(tmp_path):
  put(tmp_path, *(f'{k}/0.png' for k in range(12)))
  found = opened(tmp_path)
  assert found.class_names == tuple(map(str, range(12)))
  # Rows stay in the order of paths, by which runs are resumed.
  order = sorted(range(12), key=str)
  assert data.arrays(found)['label'].tolist() == order


def test_forms_of_an_accent_are_one_name(tmp_path):
  put(tmp_path, f'{unicodedata.normalize("NFD", "café")}/0.png', 'thé/0.png')
  assert opened(tmp_path).class_names == ('café', 'thé')


# ------------------------------------------------------------ what is said


@pytest.mark.parametrize(
  'line, told',
  [
    ('data.range=0,1 if 0 is black', '--x.range=0,1 if 0 is black'),
    (
      "data.path=data.npz: no; ('data.dir')",
      "--x.path=data.npz: no; ('--x.dir')",
    ),
    ('/a/data.dir/config.data.size data.name.py', None),
    ('a data.set, metadata.size', None),
  ],
)
def test_keys_become_flags_and_names_of_files_do_not(line, told):
  with pytest.raises(UserError) as e, news.flags('--x.{}'.format):
    raise UserError(line)
  assert str(e.value) == (told or line)


def test_the_door_of_the_package():
  import doctest

  assert doctest.testmod(data) == (0, 4)
  assert {'load', 'arrays'} <= set(dir(data))
  with pytest.raises(AttributeError, match="no attribute 'lode'"):
    data.lode  # noqa: B018
