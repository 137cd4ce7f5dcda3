"""Samples of any other program, against any data set, folder or statistics."""

import json

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.data import loading
from gan_jax.metrics import fid, kid, memorisation, prdc, protocols
from gan_jax.metrics.features import classifier, pixels
from gan_jax.run import external_samples
from gan_jax.types import UserError
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
  monkeypatch.setitem(classifier.RECIPE, 'steps', (2, 2))


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
  assert external_samples.open_samples(str(grey)).shape == (8, 8, 1)
  assert external_samples.open_samples(folder).shape == (8, 8, 3)
  assert external_samples.open_samples(folder, 1).shape == (8, 8, 1)
  assert external_samples.open_data(folder, channels=1).shape == (8, 8, 1)


def test_points_against_points(tmp_path):
  x = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
  np.savez(tmp_path / 'x.npz', x=x)
  found = score(tmp_path, tmp_path / 'x.npz', 'ring8')
  assert set(found) == {'modes', 'high_quality'}
  centres = loading.load('ring8').modes
  gaps = np.linalg.norm(x[:, None] - centres['centers'][None], axis=-1)
  near = (gaps <= 3 * centres['std']).any(axis=1)
  assert found['high_quality']['value'] == pytest.approx(near.mean())


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
  # In their order on disk, by which k-means finds cells in noise.
  load = lambda split: loading.load('mnist', dir=str(root), split=split)
  sides = [loading.arrays(load(split))['x'] for split in ('train', 'test')]
  train, test, fake = (pixels.extract(s) for s in (*sides, x))
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


# A protocol


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


# Mistakes


@pytest.fixture(scope='module')
def broken(tmp_path_factory):
  """Files and folders that are not what they should be, and some that are."""
  root = tmp_path_factory.mktemp('broken')
  x, colour = tiny_data.images(20, (8, 8, 1)), tiny_data.images(20)
  write = tiny_data.write_folder
  write(root / 'good', x)
  (root / 'empty').mkdir()
  write(root / 'corrupt', x)
  (root / 'corrupt' / '0002.png').write_bytes(b'no image')
  write(root / 'one', x[:1])
  write(root / 'five', x[:5])
  write(root / 'wide', tiny_data.images(20, (9, 9, 1)))
  write(root / 'uneven', x)
  odd = tiny_data.images(1, (9, 9, 1))[0]
  (root / 'uneven' / '0003.png').write_bytes(tiny_data.png(odd))
  write(root / 'classes', colour, classes=('a', 'b'))
  write(root / 'others', colour, classes=('a', 'c'))
  write(root / 'mixed', colour[:10], classes=('a', 'b'))
  write(root / 'mixed', colour[10:])
  floats = ranged(x).reshape(x.shape).astype(np.float32)
  np.savez(root / 'good.npz', x=floats)
  floats[3, 2, 1] = np.nan
  np.savez(root / 'nan.npz', x=floats)
  np.savez(root / 'far.npz', x=np.full((20, 8, 8, 1), 3.0, np.float32))
  np.savez(root / 'other.npz', foo=np.zeros(3))
  np.savez(root / 'points.npz', x=np.zeros((20, 2), np.float32))
  np.savez(root / 'seven.npz', mu=np.zeros(7), sigma=np.eye(7))
  np.savez(root / 'nan_stats.npz', mu=np.full(64, np.nan), sigma=np.eye(64))
  np.savez(root / 'uneven_stats.npz', mu=np.zeros(64), sigma=np.eye(63))
  (root / 'text.npz').write_text('hello')
  (root / 'text').write_text('hello')
  (root / 'damaged.json').write_text('{')
  (root / 'numbers.json').write_text('[1, 2]')
  return root


NET = '--features=inception'
# Samples, data, further flags, and what the line names.
MISTAKES = [
  ('absent', 'good', (), ('absent', 'a folder, or an .npz')),
  ('text', 'good', (), ('text', 'a folder, or an .npz')),
  ('empty', 'good', (), ('empty', 'no image')),
  ('corrupt', 'good', (), ('0002.png', 'cannot be read')),
  ('uneven', 'good', (), ('0003.png', '9x9')),
  ('absent.npz', 'good', (), ('absent.npz', 'no such file')),
  ('nan.npz', 'good', (), ('nan.npz', 'not finite')),
  ('far.npz', 'good', (), ('far.npz', '[-1, 1]')),
  ('text.npz', 'good', (), ('text.npz', 'not an .npz file')),
  ('other.npz', 'good', (), ('other.npz', 'foo')),
  ('seven.npz', 'good', (), ('seven.npz', 'no array `x`')),
  ('one', 'good', (), ('at least 2', 'got 1')),
  ('one', 'good', ('--metrics=kid',), ('at least 2', 'got 1')),
  ('five', 'good', ('--metrics=prdc',), ('at least 6', 'got 5')),
  ('good', 'five', ('--metrics=prdc',), ('at least 6', 'got 5')),
  ('wide', 'good', (), ('[9, 9, 3]', '[8, 8, 3]')),
  ('wide', 'digits', (), ('[9, 9, 1]', '[8, 8, 1]')),
  ('points.npz', 'good', (), ('[2]', '[8, 8, 3]')),
  ('points.npz', 'digits', (), ('[2]', '[8, 8, 1]')),
  ('good.npz', 'ring8', (), ('[8, 8, 1]', '[2]')),
  ('good', 'absent', (), ('absent', 'unknown')),
  ('good', 'empty', (), ('empty', 'no image')),
  ('good', 'corrupt', (), ('0002.png', 'cannot be read')),
  ('good', 'nan.npz', (), ('nan.npz', 'not finite')),
  ('good', 'text.npz', (), ('text.npz', 'not an .npz file')),
  ('good', 'nosuchdata', (), ("'nosuchdata'", 'ring8')),
  ('good', 'no.such.module', (), ('no.such.module',)),
  ('good', 'mnist', ('--data_dir={}',), ('mnist', 'not been prepared')),
  ('good', 'digits', ('--data_dir={}',), ('data.dir',)),
  ('good', 'digits', ('--split=foo',), ('--split=foo', 'no splits')),
  ('good', 'good', ('--split=test',), ('--split=test', 'no splits')),
  ('good', 'good.npz', ('--split=test',), ('--split=test', 'no splits')),
  ('good', 'digits', ('--metrics=foo',), ("'foo' does not exist", 'fid')),
  ('good', 'good', ('--metrics=is',), ("'is'", 'a classifier')),
  ('good', 'good', ('--metrics=modes',), ("'modes'", 'known modes')),
  ('good', 'digits', ('--metrics=c_t',), ("'c_t'", 'test split')),
  ('good', 'digits', ('--metrics=intra_fid',), ('intra_fid', 'conditional')),
  ('classes', 'others', ('--metrics=intra_fid',), ('intra_fid', 'conditional')),
  ('mixed', 'classes', ('--metrics=intra_fid',), ('intra_fid', 'conditional')),
  ('classes', 'mixed', ('--metrics=intra_fid',), ('intra_fid', 'labelled')),
  ('good', 'good', ('--features=classifier',), ('classifier', 'no classes')),
  ('good', 'good', ('--features=foo',), ("features='foo'", 'pixels')),
  ('good', 'good', ('--resize=foo',), ('resize', 'only for features=inception')),
  ('good', 'good', (NET, '--resize=foo'), ('resize=foo', 'tf, clean')),
  ('good', 'good', (NET, '--weights={}/absent'), ('no weights at',)),
  ('good', 'good', (NET, '--weights={}/text'), ('text', 'not an intact')),
  ('good.npz', 'seven.npz', (PIXELS,), ('64 dimensions', 'expected 7')),
  ('good.npz', 'nan_stats.npz', (PIXELS,), ('NaN',)),
  ('good.npz', 'uneven_stats.npz', (PIXELS,), ('[64]', '[63, 63]')),
  ('good', 'good', ('--num=5',), ('--num', '--samples')),
  ('good', 'good', ('--draws=2',), ('--draws', '--samples')),
  ('good', 'good', ('--checkpoint=best',), ('--checkpoint', '--samples')),
  ('good', 'good', ('--statistics={}',), ('--statistics', '--samples')),
  ('good', 'good', ('--workdir={}',), ('one of --workdir',)),
  ('good', 'good', ('--out={}/absent/x.json',), ('there is no folder',)),
  ('good', 'good', ('--out={}',), ('--out=', 'directory')),
  ('good', 'good', ('--out={}/damaged.json',), ('damaged.json', 'not score')),
  ('good', 'good', ('--out={}/numbers.json',), ('numbers.json', 'not a list')),
  ('good', '', (), ('--data is missing',)),
  ('good', 'good', ('--protocol=foo',), ('--protocol=foo', 'clean-')),
  ('good', 'digits', ('--protocol=classifier-10k-test',), ('no splits',)),
  (
    'good', 'digits', ('--protocol=classifier-50k-train',),
    ('50,000 samples', 'there are 20'),
  ),
]  # fmt: skip
NAMES = ('digits', 'ring8', 'mnist', 'nosuchdata', 'no.such.module', '')


@pytest.mark.parametrize('samples, data, flags, words', MISTAKES)
def test_a_mistake_is_told_and_nothing_is_written(
  samples, data, flags, words, broken, tmp_path, capfd, monkeypatch
):
  monkeypatch.chdir(tmp_path)
  before = contents(broken)
  data = data if data in NAMES else broken / data
  flags = [flag.format(broken) for flag in flags]
  if not any(flag.startswith('--out') for flag in flags):
    flags.append(f'--out={tmp_path / "out.json"}')
  line = complaint(
    capfd,
    evaluate.main,
    f'--samples={broken / samples}',
    f'--data={data}',
    *flags,
  )
  for word in words:
    assert word in line
  assert contents(broken) == before and not list(tmp_path.iterdir())


def test_from_python_a_mistake_is_an_error_too(tmp_path):
  with pytest.raises(UserError, match='a folder, or an .npz'):
    external_samples.open_samples(str(tmp_path / 'absent'))
