"""Folders of pictures that are damaged, hostile, or merely odd."""

import os
import resource

import numpy as np
import pytest

from gan_jax import evaluate, train
from gan_jax.data import loading
from tests import odd_pictures, tiny_data
from tests.bad_input import DIGITS, refused
from tests.odd_pictures import noise, png, saved

BROKEN = odd_pictures.broken()


@pytest.fixture
def here(tmp_path, monkeypatch):
  """A folder of good pictures, and one beside it."""
  monkeypatch.chdir(tmp_path)
  tiny_data.write_folder(tmp_path / 'good', tiny_data.images(3))
  (tmp_path / 'bad').mkdir()
  return tmp_path


def score(here):
  return (
    f'--samples={here}/bad', f'--data={here}/good', f'--out={here}/out.json',
    '--features=pixels',
  )  # fmt: skip


@pytest.mark.parametrize('name', BROKEN)
def test_refused_picture(name, here, capfd):
  before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  (here / 'bad' / name).write_bytes(BROKEN[name])
  refused(capfd, evaluate.main, score(here), name, 'cannot be read', root=here)
  after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  assert after - before < 200_000  # kilobytes: the bombs are of gigabytes


@pytest.mark.parametrize('name', ['cut.png', 'bomb.png', 'text.jpg'])
@pytest.mark.parametrize('memory_mb', [1024, 0])
def test_refused_picture_of_a_training(name, memory_mb, here, capfd):
  (here / 'bad' / '0.png').write_bytes(tiny_data.png(tiny_data.images(1)[0]))
  (here / 'bad' / name).write_bytes(BROKEN[name])
  flags = ('name=folder', f'dir={here}/bad', f'memory_mb={memory_mb}')
  argv = [DIGITS, f'--workdir={here}/run']
  argv += [f'--config.data.{flag}' for flag in flags]
  if memory_mb:
    refused(capfd, train.main, argv, name, root=here)
  else:  # it streams: only reading tells
    found = loading.load('folder', dir=str(here / 'bad'), memory_mb=0)
    with pytest.raises(ValueError, match=name):
      found.read(np.arange(2))


def link_to_nothing(folder):
  (folder / 'x.png').symlink_to(folder / 'absent.png')


def link_to_itself(folder):
  (folder / 'x.png').symlink_to(folder / 'x.png')


def only_a_folder(folder):
  (folder / 'x.png').mkdir()


def only_a_pipe(folder):
  os.mkfifo(folder / 'x.png')


def only_a_device(folder):
  (folder / 'x.png').symlink_to('/dev/zero')


def only_hidden(folder):
  (folder / '.x.png').write_bytes(BROKEN['text.png'])


def only_others(folder):
  (folder / 'x.mp4').write_bytes(b'')
  (folder / 'x.npz').write_bytes(b'')


def only_empty_classes(folder):
  (folder / 'cat').mkdir()
  (folder / 'dog').mkdir()


def a_link_around(folder):
  (folder / 'loop').symlink_to(folder)


def a_name_that_is_not_utf8(folder):
  name = os.fsdecode(b'\xff\xfe.png')
  (folder / name).write_bytes(BROKEN['cut.png'])


def a_name_of_two_lines(folder):
  (folder / 'a\nerror: b.png').write_bytes(BROKEN['cut.png'])


def a_name_with_colours(folder):
  (folder / '\x1b[2J\x07.png').write_bytes(BROKEN['cut.png'])


def one_is_damaged_of_many(folder):
  tiny_data.write_folder(folder, tiny_data.images(40))
  (folder / '0033.png').write_bytes(b'')


def one_is_larger(folder):
  tiny_data.write_folder(folder, tiny_data.images(2))
  (folder / 'z.png').write_bytes(saved(noise(size=(8, 9)), 'PNG'))


FOLDERS = [
  (link_to_nothing, 'x.png'),
  (link_to_itself, 'x.png'),
  (only_a_folder, 'no image'),
  (only_a_pipe, 'not a file'),
  (only_a_device, 'not a file'),
  (only_hidden, 'no image'),
  (only_others, 'no image'),
  (only_empty_classes, 'no image'),
  (a_link_around, 'loop: a link to'),
  (a_name_that_is_not_utf8, '\\udcff\\udcfe.png'),
  (a_name_of_two_lines, 'a error: b.png'),
  (a_name_with_colours, '\\x1b[2J\\x07.png'),
  (one_is_damaged_of_many, '0033.png'),
  (one_is_larger, 'z.png: 9x8, others are 8x8'),
]


@pytest.mark.parametrize(
  'make, word', FOLDERS, ids=[m.__name__ for m, _ in FOLDERS]
)
def test_refused_folder(make, word, here, capfd):
  make(here / 'bad')
  refused(capfd, evaluate.main, score(here), word, root=here)


def test_refused_picture_that_may_not_be_read(here, capfd):
  path = here / 'bad' / 'x.png'
  path.write_bytes(png(np.asarray(noise())))
  path.chmod(0)
  if os.access(path, os.R_OK):
    pytest.skip('this user may read everything')
  refused(capfd, evaluate.main, score(here), 'x.png', root=here)


def test_what_is_skipped_is_told_on_one_line(here, capfd):
  a_name_of_two_lines(here / 'bad')
  a_name_with_colours(here / 'bad')
  a_name_that_is_not_utf8(here / 'bad')
  only_a_pipe(here / 'bad')
  (here / 'bad' / 'good.png').write_bytes(png(np.asarray(noise())))
  for name in ('bomb.png', 'large.png', 'script.png'):
    (here / 'bad' / name).write_bytes(BROKEN[name])
  found = loading.load('folder', dir=str(here / 'bad'), skip_corrupt=True)
  *lines, last = capfd.readouterr().err.splitlines()
  assert found.size == 1 and len(lines) == 7
  assert last.endswith('bad: 1 image; skipped 7 unreadable.')
  assert all(x.startswith('warning: ') and x.isprintable() for x in lines)
