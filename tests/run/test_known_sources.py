"""Data and components are known by their content; changed ones are refused."""

import os
import shutil
import sys

import numpy as np
import pytest

from gan_jax import train
from gan_jax.data import fingerprint, loading
from gan_jax.run import command, loop
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import record as record_lib
from tests import tiny_data
from tests.run import test_manifest
from tests.run.test_commands import RING, complaint, contents

clone = test_manifest.clone
pytestmark = pytest.mark.usefixtures('clone')


@pytest.fixture
def begin(monkeypatch):
  """A function that starts a run and ends it before its first step."""

  class Ended(BaseException):
    pass

  def end(*args, **kwargs):
    raise Ended

  def begin(argv):
    with monkeypatch.context() as patch, pytest.raises(Ended):
      patch.setattr(loop, 'run', end)
      train.main(['', *argv])

  return begin


def edit(folder):
  path = folder / '0001.png'
  path.write_bytes(tiny_data.png(tiny_data.images(9)[8]))


def to_another_class(folder):
  (folder / '1').mkdir()
  for path in sorted(folder.glob('*.png')):
    path.rename(folder / '1' / path.name)


CHANGES = {
  'edited': edit,
  'added': lambda f: shutil.copy(f / '0001.png', f / '0009.png'),
  'removed': lambda f: (f / '0001.png').unlink(),
  'renamed': to_another_class,
}


def touch(folder):
  for path in folder.rglob('*.png'):
    os.utime(path, (1, 1))


@pytest.mark.parametrize('whole', [True, False], ids=['whole', 'pieces'])
@pytest.mark.parametrize('how', CHANGES)
def test_a_folder_is_known_by_its_content(how, whole, tmp_path, monkeypatch):
  if not whole:
    monkeypatch.setattr(fingerprint, '_HASHED_BYTES', 0)
  folder = tiny_data.write_folder(tmp_path / 'images', tiny_data.images(5))
  load = lambda: loading.load('folder', dir=str(folder)).fingerprint
  before = load()
  touch(folder)
  assert load() == before
  CHANGES[how](folder)
  assert load() != before


def test_a_byte_anywhere_in_a_small_file_counts(tmp_path, monkeypatch):
  monkeypatch.setattr(fingerprint, '_HASHED_BYTES', 0)
  path = tmp_path / 'file'
  content = bytearray(np.random.default_rng(0).bytes(150_000))
  found = set()
  for at in range(0, len(content), 10_000):
    content[at] ^= 1
    path.write_bytes(content)
    found.add(fingerprint.digest_files([path], tmp_path))
  assert len(found) == 15


def test_changed_data_are_refused(tmp_path, capfd, begin):
  path, workdir = tmp_path / 'mine.npz', tmp_path / 'run'
  x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
  np.savez(path, x=x)
  argv = [
    RING, f'--workdir={workdir}', '--config.data.name=npz',
    f'--config.data.path={path}', '--config.steps=2',
    '--config.metrics=precision',
  ]  # fmt: skip
  begin(argv)
  then = record_lib.read(workdir)['data_fingerprint']
  x[7] += 1
  np.savez(path, x=x)
  now = loading.load('npz', path=str(path)).fingerprint
  before = contents(workdir)
  line = complaint(capfd, train.main, *argv)
  for word in (
    f'--workdir={workdir}', 'other data: mine', then[:12], now[:12],
    'another workdir',
  ):  # fmt: skip
    assert word in line
  assert contents(workdir) == before


def test_an_npz_is_known_by_its_content(tmp_path):
  path, x = tmp_path / 'x.npz', tiny_data.images(5, (8, 8, 1))
  prints = []
  for save, array in (
    (np.savez, x),
    (np.savez_compressed, x),
    (np.savez, x[1:]),
  ):
    save(path, x=array)
    prints.append(loading.load('npz', path=str(path)).fingerprint)
  assert prints[0] == prints[1] != prints[2]


OWN_DATA = """
import numpy as np
from gan_jax.types import Dataset
def load():
  x = np.load({path!r})
  read = lambda rows: {{'x': x[rows]}}
  return Dataset('own', 'point', (2,), len(x), read, x.nbytes)
"""


def test_data_that_tell_no_fingerprint_get_one(tmp_path, monkeypatch):
  monkeypatch.syspath_prepend(tmp_path)
  path = tmp_path / 'x.npy'
  (tmp_path / 'own_folder').mkdir()
  source = OWN_DATA.format(path=str(path))
  (tmp_path / 'own_folder' / 'own.py').write_text(source)
  config = command.load_config(
    'configs/ring8.py:tiny', {'data.name': 'own_folder.own'}
  )
  prints = []
  for value in (0.1, 0.1, 0.2):
    np.save(path, np.full((40, 2), value, np.float32))
    setup = setup_lib.build(config)
    prints.append(record_lib._fingerprint(setup))
  assert prints[0] == prints[1] != prints[2]
  sys.modules.pop('own_folder.own')
