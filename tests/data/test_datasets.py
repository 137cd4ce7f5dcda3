"""Every data set of the package: the contract, then each one's own values."""

import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from gan_jax import select
from gan_jax.data import loading, news
from gan_jax.types import UserError
from tests import tiny_data

CLASSES = ('cat', 'dog')


@pytest.fixture(scope='module')
def tfds_dir(tmp_path_factory):
  x = tiny_data.images(40, (28, 28, 1))
  splits = {'train': (x, np.arange(40) % 10), 'test': (x[:7], np.arange(7))}
  return tiny_data.write_tfds(tmp_path_factory.mktemp('tfds'), 'mnist', splits)


def options(name, tmp_path, request):
  """(what to call load with, by data set)"""
  if name == 'folder':
    x = tiny_data.images(12)
    folder = tiny_data.write_folder(tmp_path / 'f', x, classes=CLASSES)
    return {'dir': str(folder)}
  if name == 'sounds':
    return {'dir': str(tiny_data.write_sounds(tmp_path, classes=CLASSES))}
  if name == 'npz':
    np.savez(tmp_path / 'a.npz', x=tiny_data.images(12), y=np.arange(12) % 3)
    return {'path': str(tmp_path / 'a.npz')}
  if name == 'table':
    np.savez(tmp_path / 'a.npz', x=np.sin(np.arange(200.0)))
    return {'path': str(tmp_path / 'a.npz'), 'length': 9}
  if name == 'stocks':
    monkeypatch = request.getfixturevalue('monkeypatch')
    tiny_data.write_stocks(tmp_path, monkeypatch)
    return {}
  if name == 'mnist_rows':
    return {'dir': str(request.getfixturevalue('tfds_dir'))}
  if name == 'stacked_mnist':
    return {'dir': str(request.getfixturevalue('tfds_dir')), 'size': 50}
  if name == 'tfds_images':
    return {'name': 'mnist', 'dir': str(request.getfixturevalue('tfds_dir'))}
  if name == 'spoken_digit':
    clips = tiny_data.images(12, (64,))
    return {'dir': str(tiny_data.write_spoken_digits(tmp_path, clips))}
  if name == 'tiny_shakespeare':
    return {'dir': str(tiny_data.write_plays(tmp_path))}
  if name == 'text_files':
    (tmp_path / 'a.txt').write_text('All the world is a stage. ' * 20)
    return {'path': str(tmp_path / 'a.txt')}
  return {}


# Of a raw example.
RANKS = {'audio': 2, 'image': 3, 'point': 1, 'series': 2, 'text': 1}
# What makes other data of those that have neither a size nor an image_size.
CHANGED = {
  'mnist_rows': {'split': 'train[:5]'},
  'sounds': {'length': 50},
  'spoken_digit': {'split': 'train[:5]'},
  'stocks': {'stride': 2},
  'table': {'stride': 2},
  'text_files': {'length': 9},
  'tiny_shakespeare': {'length': 9},
}


@pytest.mark.parametrize('name', select.available('datasets'))
def test_contract(name, tmp_path, request):
  given = options(name, tmp_path, request)
  dataset = loading.load(name, **given)
  arrays = loading.arrays(dataset)
  x = arrays['x']
  assert x.ndim == 1 + RANKS[dataset.kind]
  assert x.shape == (dataset.size, *dataset.shape[: RANKS[dataset.kind]])
  assert x.nbytes == dataset.nbytes
  assert x.dtype in (np.uint8, np.int16, np.float32)
  assert ('label' in arrays) == bool(dataset.class_names)
  if 'label' in arrays:
    classes = np.arange(len(dataset.class_names))
    assert arrays['label'].dtype == np.int32
    np.testing.assert_array_equal(np.unique(arrays['label']), classes)
  rows = np.array([3, 0, 3])
  for k, v in dataset.read(rows).items():
    np.testing.assert_array_equal(v, arrays[k][rows])
  assert len(dataset.fingerprint) == 64
  assert loading.load(name, **given).fingerprint == dataset.fingerprint
  usual = {'image_size': 5} if dataset.kind == 'image' else {'size': 99}
  changed = loading.load(name, **given, **CHANGED.get(name, usual))
  assert changed.fingerprint != dataset.fingerprint


def test_digits_are_exact():
  from sklearn.datasets import load_digits

  found = loading.arrays(loading.load('digits'))
  np.testing.assert_array_equal(
    found['x'][..., 0].astype(np.float64) * 8 + 8, load_digits().images
  )
  np.testing.assert_array_equal(found['label'], load_digits().target)
  large = loading.load('digits', image_size=32, channels=3)
  x = loading.arrays(large)['x']
  assert x.shape == (1797, 32, 32, 3) and x.min() >= -1 and x.max() <= 1


@pytest.mark.parametrize(
  ('name', 'number', 'std'), [('ring8', 8, 0.01), ('grid25', 25, 0.05)]
)
def test_mixtures_have_the_modes_they_say(name, number, std):
  dataset = loading.load(name)
  x, label = loading.arrays(dataset).values()
  centers = dataset.modes['centers']
  assert len(np.unique(centers.round(3), axis=0)) == number
  assert dataset.modes['std'] == std and dataset.size == 100_000
  away = x.astype(np.float64) - centers[label]
  assert abs(away.std() / std - 1) < 0.01
  assert np.abs(away.mean(0)).max() < 5 * std / np.sqrt(len(x))
  counts = np.bincount(label, minlength=number)
  assert np.abs(counts * number / len(x) - 1).max() < 0.1
  other = loading.load(name, data_seed=1)
  assert other.fingerprint != dataset.fingerprint


def test_places_of_the_modes():
  ring = loading.load('ring8', size=1).modes['centers']
  np.testing.assert_allclose(np.hypot(*ring.T), 1, rtol=1e-6)
  np.testing.assert_allclose(
    np.hypot(*(ring - np.roll(ring, 1, 0)).T), 2 * np.sin(np.pi / 8), rtol=1e-6
  )
  grid = loading.load('grid25', size=1).modes['centers']
  ticks = (-4, -2, 0, 2, 4)
  assert set(map(tuple, grid.tolist())) == {
    (a, b) for a in ticks for b in ticks
  }


def test_swissroll_lies_on_its_curve():
  x = loading.arrays(loading.load('swissroll', std=1e-6))['x'].astype(
    np.float64
  )
  radius = np.hypot(*x.T) * 7.5
  turn = np.exp(1j * radius)  # the angle t is the radius
  np.testing.assert_allclose(x @ [1, 1j] * 7.5, radius * turn, atol=1e-3)
  assert 1.5 * np.pi < radius.min() + 1e-3 and radius.max() < 4.5 * np.pi + 1e-3


@pytest.mark.parametrize('memory_mb', [1, 0])
@pytest.mark.parametrize('classes', [CLASSES, ('',)])
def test_folder_is_sorted_and_labelled(tmp_path, classes, memory_mb):
  x = tiny_data.images(12)
  tiny_data.write_folder(tmp_path, x, classes=classes)
  (tmp_path / 'notes.txt').write_text('no image')
  (tmp_path / '._0000.png').write_text('no image either')
  found = loading.load('folder', dir=str(tmp_path), memory_mb=memory_mb)
  batch = loading.arrays(found)
  if classes == ('',):
    np.testing.assert_array_equal(batch['x'], x)
    assert 'label' not in batch and found.class_names == ()
  else:
    np.testing.assert_array_equal(batch['x'], np.concatenate([x[::2], x[1::2]]))
    assert batch['label'].tolist() == [0] * 6 + [1] * 6
    assert found.class_names == CLASSES


def test_folder_does_not_depend_on_memory_or_place(tmp_path):
  x = tiny_data.images(3)
  a = tiny_data.write_folder(tmp_path / 'a', x)
  b = tiny_data.write_folder(tmp_path / 'b', x)
  c = tiny_data.write_folder(tmp_path / 'c', x[::-1])
  prints = [loading.load('folder', dir=str(f)).fingerprint for f in (a, b, c)]
  streamed = loading.load('folder', dir=str(a), memory_mb=0).fingerprint
  assert prints[0] == prints[1] == streamed != prints[2]


def test_folder_takes_every_format(tmp_path):
  x = np.full((8, 8, 3), (200, 100, 50), np.uint8)
  image = Image.fromarray(x)
  for ext in ('png', 'jpg', 'jpeg', 'webp', 'bmp', 'gif'):
    image.save(
      tmp_path / f'a.{ext}', **({'quality': 95} if ext != 'gif' else {})
    )
  found = loading.arrays(loading.load('folder', dir=str(tmp_path)))['x']
  assert found.shape == (6, 8, 8, 3)
  assert np.abs(found.astype(int) - x).max() <= 4


def test_folder_names_a_corrupt_image(tmp_path, capsys):
  x = tiny_data.images(5)
  tiny_data.write_folder(tmp_path, x)
  bad = tmp_path / '0002.png'
  bad.write_bytes(bad.read_bytes()[:60])
  with pytest.raises(UserError, match='0002.png.*skip_corrupt') as e:
    loading.load('folder', dir=str(tmp_path))
  assert '\n' not in str(e.value)
  streamed = loading.load('folder', dir=str(tmp_path), memory_mb=0)
  with pytest.raises(UserError, match='0002.png'):
    streamed.read(np.array([2]))
  for memory_mb in (1, 0):
    news._print.cache_clear()  # which says a line once
    capsys.readouterr()
    found = loading.load(
      'folder', dir=str(tmp_path), skip_corrupt=True, memory_mb=memory_mb
    )
    errors = capsys.readouterr().err
    file, folder = errors.splitlines()
    assert '0002.png: skipped' in file
    assert folder == f'{tmp_path}: 4 images; skipped 1 unreadable.'
    np.testing.assert_array_equal(loading.arrays(found)['x'], x[[0, 1, 3, 4]])


def test_folder_mistakes(tmp_path):
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'bad').mkdir()
  (tmp_path / 'bad' / 'a.png').write_text('x')
  tiny_data.write_folder(tmp_path / 'mixed', tiny_data.images(1))
  Image.new('RGB', (9, 8)).save(tmp_path / 'mixed' / 'wide.png')
  for folder, options, words in [
    ('empty', {}, 'no image'),
    ('absent', {}, 'no such folder'),
    ('bad', {'skip_corrupt': True}, 'none of its images'),
    ('mixed', {}, r'wide.png: 8x9, others are 8x8; data.image_size'),
  ]:
    with pytest.raises(UserError, match=words):
      loading.load('folder', dir=str(tmp_path / folder), **options)
  with pytest.raises(UserError, match='data.dir'):
    loading.load('folder')


@pytest.mark.parametrize('memory_mb', [1, 0])
def test_tfds_without_tensorflow(tfds_dir, memory_mb):
  x = tiny_data.images(40, (28, 28, 1))
  found = loading.load('mnist', dir=str(tfds_dir), memory_mb=memory_mb)
  assert found.name == 'mnist' and found.class_names == tuple('0123456789')
  arrays = loading.arrays(found)
  label = {image.tobytes(): i % 10 for i, image in enumerate(x)}
  assert [label[i.tobytes()] for i in arrays['x']] == arrays['label'].tolist()
  assert len({i.tobytes() for i in arrays['x']}) == 40
  test = loading.load('mnist', dir=str(tfds_dir), split='test[:5]')
  assert test.size == 5 and test.fingerprint != found.fingerprint
  colour = loading.load('mnist', dir=str(tfds_dir), image_size=32, channels=3)
  assert loading.arrays(colour)['x'].shape == (40, 32, 32, 3)


def test_tfds_finds_its_usual_folder(tfds_dir, monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', str(tfds_dir))
  assert loading.load('mnist').size == 40


@pytest.mark.parametrize(
  ('name', 'options', 'words'),
  [
    ('cifar10', {}, r"to prepare it: .*builder\('cifar10', data_dir='.*'"),
    ('mnist', {'split': 'trian'}, "'trian'.*splits: train, test"),
    ('mnist', {'split': 'train[:0]'}, 'empty'),
    ('mnist:9.9.9', {}, 'cannot be loaded at version 9.9.9'),
    ('imdb_reviews', {}, 'no image among its features: text, label'),
    ('celeb_a', {'image_size': 64}, 'to prepare it'),
    ('food101', {}, 'data.image_size=N'),
  ],
)
def test_tfds_mistakes(tfds_dir, name, options, words):
  with pytest.raises(UserError, match=words) as e:
    loading.load(name, dir=str(tfds_dir), **options)
  assert '\n' not in str(e.value)


REAL = pathlib.Path(os.environ.get('GAN_JAX_DATA', '/nowhere'))


@pytest.mark.parametrize(
  ('name', 'size', 'shape', 'mean'),
  [
    ('mnist', 60_000, (28, 28, 1), 33.32),
    ('fashion_mnist', 60_000, (28, 28, 1), 72.94),
    ('cifar10', 50_000, (32, 32, 3), 120.71),
  ],
)
def test_real_data(name, size, shape, mean):
  if not (REAL / name).is_dir():
    pytest.skip(f'no {name} in GAN_JAX_DATA={REAL}')
  found = loading.load(name, dir=str(REAL))
  arrays = loading.arrays(found)
  assert (found.size, found.shape) == (size, shape)
  assert abs(arrays['x'].mean() - mean) < 0.01
  assert np.bincount(arrays['label']).min() > size / 12
