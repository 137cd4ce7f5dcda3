""".npz files of strangers: never unpickled, never believed."""

import os
import tracemalloc

import numpy as np
import pytest

from gan_jax import evaluate, train
from gan_jax.data import loading
from gan_jax.metrics.features import inception_weights, store
from gan_jax.storage import memory
from gan_jax.types import UserError
from tests import odd_archives, tiny_data
from tests.bad_input import RING, refused
from tests.metrics import test_torch_checkpoint as torch_files
from tests.odd_archives import HOSTILE, OTHER, archive, npy, told

LARGEST = 30_000_000  # bytes that reading may take, whatever a file promises


@pytest.fixture
def here(tmp_path, monkeypatch):
  """An empty folder to be in."""
  monkeypatch.chdir(tmp_path)
  return tmp_path


@pytest.fixture
def frugal():
  """Sees that no memory was taken."""
  tracemalloc.start()
  yield
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert peak < LARGEST, peak


@pytest.mark.parametrize('name', [*HOSTILE, *OTHER])
def test_refused_samples(name, here, capfd, frugal):
  content, word = (HOSTILE | OTHER)[name]
  (here / 'x.npz').write_bytes(content)
  argv = [f'--samples={here}/x.npz', '--data=ring8', f'--out={here}/out.json']
  refused(capfd, evaluate.main, argv, 'x.npz', word, root=here)


@pytest.mark.parametrize('name', ['objects', 'terabytes', 'inf', 'no rows'])
def test_refused_data_of_a_training(name, here, capfd):
  content, word = (HOSTILE | OTHER)[name]
  (here / 'x.npz').write_bytes(content)
  argv = [RING, f'--workdir={here}/run', '--config.data.name=npz']
  argv += [f'--config.data.path={here}/x.npz']
  refused(capfd, train.main, argv, 'x.npz', word, root=here)


# 40 MB of zeros; in the archive they take a thousandth of that.
BOMB = archive(('x.npy', npy(np.zeros((5 * 2**20, 2), np.float32))))


def test_refused_bomb_larger_than_the_machine(here, capfd, monkeypatch, frugal):
  assert len(BOMB) < 2**16
  (here / 'x.npz').write_bytes(BOMB)
  monkeypatch.setattr(memory, 'memory', lambda: 2**24)
  argv = [f'--samples={here}/x.npz', '--data=ring8']
  refused(capfd, evaluate.main, argv, 'GB are needed', root=here)


def test_what_packs_well_is_no_bomb(here):
  (here / 'x.npz').write_bytes(BOMB)
  found = loading.load('npz', path=str(here / 'x.npz'))
  assert found.shape == (2,) and found.nbytes == 40 * 2**20


PATHS = {
  'folder.npz': 'no image in this folder',
  'pipe.npz': 'expected an .npz file',
  'loop.npz': 'no such file',
  'dangling.npz': 'no such file',
  'device.npz': 'expected an .npz file',
  'x' * 300 + '.npz': 'no such file',
  '~nobody_/x.npz': 'no such file',
}


@pytest.mark.parametrize('name', PATHS, ids=lambda n: n[:12])
def test_refused_path(name, here, capfd):
  (here / 'folder.npz').mkdir()
  (here / 'loop.npz').symlink_to(here / 'loop.npz')
  (here / 'dangling.npz').symlink_to(here / 'absent')
  (here / 'device.npz').symlink_to('/dev/zero')
  os.mkfifo(here / 'pipe.npz')
  argv = [f'--samples={here}/{name}', '--data=ring8']
  refused(capfd, evaluate.main, argv, PATHS[name], root=here)


def test_what_is_merely_odd_is_read(here):
  """Other byte orders and sizes, names in bytes, columns first, true labels."""
  path, points = here / 'x.npz', np.arange(8.0).reshape(4, 2)
  expected = points.astype(np.float32)
  for x in (
    points.astype('>f8'),
    points.astype('>i2'),
    points.astype(np.float16),
    points.astype(np.longdouble),
    np.asfortranarray(points),
  ):
    path.write_bytes(odd_archives.of(x))
    found = loading.arrays(loading.load('npz', path=str(path)))['x']
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32 and found.dtype.isnative
  for y, names in (
    (np.array([b'b', b'a', b'\xff', b'a']), ('\\xff', 'a', 'b')),
    (np.array([True, False, False, True]), ('False', 'True')),
    (np.array([300, 7, 7, 300], '>u2'), ('7', '300')),
    (np.array(['<b>', 'a\nb', 'x', 'x']), ('<b>', 'a b', 'x')),
  ):
    path.write_bytes(odd_archives.of(points, y=y))
    found = loading.load('npz', path=str(path))
    assert found.class_names == names
  again = [names.index(n) for n in ('<b>', 'a b', 'x', 'x')]
  assert loading.arrays(found)['label'].tolist() == again


def test_only_what_is_wanted_is_read(here):
  """What else lies in the archive may be anything."""
  also = ('z.npy', odd_archives.npy(np.array([odd_archives.Evil()], object)))
  (here / 'x.npz').write_bytes(archive(('x.npy', npy(odd_archives.X)), also))
  assert loading.load('npz', path=str(here / 'x.npz')).size == 4
  assert not (here / 'unpickled').exists()


# Statistics

STATISTICS = {
  'objects': ({'mu': np.array([odd_archives.Evil()]), 'sigma': np.eye(1)}, ''),
  'complex': ({'mu': np.zeros(192, complex), 'sigma': np.eye(192)}, 'complex'),
  'texts': ({'mu': np.array(['a'] * 192), 'sigma': np.eye(192)}, '<U1'),
  'inf': ({'mu': np.full(192, np.inf), 'sigma': np.eye(192)}, 'inf'),
  'NaN in sigma': ({'mu': np.zeros(192), 'sigma': np.eye(192) * np.nan}, 'NaN'),
  'numbers': ({'mu': np.float64(0), 'sigma': np.float64(1)}, '[]'),
  'empty': ({'mu': np.zeros(0), 'sigma': np.zeros((0, 0))}, '[0]'),
  'swapped': ({'mu': np.eye(192), 'sigma': np.zeros(192)}, '[192, 192]'),
  'three axes': ({'mu': np.zeros(192), 'sigma': np.zeros((192, 192, 1))}, '1]'),
}


@pytest.mark.parametrize('name', STATISTICS)
def test_refused_statistics(name, here, capfd):
  arrays, word = STATISTICS[name]
  tiny_data.write_folder(here / 'fakes', tiny_data.images(3))
  np.savez(here / 'stats.npz', **arrays)
  argv = [f'--samples={here}/fakes', f'--data={here}/stats.npz']
  argv += ['--features=pixels', f'--out={here}/out.json']
  refused(capfd, evaluate.main, argv, 'stats', word, root=here)


@pytest.mark.parametrize('name', ['terabytes', 'a traversal', 'a long header'])
def test_refused_statistics_by_hand(name, here, capfd, frugal):
  tiny_data.write_folder(here / 'fakes', tiny_data.images(3))
  content = HOSTILE[name][0].replace(b'x.npy', b'mu\0py')
  (here / 'stats.npz').write_bytes(content)
  argv = [f'--samples={here}/fakes', f'--data={here}/stats.npz']
  refused(capfd, evaluate.main, argv, 'stats.npz', root=here)


# Weights


def packed(**members):
  names = {'pkl': 'some/data.pkl', 'order': 'some/byteorder'}
  return archive(*((names.get(k, k), v) for k, v in members.items()))


def endless():
  """A tensor that shows one number of its storage again and again."""
  shown = torch_files.tensor('7', 0, (2**20, 2**20), (0, 0))
  return torch_files.state(**{'fc.weight': shown})


def of_storages(pickled, **storages):
  return archive(
    ('some/data.pkl', pickled),
    ('some/byteorder', b'little'),
    *((f'some/data/{key[1:]}', x) for key, x in storages.items()),
  )


SEVEN, NINE = (torch_files.STORAGES[k].tobytes() for k in '79')
WEIGHTS = {
  'empty.pth': (b'', 'intact checkpoint'),
  'bomb.pth': (of_storages(bytes(2**26)), 'more tensors'),
  'large.pth': (of_storages(torch_files.state(), _7=bytes(2**27)), 'of 8 in'),
  'absent.pth': (of_storages(torch_files.state()), 'intact checkpoint'),
  'traversal.pth': (
    of_storages(torch_files.state()).replace(b'some/data', b'../../ata'), ''
  ),
  'endless.pth': (of_storages(endless(), _7=SEVEN, _9=NINE), 'missing'),
  'nested.pth': (of_storages(b'\x80\x02' + b'(' * 10**5 + b'.'), 'intact'),
  'objects.npz': (HOSTILE['objects'][0], 'damaged or holds something else'),
  'terabytes.npz': (HOSTILE['terabytes'][0], 'damaged'),
  'traversal.npz': (HOSTILE['a traversal'][0], 'damaged'),
  'other.npz': (odd_archives.of(), 'damaged'),
  'hash.npz': (odd_archives.of(hash=np.array('0' * 16)), 'damaged'),
  'hash_of_objects.npz': (odd_archives.of(hash=np.array([None])), 'damaged'),
}  # fmt: skip


@pytest.mark.parametrize('name', WEIGHTS)
def test_refused_weights(name, here, capfd):
  content, word = WEIGHTS[name]
  tiny_data.write_folder(here / 'fakes', tiny_data.images(3))
  (here / name).write_bytes(content)
  argv = [f'--samples={here}/fakes', f'--data={here}/fakes']
  argv += ['--features=inception', f'--weights={here}/{name}']
  tracemalloc.start()
  refused(capfd, evaluate.main, argv, name, word, root=here)
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert peak < 2**28, peak  # the net's shapes alone take some


def test_a_tensor_without_end_is_not_looked_at():
  x = np.lib.stride_tricks.as_strided(np.zeros(1), (2**30, 2**20), (0, 0))
  with pytest.raises(UserError, match='of another shape: a'):
    inception_weights._check({'a': x}, {'a': (3,)}, 'file')


@pytest.mark.parametrize('name', HOSTILE)
def test_a_hostile_cache_is_no_cache(name, tmp_path):
  """What is kept of nets and references is made again."""
  path = tmp_path / 'x.npz'
  path.write_bytes(HOSTILE[name][0])
  assert store.read_arrays(path) is None
  path.write_bytes(archive(('array/x.npy', told()), ('hash.npy', npy('a'))))
  assert store.read_arrays(path) is None
