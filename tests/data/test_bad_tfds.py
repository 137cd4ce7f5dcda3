"""Folders of TFDS that are damaged, or of another kind."""

import json
import shutil

import numpy as np
import pytest

from gan_jax import evaluate
from tests import tiny_data
from tests.bad_input import refused


@pytest.fixture(scope='module')
def mnist(tmp_path_factory):
  """A tiny MNIST; not to be changed."""
  x = tiny_data.images(12, (28, 28, 1))
  splits = {'train': (x, np.arange(12) % 10), 'test': (x[:5], np.arange(5))}
  return tiny_data.write_tfds(tmp_path_factory.mktemp('tfds'), 'mnist', splits)


@pytest.fixture
def here(mnist, tmp_path, monkeypatch):
  """The same in a place of its own, beside samples to be scored."""
  monkeypatch.chdir(tmp_path)
  shutil.copytree(mnist, tmp_path / 'data')
  np.savez(tmp_path / 'x.npz', x=tiny_data.images(9, (28, 28, 1)))
  return tmp_path


def records(folder):
  return next(folder.rglob('*train*array_record*'))


def info(folder):
  return next(folder.rglob('dataset_info.json'))


def cut(path):
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def alter(path, **changes):
  path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def garble(path):
  raw = bytearray(path.read_bytes())
  at = raw.index(b'\x89PNG')
  raw[at : at + 99] = bytes(99)
  path.write_bytes(raw)


# What is done to the folder.
DAMAGES = {
  'no records': lambda d: records(d).unlink(),
  'empty records': lambda d: records(d).write_bytes(b''),
  'cut records': lambda d: cut(records(d)),
  'garbled records': lambda d: garble(records(d)),
  'records that are a text': lambda d: records(d).write_text('hello' * 99),
  'records that are a folder': lambda d: (
    (path := records(d)).unlink(), path.mkdir(),
  ),
  'no info': lambda d: info(d).unlink(),
  'empty info': lambda d: info(d).write_text(''),
  'cut info': lambda d: cut(info(d)),
  'info that is a list': lambda d: info(d).write_text('[]'),
  'info of nothing': lambda d: info(d).write_text('{}'),
  'info of another set': lambda d: alter(info(d), name='cifar10'),
  'info of no splits': lambda d: alter(info(d), splits=[]),
  'info of odd splits': lambda d: alter(info(d), splits=[{'name': 'train'}]),
  'info of TFRecord': lambda d: alter(info(d), fileFormat='tfrecord'),
  'info of a format of its own': lambda d: alter(info(d), fileFormat='x'),
  'no version': lambda d: info(d).parent.rename(d / 'mnist' / 'latest'),
  'a file for a folder': lambda d: (
    shutil.rmtree(d / 'mnist'), (d / 'mnist').write_text('')
  ),
  'a file for all': lambda d: (shutil.rmtree(d), d.write_text('')),
  'a loop': lambda d: (shutil.rmtree(d), d.symlink_to(d)),
}  # fmt: skip


@pytest.mark.parametrize('name', DAMAGES)
def test_refused_tfds_folder(name, here, capfd):
  DAMAGES[name](here / 'data')
  argv = [f'--samples={here}/x.npz', '--data=mnist', '--features=pixels']
  argv += [f'--data_dir={here}/data', f'--out={here}/out.json']
  refused(capfd, evaluate.main, argv, 'mnist', root=here)


def test_the_folder_is_good(here, capfd):
  argv = [f'--samples={here}/x.npz', '--data=mnist', '--features=pixels']
  evaluate.main(['', *argv, f'--data_dir={here}/data'])
  assert 'fid' in capfd.readouterr().out
