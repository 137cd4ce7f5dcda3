"""A run's scores: of any checkpoint, in any way, kept beside the others."""

import json
import shutil

import jax
import numpy as np
import pytest

from gan_jax import evaluate, sample
from gan_jax.data import loading
from gan_jax.game import keys
from gan_jax.metrics import fid, kid, prdc, protocols
from gan_jax.metrics.features import classifier, random_conv
from gan_jax.run import command, sampling, scoring, training
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.storage import files as files_lib
from gan_jax.types import UserError
from tests.run.test_commands import ROOT, complaint, contents

NUM = 120
STEPS = (4, 8)
# Nothing of this may look like weights of Inception.
NOT_WEIGHTS = {'text.pth': b'hello', 'cut.npz': b'PK\x03\x04', 'x.npz': b''}


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
  """The workdir of a tiny run of digits, scored at steps 4 and 8."""
  workdir = tmp_path_factory.mktemp('digits') / 'run'
  config = command.load_config(
    f'{ROOT}/configs/digits.py:tiny', {'eval_every': 4, 'eval_samples': NUM}
  )
  training.train(config, workdir)
  return workdir


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
  """A copy of it, to be written to."""
  monkeypatch.chdir(ROOT)
  shutil.copytree(trained, tmp_path / 'run')
  return tmp_path / 'run'


def main(run, *flags):
  """Runs the command; returns the records of scores.json."""
  evaluate.main(['', f'--workdir={run}', *flags])
  return kept(run)


def kept(run):
  return json.loads((run / 'scores.json').read_text())


def rows(run, name='fid'):
  """{step: value} as the training told it."""
  found = files_lib.read_rows(run / 'metrics.jsonl')
  return {row['step']: row[name] for row in found if name in row}


def samples(run, *, draw=0, num=NUM, which='latest'):
  """What a checkpoint's generator makes, straight from the sampler."""
  _, setup, state, _ = contents_lib.open_run(run, which=which)
  key = keys.draw_key(setup.keys[0], draw)
  made = setup.sample(
    sampling.take_seed(state.ema, 0), key, np.arange(num, dtype=np.int32), None
  )
  return np.asarray(made)


@pytest.fixture(scope='module')
def digits():
  return loading.load('digits')


@pytest.fixture(scope='module')
def real(digits):
  return loading.arrays(digits)['x']


def flat(x):
  return np.reshape(x, (len(x), -1))


# Which checkpoint


def test_any_checkpoint_and_the_training_said_the_same(run):
  said = rows(run)
  assert set(said) == set(STEPS)
  for which, step in (('4', 4), ('8', 8), ('latest', 8)):
    found = main(run, f'--checkpoint={which}')[-2:]
    assert [(r['metric'], r['step']) for r in found] == [
      ('fid', step), ('class_coverage', step),
    ]  # fmt: skip
    assert found[0]['value'] == pytest.approx(said[step], rel=1e-9)


def test_best_is_the_step_with_the_lowest_distance(run):
  said = rows(run)
  found = main(run, '--checkpoint=best')
  assert found[-1]['step'] == min(said, key=said.get)


# What is measured


def test_several_metrics_in_one_pass(run, real, capsys, monkeypatch):
  passes = []
  draw = scoring.batches
  watched = lambda *args, **kwargs: passes.append(1) or draw(*args, **kwargs)
  monkeypatch.setattr(scoring, 'batches', watched)
  found = main(run, '--metrics=fid,prdc,kid,swd', '--features=pixels')
  assert len(passes) == 1
  made = {r['metric']: r['value'] for r in found if r['features'] == 'pixels'}
  fake, theirs = flat(samples(run)), flat(real)
  expected = prdc.prdc(theirs, fake, k=5) | {
    'fid': fid.frechet_distance(theirs, fake),
    'kid': kid.kernel_distance(theirs, fake),
  }
  assert set(made) == {*expected, 'swd'}
  for name, value in expected.items():
    assert made[name] == pytest.approx(value, rel=1e-5, abs=1e-9), name
  assert made['swd'] > 0
  printed = [line for line in capsys.readouterr().out.splitlines() if line]
  assert len(printed) == 7
  assert all(f'[pixels, {NUM} samples, 1,797 of' in x for x in printed)


@pytest.mark.parametrize('features', ['pixels', 'random_conv', 'classifier'])
def test_features(features, run, real, digits):
  found = main(run, f'--features={features}', '--metrics=fid')[-1]
  nets = {
    'pixels': lambda x: flat(x),
    'random_conv': lambda x: random_conv.load((8, 8, 1)).apply(x).features,
    'classifier': lambda x: classifier.load_or_train(digits).apply(x).features,
  }
  theirs, ours = (nets[features](x) for x in (real, samples(run)))
  expected = fid.frechet_distance(theirs, ours)
  assert found['value'] == pytest.approx(expected, rel=1e-4)
  assert found['features'] == features and found['features_hash']
  assert (found['features_accuracy'] is not None) == (features == 'classifier')


def test_draws(run, real):
  once = main(run, '--metrics=fid,kid', '--features=pixels')[-2:]
  thrice = main(run, '--metrics=fid,kid', '--features=pixels', '--draws=3')
  assert once == thrice[-4:-2]  # another protocol: both stay
  expected = [
    fid.frechet_distance(flat(real), flat(samples(run, draw=d)))
    for d in range(3)
  ]
  np.testing.assert_allclose(thrice[-2]['draw_values'], expected, rtol=1e-6)
  assert len(set(expected)) == 3
  for one, many in zip(once, thrice[-2:], strict=True):
    assert (one['draws'], many['draws']) == (1, 3)
    assert many['interval_method'] == 'draws' != one['interval_method']
    assert many['draw_values'][0] == one['value']
    assert many['value'] == pytest.approx(np.mean(many['draw_values']))
    low, high = many['interval']
    # Student's t with two degrees of freedom, at 95 %.
    half = 4.302653 * np.std(many['draw_values'], ddof=1) / np.sqrt(3)
    assert (high - low) / 2 == pytest.approx(half, rel=1e-5)
    assert (high + low) / 2 == pytest.approx(many['value'])


def test_a_record_says_how_it_came_about(run, digits):
  record = main(run, '--metrics=fid')[-1]
  told = {
    'features': 'classifier', 'resize': '', 'reference': 'digits/train',
    'n_real': 1797, 'n_fake': NUM, 'draws': 1, 'seed': 0, 'ema': True,
    'batch_norm': 'running', 'truncation': None, 'protocol': '', 'step': 8,
  }  # fmt: skip
  assert {k: record[k] for k in told} == told
  assert record['features_hash'] == classifier.load_or_train(digits).hash
  assert record['reference_hash']
  assert {'gan_jax', 'jax', 'numpy', 'scipy'} <= set(record['versions'])
  low, high = record['interval']
  assert 0 <= low <= record['value'] <= high


def test_num_and_metrics_of_the_runs_own(run):
  found = main(run, '--num=100')[-2:]
  assert [r['metric'] for r in found] == ['fid', 'class_coverage']
  assert [r['n_fake'] for r in found] == [100, 100]


# What is kept


def test_the_same_is_replaced_and_the_rest_stays(run):
  first = kept(run)
  assert [r['step'] for r in first] == [8, 8]
  assert len(main(run)) == 2  # the training's own, measured again
  one = main(run, '--metrics=kid', '--features=pixels')
  assert one[:2] == first and len(one) == 3
  another = main(run, '--metrics=kid', '--features=pixels', '--num=100')
  assert another[:3] == one and len(another) == 4
  early = main(run, '--metrics=kid', '--features=pixels', '--checkpoint=4')
  assert early[:4] == another and [r['step'] for r in early[2:]] == [8, 8, 4]
  again = main(run, '--metrics=kid', '--features=pixels', '--num=100')
  assert again[-1] == another[-1] and len(again) == 5


def test_the_report_shows_intervals_and_neighbours(run):
  (run / 'samples' / 'neighbours.png').unlink()
  (run / 'report.html').unlink()
  found = main(run, '--metrics=kid', '--features=pixels')[-1]
  page = (run / 'report.html').read_text()
  assert 'Nearest real examples' in page
  assert (run / 'samples' / 'neighbours.png').stat().st_size > 0
  spread = evaluate.lines.text.spread(found['interval'])
  assert spread and f'<small>{spread}</small>' in page
  assert f'<data value="{found["value"]}"' in page


def test_a_run_that_is_still_training(run, capsys):
  """Nothing that the training writes is touched."""
  (run / 'scores.json').unlink()
  half = run / 'checkpoints' / '12' / 'state'
  half.mkdir(parents=True)
  (half / 'part').write_text('being written')
  with (run / 'metrics.jsonl').open('a') as f:
    f.write('{"step": 12, "d_l')
  theirs = lambda: {
    k: v
    for k, v in contents(run).items()
    if 'scores.json' not in k and 'report.html' not in k
    if 'neighbours.png' not in k
  }
  before = theirs()
  found = main(run, '--metrics=fid')
  assert theirs() == before
  assert [r['step'] for r in found] == [8]
  assert 'skipped' not in capsys.readouterr().out


def test_a_generator_that_makes_nan(run, monkeypatch, capfd):
  config, setup, state, step = contents_lib.open_run(run)
  broken = state._replace(ema=jax.tree.map(lambda x: x * np.nan, state.ema))
  monkeypatch.setattr(
    contents_lib, 'open_run', lambda *_, **__: (config, setup, broken, step)
  )
  before = kept(run)
  capfd.readouterr()
  assert main(run) == before
  out, err = capfd.readouterr()
  assert out == '' and err == 'seed 0 makes non-finite samples: not scored\n'


# A protocol


@pytest.fixture
def small(monkeypatch):
  """A protocol of few samples."""
  way = protocols.Protocol('classifier', '', 'train', 100)
  monkeypatch.setitem(protocols.PROTOCOLS, 'small', way)
  return 'small'


def test_a_protocol_fixes_the_way(run, small):
  found = main(run, '--protocol=small', '--draws=2')[-2:]
  for record in found:
    assert record['protocol'] == small
    assert (record['n_fake'], record['draws']) == (100, 2)


def test_the_runs_own_protocol_stays_until_another_way_is_asked_for(run, small):
  config = json.loads((run / 'config.json').read_text())
  (run / 'config.json').write_text(json.dumps(config | {'protocol': small}))
  own = main(run, '--metrics=fid')[-1]
  assert own['protocol'] == small and own['n_fake'] == 100
  assert main(run, '--metrics=fid', '--draws=2')[-1]['protocol'] == small
  for flag in ('--num=110', '--features=pixels', '--split=train'):
    assert main(run, '--metrics=fid', flag)[-1]['protocol'] == ''


def test_weights_belong_to_no_protocol_and_resizing_to_its_net():
  usual = scoring.named_protocol('clean-10k-test')
  chosen = lambda **given: evaluate._chosen_protocol(usual, given)
  assert chosen(weights='w.npz') == usual._replace(weights='w.npz')
  pixels = usual._replace(space='pixels', resize='', name='')
  assert chosen(space='pixels', resize='') == pixels
  assert chosen(resize='tf') == usual._replace(resize='tf', name='')


def test_samples_of_the_command_get_the_score_of_their_arrays(
  run, real, tmp_path
):
  file, out = tmp_path / 'x.npz', tmp_path / 'scores.json'
  sample.main(['', f'--workdir={run}', f'--out={file}', f'--num={NUM}'])
  x = np.load(file)['samples']
  argv = ['', f'--samples={file}', '--data=digits', f'--out={out}']
  evaluate.main([*argv, '--features=pixels', '--metrics=fid,kid,prdc'])
  evaluate.main(argv)
  found = json.loads(out.read_text())
  by_pixels = {r['metric']: r['value'] for r in found[:6]}
  expected = prdc.prdc(flat(real), flat(x)) | {
    'fid': fid.frechet_distance(flat(real), flat(x)),
    'kid': kid.kernel_distance(flat(real), flat(x)),
  }
  assert set(by_pixels) == set(expected)
  for name, value in expected.items():
    assert by_pixels[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
  # By the run's own net, against the same real ones, though of another draw.
  ours, theirs = kept(run)[0], found[6]
  same = ('metric', 'features', 'features_hash', 'reference', 'reference_hash')
  same += ('n_real', 'n_fake')
  assert {k: ours[k] for k in same} == {k: theirs[k] for k in same}
  assert ours['value'] != theirs['value']
  assert (theirs['source'], theirs['step']) == (str(file), None)


# Two runs


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
  (('--num=1',), ('at least 2', 'got 1')),
  (('--num=5', '--metrics=prdc'), ('at least 6', 'got 5')),
  (('--num=1', '--metrics=kid'), ('at least 2', 'got 1')),
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
  (('--data_dir={}',), ('--data_dir', '--workdir')),
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
