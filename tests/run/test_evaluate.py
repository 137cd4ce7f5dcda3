"""A run's scores: of any checkpoint, in any way, kept beside the others."""

import json
import shutil

import jax
import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.data import loading
from gan_jax.game import keys
from gan_jax.metrics import fid, kid, prdc
from gan_jax.metrics.features import classifier, random_conv
from gan_jax.run import command, sampling, scoring, training
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.storage import files as files_lib
from gan_jax.types import UserError
from tests import shared
from tests.run.test_commands import ROOT, contents

NUM = 120
STEPS = (4, 8)


@pytest.fixture(scope='module')
def trained():
  """The workdir of a tiny run of digits, scored at steps 4 and 8."""
  changes = {'eval_every': 4, 'eval_samples': NUM}
  config = command.load_config(f'{ROOT}/configs/digits.py:tiny', changes)
  return shared.folder('digits', lambda path: training.train(config, path))


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
  capfd.readouterr()
  with pytest.raises(UserError, match='no score: fid, class_coverage'):
    main(run)
  out, err = capfd.readouterr()
  assert err == 'seed 0 makes non-finite samples: not scored\n'
  assert out.startswith('fid: no score: its samples are not finite\n')
  assert [r['value'] for r in kept(run)[-2:]] == [None, None]
