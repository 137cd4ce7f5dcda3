"""Samples of any other program, against any data set, folder or statistics."""

import json

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.data import loading
from gan_jax.metrics import fid, kid, prdc
from gan_jax.metrics.features import inception, inception_weights, pixels
from gan_jax.run import external_samples, sources
from tests import tiny_data
from tests.run.test_commands import complaint, contents

N = 40
PIXELS = '--features=pixels'


def ranged(x):
  """uint8 images as flat features in model range."""
  return x.reshape(len(x), -1).astype(np.float64) / 127.5 - 1


def grey_of(digits):
  """The digits as uint8, so that a picture can hold them: [N, 8, 8, 1]."""
  return np.rint((digits + 1) * 127.5).astype(np.uint8)


@pytest.fixture(scope='module')
def real():
  """All digits [1797, 8, 8, 1], float32 in model range."""
  return loading.arrays(loading.load('digits'))['x']


@pytest.fixture(scope='module')
def files(tmp_path_factory):
  """Folders and .npz files of two sets of noise, in colour and in grey."""
  root = tmp_path_factory.mktemp('files')
  for name, shape in (('rgb', (8, 8, 3)), ('grey', (8, 8, 1))):
    for seed in (0, 1):
      x = tiny_data.images(N, shape, seed=seed)
      tiny_data.write_folder(root / f'{name}{seed}', x)
      np.savez(root / f'{name}{seed}.npz', samples=x)
  return root


def score(tmp_path, samples, data, *flags):
  """Records by metric of the command."""
  out = tmp_path / 'out.json'
  out.unlink(missing_ok=True)
  argv = ['', f'--samples={samples}', f'--data={data}', f'--out={out}']
  evaluate.main([*argv, *flags])
  return {r['metric']: r for r in json.loads(out.read_text())}


def test_a_folder_against_a_folder(files, tmp_path, capsys):
  found = score(
    tmp_path, files / 'rgb0', files / 'rgb1', '--metrics=fid,kid,prdc'
  )
  a, b = (ranged(tiny_data.images(N, seed=seed)) for seed in (0, 1))
  expected = prdc.prdc(b, a, k=5) | {
    'fid': fid.frechet_distance(b, a), 'kid': kid.kernel_distance(b, a),
  }  # fmt: skip
  assert set(found) == set(expected)
  for name, value in expected.items():
    assert found[name]['value'] == pytest.approx(value, rel=1e-5, abs=1e-6)
  told = {
    'features': 'pixels', 'reference': 'rgb1/train', 'n_real': N, 'n_fake': N,
    'source': str(files / 'rgb0'), 'seed': None, 'step': None, 'protocol': '',
  }  # fmt: skip
  assert {k: found['fid'][k] for k in told} == told
  lines = capsys.readouterr().out.splitlines()
  assert len(lines) == 6 and lines[0].startswith('fid ')
  assert f'[pixels, {N} samples, {N} of rgb1/train]' in lines[0]


@pytest.mark.parametrize('colour', ['rgb', 'grey'])
@pytest.mark.parametrize('ending', ['', '.npz'])
@pytest.mark.parametrize('other', ['', '.npz'])
def test_files_of_either_kind_give_the_same(
  colour, ending, other, files, tmp_path
):
  pair = files / f'{colour}0{ending}', files / f'{colour}1{other}'
  found = score(tmp_path, *pair)['fid']
  shape = (8, 8, 3 if colour == 'rgb' else 1)
  a, b = (ranged(tiny_data.images(N, shape, seed=seed)) for seed in (0, 1))
  expected = fid.frechet_distance(b, a)
  if colour == 'grey' and ending == other == '':
    expected *= 3  # nothing says that these are grey: each value thrice
  assert found['value'] == pytest.approx(expected, rel=1e-5)


def test_a_grey_folder_against_grey_data(real, tmp_path):
  """A folder is opened with the channels of what it is compared with."""
  x = grey_of(real[::10])
  folder = tiny_data.write_folder(tmp_path / 'x', x)
  found = score(tmp_path, folder, 'digits', PIXELS)['fid']
  expected = fid.frechet_distance(real.reshape(len(real), -1), ranged(x))
  assert found['value'] == pytest.approx(expected, rel=1e-5)
  assert found['reference'] == 'digits/train' and found['n_real'] == 1797


def test_statistics_do_not_say_the_channels(files):
  grey, folder = files / 'grey0.npz', str(files / 'grey1')
  assert sources.open_samples(str(grey)).shape == (8, 8, 1)
  assert sources.open_samples(folder).shape == (8, 8, 3)
  assert sources.open_samples(folder, channels=1).shape == (8, 8, 1)
  assert sources.open_data(folder, channels=1).shape == (8, 8, 1)


def test_points_against_points(tmp_path):
  x = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
  np.savez(tmp_path / 'x.npz', x=x)
  found = score(tmp_path, tmp_path / 'x.npz', 'ring8')
  assert set(found) == {'modes', 'high_quality'}
  centres = loading.load('ring8').modes
  gaps = np.linalg.norm(x[:, None] - centres['centers'][None], axis=-1)
  near = (gaps <= 3 * centres['std']).any(axis=1)
  assert found['high_quality']['value'] == pytest.approx(near.mean())


def statistics(path, x):
  np.savez(path, mu=x.mean(axis=0), sigma=np.cov(x, rowvar=False))
  return path


def test_published_statistics(files, tmp_path, capfd):
  x = ranged(tiny_data.images(N, seed=1))
  file = statistics(tmp_path / 'theirs.npz', x)
  found = score(tmp_path, files / 'rgb0', file, PIXELS)
  real = score(tmp_path, files / 'rgb0', files / 'rgb1', PIXELS)
  assert set(found) == {'fid'}
  ours, theirs = real['fid'], found['fid']
  assert theirs['value'] == pytest.approx(ours['value'], rel=1e-6)
  assert theirs['reference'] == 'theirs.npz' and theirs['n_real'] is None
  before = contents(tmp_path)
  flags = (f'--samples={files / "rgb0"}', f'--data={file}')
  for more, words in (
    ((PIXELS, '--metrics=kid'), 'only a mean and a covariance'),
    ((PIXELS, '--metrics=fid,prdc'), 'only a mean and a covariance'),
    ((PIXELS, '--metrics=class_coverage'), 'a classifier'),
    ((PIXELS, '--metrics=memorisation'), 'test split'),
    ((PIXELS, '--split=test'), 'no splits'),
    (('--features=classifier',), 'another net'),
  ):
    assert words in complaint(capfd, evaluate.main, *flags, *more)
  assert contents(tmp_path) == before


def test_statistics_are_by_inception_unless_somebody_says_otherwise(
  files, tmp_path, capfd, monkeypatch
):
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))
  monkeypatch.delenv('GAN_JAX_INCEPTION', raising=False)
  file = statistics(tmp_path / 'theirs.npz', np.eye(5))
  flags = (f'--samples={files / "rgb0"}', f'--data={file}')
  assert 'inception: no weights' in complaint(capfd, evaluate.main, *flags)


def test_what_is_wrong_with_the_real_ones_is_told_before_the_samples_are_seen(
  files, tmp_path, capfd, monkeypatch
):
  def collect(*_):
    raise AssertionError('samples were looked at')

  monkeypatch.setattr(external_samples, '_collect', collect)
  file = statistics(tmp_path / 'theirs.npz', np.eye(192))
  line = complaint(
    capfd,
    evaluate.main,
    f'--samples={files / "rgb0"}',
    f'--data={file}',
    PIXELS,
    '--metrics=swd',
  )
  assert 'only a mean and a covariance' in line


# --out


def test_out_keeps_other_records_and_replaces_the_same(files, tmp_path):
  out = tmp_path / 'scores.json'

  def add(*flags, samples='rgb0', data='rgb1'):
    argv = [f'--samples={files / samples}', f'--data={files / data}']
    evaluate.main(['', *argv, f'--out={out}', *flags])
    return json.loads(out.read_text())

  first = add()
  assert add() == first and len(first) == 1
  second = add('--metrics=kid')
  assert second[:1] == first and second[1]['metric'] == 'kid'
  third = add(samples='rgb1')  # of another source
  assert third[:2] == second and third[2]['value'] == pytest.approx(0, abs=1e-9)
  fourth = add(data='rgb0')
  assert fourth[:3] == third and len(fourth) == 4
  assert add('--metrics=kid') == [first[0], *third[2:], *fourth[3:], second[1]]


def test_without_out_nothing_is_written(files, tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  before = contents(files)
  pair = f'--samples={files / "rgb0"}', f'--data={files / "rgb1"}'
  evaluate.main(['', *pair])
  assert capsys.readouterr().out.startswith('fid ')
  assert contents(files) == before and not list(tmp_path.iterdir())


# samples and statistics in one file


@pytest.fixture
def both(files, tmp_path, monkeypatch):
  """(file with pictures and statistics of others, those), as if Inception's."""
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))
  monkeypatch.setattr(inception, 'DIMENSIONS', 192)
  monkeypatch.setattr(inception_weights, 'find', lambda path: path)
  net = lambda path, *, resize, say: pixels.load((8, 8, 3))
  monkeypatch.setattr(inception, 'load', net)
  x, theirs = tiny_data.images(N, seed=1), ranged(tiny_data.images(N, seed=2))
  mu, sigma = theirs.mean(axis=0), np.cov(theirs, rowvar=False)
  np.savez(tmp_path / 'both.npz', arr_0=x, mu=mu, sigma=sigma)
  np.savez(tmp_path / 'own.npz', arr_0=x)
  np.savez(tmp_path / 'theirs.npz', mu=mu, sigma=sigma)
  return tmp_path


NET = '--features=inception'


def test_of_both_each_metric_takes_what_it_needs(files, both, tmp_path):
  names = '--metrics=prdc,fid,kid'
  found = score(tmp_path, files / 'rgb0', both / 'both.npz', NET, names)
  own = score(tmp_path, files / 'rgb0', both / 'own.npz', PIXELS, names)
  theirs = score(tmp_path, files / 'rgb0', both / 'theirs.npz', NET)
  assert list(found)[:4] == ['precision', 'recall', 'density', 'coverage']
  for name, record in found.items():
    expected = (theirs if name == 'fid' else own)[name]
    assert record['value'] == pytest.approx(expected['value'], rel=1e-6)
    assert record['n_real'] == (None if name == 'fid' else N)
  assert found['fid']['reference'] == 'both.npz'
  assert found['kid']['reference'] == 'both/train'
  assert own['fid']['value'] != pytest.approx(theirs['fid']['value'], rel=0.01)
  alone = score(tmp_path, files / 'rgb0', both / 'both.npz', '--metrics=fid')
  assert alone['fid']['value'] == pytest.approx(found['fid']['value'])


@pytest.mark.parametrize('metrics', ['fid', 'prdc,fid', 'swd', ''])
def test_statistics_are_of_inception_alone(metrics, files, both, tmp_path):
  flags = [PIXELS] + ([f'--metrics={metrics}'] if metrics else [])
  found = score(tmp_path, files / 'rgb0', both / 'both.npz', *flags)
  own = score(tmp_path, files / 'rgb0', both / 'own.npz', *flags)
  assert list(found) == list(own)
  for name, record in own.items():
    assert found[name]['value'] == record['value']
    assert found[name]['n_real'] == N


def test_statistics_of_other_features_do_not_count(files, both, tmp_path):
  with np.load(both / 'own.npz') as held:
    x = held['arr_0']
  np.savez(tmp_path / 'odd.npz', arr_0=x, mu=np.zeros(7), sigma=np.eye(7))
  found = score(tmp_path, files / 'rgb0', tmp_path / 'odd.npz', NET)['fid']
  own = score(tmp_path, files / 'rgb0', both / 'own.npz', NET)['fid']
  assert found['value'] == own['value'] and found['n_real'] == N
