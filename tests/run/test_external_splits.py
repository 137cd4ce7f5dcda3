"""Samples of any other program against a data set with splits."""

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.data import loading
from gan_jax.metrics import content, fid, memorisation, protocols
from gan_jax.metrics.features import classifier, convnet, pixels
from tests import tiny_data
from tests.run.test_commands import complaint
from tests.run.test_external_samples import PIXELS, N, ranged, score


@pytest.fixture(scope='module')
def mnist(tmp_path_factory):
  """(folder, {split: images}) of a tiny MNIST; test pictures are darker."""
  root = tmp_path_factory.mktemp('tfds')
  x = tiny_data.images(3 * N, (28, 28, 1))
  y = np.arange(3 * N) % 10
  splits = {'train': (x[:-N], y[:-N]), 'test': (x[-N:] // 2, y[-N:])}
  tiny_data.write_tfds(root, 'mnist', splits)
  return root, {name: x for name, (x, _) in splits.items()}


@pytest.fixture(scope='module')
def fakes(mnist, tmp_path_factory):
  """(.npz, images) of as large noise, with labels."""
  file = tmp_path_factory.mktemp('fakes') / 'fakes.npz'
  x = tiny_data.images(N, (28, 28, 1), seed=5)
  np.savez(file, x=x, label=np.arange(N) % 10)
  return file, x


@pytest.fixture
def quick(monkeypatch):
  """A classifier that learns in two steps."""
  monkeypatch.setitem(convnet.RECIPE, 'steps', (2, 2))


@pytest.mark.parametrize('split', ['', 'train', 'test'])
def test_a_split_of_a_data_set(split, mnist, fakes, tmp_path):
  root, splits = mnist
  file, x = fakes
  flags = [f'--split={split}'] if split else []
  found = score(tmp_path, file, 'mnist', f'--data_dir={root}', PIXELS, *flags)[
    'fid'
  ]
  real = splits[split or 'train']
  expected = fid.frechet_distance(ranged(real), ranged(x))
  assert found['value'] == pytest.approx(expected, rel=1e-5)
  assert found['reference'] == f'mnist/{split or "train"}'
  assert found['n_real'] == len(real)


def test_held_out_samples_are_those_of_the_test_split(mnist, fakes, tmp_path):
  root, _ = mnist
  file, x = fakes
  flags = (f'--data_dir={root}', PIXELS, '--metrics=memorisation')
  found = score(tmp_path, file, 'mnist', *flags)
  # In the order of their content, by which k-means finds cells in noise.
  load = lambda split: loading.load('mnist', dir=str(root), split=split)
  sides = [loading.arrays(load(split))['x'] for split in ('train', 'test')]
  ordered = [s[np.argsort(content.keys(s))] for s in (*sides, x)]
  train, test, fake = map(pixels.extract, ordered)
  expected = memorisation.c_t(train, test, fake)['c_t']
  assert found['c_t']['value'] == pytest.approx(expected, rel=1e-4)
  assert found['c_t']['held_out'] == 'mnist/test'
  share = memorisation.authenticity(train, fake)
  assert found['authenticity']['value'] == pytest.approx(share)


def test_the_classifier_is_the_train_splits_whatever_the_reference(
  mnist, fakes, tmp_path, quick, capfd
):
  root, _ = mnist
  found = [
    score(tmp_path, fakes[0], 'mnist', f'--data_dir={root}', *flags)['fid']
    for flags in ((), ('--split=train',), ('--split=test',))
  ]
  hashes = {r['features_hash'] for r in found}
  train = loading.load('mnist', dir=str(root))
  assert hashes == {classifier.load_or_train(train).hash}
  assert [r['reference'][6:] for r in found] == ['train', 'train', 'test']
  assert found[0]['value'] == found[1]['value'] != found[2]['value']


def test_labels_that_the_samples_were_made_for(mnist, fakes, tmp_path):
  root, splits = mnist
  file, x = fakes
  flags = (f'--data_dir={root}', PIXELS, '--metrics=intra_fid')
  found = score(tmp_path, file, 'mnist', *flags)['intra_fid']
  real, y = ranged(splits['train']), np.arange(2 * N) % 10
  each = [
    fid.frechet_distance(real[y == c], ranged(x)[np.arange(N) % 10 == c])
    for c in range(10)
  ]
  assert found['value'] == pytest.approx(np.mean(each), rel=1e-5)
  np.testing.assert_allclose(found['class_fid'], each, rtol=1e-4)


def test_a_protocol_is_of_so_many_samples(
  mnist, fakes, tmp_path, monkeypatch, capfd, quick
):
  root, _ = mnist
  for name, num in (('few', N), ('many', N + 1)):
    way = protocols.Protocol('classifier', '', 'test', num)
    monkeypatch.setitem(protocols.PROTOCOLS, name, way)
  found = score(
    tmp_path, fakes[0], 'mnist', f'--data_dir={root}', '--protocol=few'
  )['fid']
  assert (found['protocol'], found['n_fake']) == ('few', N)
  assert found['reference'] == 'mnist/test'
  flags = f'--samples={fakes[0]}', '--data=mnist', f'--data_dir={root}'
  line = complaint(capfd, evaluate.main, *flags, '--protocol=many')
  assert f'--protocol=many is of {N + 1} samples, there are {N}' in line
