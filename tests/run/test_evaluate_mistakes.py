"""Scores that cannot be had or compared: one line, and nothing is written."""

import json

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.run import scoring
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.types import UserError
from tests.run import test_evaluate
from tests.run.test_commands import ROOT, complaint, contents
from tests.run.test_evaluate import STEPS, kept

run = test_evaluate.run
trained = test_evaluate.trained


# Nothing of this may look like weights of Inception.
NOT_WEIGHTS = {'text.pth': b'hello', 'cut.npz': b'PK\x03\x04', 'x.npz': b''}


@pytest.fixture
def two(run, tmp_path):
  """Two runs with the same records, but of other values."""
  other = tmp_path / 'other'
  other.mkdir()
  found = [r | {'value': r['value'] + 0.5} for r in kept(run)]
  (other / 'scores.json').write_text(json.dumps(found))
  return run, other


def compared(a, b):
  evaluate.main(['', f'--compare={a},{b}'])


def test_compare(two, capsys):
  a, b = two
  compared(a, b)
  compared(a, b / 'scores.json')
  found = capsys.readouterr().out.splitlines()
  assert found[:2] == [f'a: {a}', f'b: {b}'] and len(found) == 8
  assert found[2].startswith('fid: a ') and found[2].endswith('a - b -0.5000')
  assert found[3].startswith('class_coverage: ')
  assert found[2:4] == found[6:8]


@pytest.mark.parametrize(
  'change, words',
  [
    ({'n_fake': 100}, 'n_fake differs: 120 and 100'),
    ({'features_hash': 'x'}, 'features_hash differs'),
    ({'reference': 'digits/test'}, 'reference differs: digits/train and digi'),
    ({'draws': 3}, 'draws differs: 1 and 3'),
    ({'protocol': 'tf-inception-50k-train'}, 'protocol differs: none and tf-'),
    ({'ema': False}, 'ema differs: True and False'),
  ],
)
def test_unlike_records_are_not_compared(change, words, two, capfd):
  a, b = two
  path = b / 'scores.json'
  found = json.loads(path.read_text())
  path.write_text(json.dumps([r | change for r in found]))
  line = complaint(capfd, evaluate.main, f'--compare={a},{b}')
  assert line.startswith('error: fid: not comparable, ') and words in line


OTHER_FILES = {
  '{': 'not score records',
  '\xff\xfe': 'not score records',
  '': 'not score records',
  '{}': 'not a list of score records',
  '{"metric": "fid", "value": 1}': 'not a list of score records',
  '[1, 2]': 'not a list of score records',
  '[{}]': 'not a list of score records',
  '"fid"': 'not a list of score records',
  'null': 'not a list of score records',
  '[]': 'no metric in common: fid, class_coverage and none',
  '[{"metric": "fid", "value": null}]': 'no metric in common',
}


@pytest.mark.parametrize('content', OTHER_FILES)
def test_what_is_no_list_of_records_is_not_compared(content, two, capfd):
  a, b = two
  path = b / 'scores.json'
  path.write_text(content, encoding='latin1')
  line = complaint(capfd, evaluate.main, f'--compare={a},{b}')
  assert OTHER_FILES[content] in line
  line = complaint(capfd, evaluate.main, f'--compare={path},{a}')
  assert str(path) in line or 'no metric in common: ' in line


def test_what_is_not_there_is_not_compared(run, tmp_path, capfd):
  for path in (tmp_path / 'absent', tmp_path):
    line = complaint(capfd, evaluate.main, f'--compare={run},{path}')
    assert 'there is no' in line and str(path) in line
  for pair in ('a', 'a,b,c'):
    line = complaint(capfd, evaluate.main, f'--compare={pair}')
    assert f'--compare={pair}: expected two, A,B.' in line
  line = complaint(capfd, evaluate.main, f'--compare={run},{run}', '--num=3')
  assert '--num does not go with --compare' in line
  flags = (f'--compare={run},{run}', '--metrics=kid')
  assert '--metrics does not' in complaint(capfd, evaluate.main, *flags)


# Mistakes


@pytest.fixture(scope='module')
def files(tmp_path_factory):
  """A folder of files that are not what they should be."""
  folder = tmp_path_factory.mktemp('files')
  for name, content in NOT_WEIGHTS.items():
    (folder / name).write_bytes(content)
  (folder / 'weights-6726825d.pth').write_bytes(b'hello')
  np.savez(folder / 'ok.npz', mu=np.zeros(64), sigma=np.eye(64))
  np.savez(folder / 'seven.npz', mu=np.zeros(7), sigma=np.eye(7))
  np.savez(folder / 'nan.npz', mu=np.full(64, np.nan), sigma=np.eye(64))
  np.savez(folder / 'uneven.npz', mu=np.zeros(64), sigma=np.eye(63))
  np.savez(folder / 'other.npz', x=np.zeros(3))
  return folder


INCEPTION = '--features=inception'
PIXELS = '--features=pixels'
MISTAKES = [
  (('--metrics=foo',), ("'foo' does not exist", 'class_coverage')),
  (('--metrics=intra_fid',), ('intra_fid', 'a conditional generator')),
  (('--metrics=fid,memorisation',), ('memorisation', 'test split')),
  (('--metrics=modes',), ("'modes'", 'known modes')),
  (('--metrics=sfid',), ("'sfid'", 'inception')),
  (('--metrics=is', PIXELS), ("'is'", 'a classifier')),
  (('--num=-1',), ('--num=-1', 'at least 0')),
  (('--num=1', '--metrics=fid'), ('--num=1', 'at least 2')),
  (('--num=5', '--metrics=prdc'), ('--num=5', 'at least 6')),
  (('--num=1', '--metrics=kid'), ('--num=1', 'at least 2')),
  (('--draws=0',), ('--draws=0', 'at least 1')),
  (('--split=foo',), ('split=foo', 'digits has no splits')),
  (('--protocol=classifier-10k-test',), ('split=test', 'no splits')),
  (('--protocol=foo',), ('--protocol=foo', 'clean-50k-train')),
  (('--protocol=clean-10k-test', PIXELS), ('--features is fixed',)),
  (('--resize=foo',), ('resize', 'only for features=inception', 'classifier')),
  ((INCEPTION, '--resize=foo'), ('resize=foo', 'tf, clean')),
  ((INCEPTION, '--weights={}/absent'), ('no weights at', 'absent')),
  ((INCEPTION, '--weights={}/text.pth'), ('text.pth', 'not an intact')),
  ((INCEPTION, '--weights={}/cut.npz'), ('cut.npz', 'damaged')),
  ((INCEPTION, '--weights={}/x.npz'), ('x.npz', 'damaged')),
  ((INCEPTION, '--weights={}/weights-6726825d.pth'), ('sha256', '6726825d')),
  (('--weights={}/text.pth',), ('weights', 'only for features=inception')),
  (('--statistics={}/seven.npz', PIXELS), ('64 dimensions', 'expected 7')),
  (('--statistics={}/nan.npz', PIXELS), ('NaN',)),
  (('--statistics={}/uneven.npz', PIXELS), ('[64]', '[63, 63]')),
  (('--statistics={}/other.npz', PIXELS), ('other.npz', 'mu and sigma')),
  (('--statistics={}/text.pth', PIXELS), ('text.pth', 'mu and sigma')),
  (('--statistics={}/absent.npz', PIXELS), ('absent.npz',)),
  (('--statistics={}/ok.npz', PIXELS, '--metrics=kid'), ('a mean and a cov',)),
  (('--statistics={}/ok.npz', '--features=classifier'), ('another net',)),
  (('--statistics={}/ok.npz', '--split=train'), ('--split', '--statistics')),
  (('--checkpoint=3',), ('no checkpoint 3', 'there: 4, 8')),
  (('--checkpoint=first',), ("'first'", 'latest, best, or a step')),
  (('--out={}/scores.json',), ('--out', '--workdir')),
  (('--data_dir={}',), ('--data.dir', 'none')),
  (('--samples={}/x.npz',), ('one of', '--compare')),
  (('--compare=a,b',), ('one of', '--compare')),
]


@pytest.mark.parametrize('flags, words', MISTAKES)
def test_a_mistake_is_told_and_nothing_is_written(
  flags, words, trained, files, capfd, monkeypatch
):
  monkeypatch.chdir(ROOT)
  before = contents(trained), contents(files)
  flags = [flag.format(files) for flag in flags]
  line = complaint(capfd, evaluate.main, f'--workdir={trained}', *flags)
  for word in words:
    assert word in line
  assert (contents(trained), contents(files)) == before


def test_inception_without_weights_says_what_can_be_done(
  trained, tmp_path, capfd, monkeypatch
):
  monkeypatch.chdir(ROOT)
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path))
  monkeypatch.delenv('GAN_JAX_INCEPTION', raising=False)
  before = contents(trained)
  for flags in ((INCEPTION,), ('--protocol=clean-50k-train',)):
    line = complaint(capfd, evaluate.main, f'--workdir={trained}', *flags)
    for word in ('no weights', 'https://', str(tmp_path), 'random_conv'):
      assert word in line
  assert contents(trained) == before and not list(tmp_path.iterdir())


def test_a_run_scored_by_inception_opens_without_its_weights(run, monkeypatch):
  monkeypatch.setenv('GAN_JAX_CACHE', str(run))
  monkeypatch.delenv('GAN_JAX_INCEPTION', raising=False)
  config = json.loads((run / 'config.json').read_text())
  (run / 'config.json').write_text(
    json.dumps({**config, 'features': 'inception', 'metrics': ['fid']})
  )
  _, _, _, step = contents_lib.open_run(run)
  assert step == STEPS[-1]


@pytest.mark.parametrize('content', ['{', '{}', '[1]', '[{"metric": "fid"}]'])
def test_a_damaged_scores_file_stops_before_the_work(
  content, run, capfd, monkeypatch
):
  (run / 'scores.json').write_text(content)
  before = contents(run)

  def look(*_, **__):
    raise AssertionError('samples were drawn')

  monkeypatch.setattr(scoring, 'make_look', look)
  line = complaint(capfd, evaluate.main, f'--workdir={run}')
  assert 'scores.json' in line and 'score records' in line
  assert contents(run) == before


def test_from_python_a_mistake_is_an_error_too(trained, monkeypatch):
  monkeypatch.chdir(ROOT)
  with pytest.raises(UserError, match='does not exist'):
    evaluate.evaluate(trained, metrics=('foo',))
