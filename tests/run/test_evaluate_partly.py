"""A metric that samples cannot give costs the other ones nothing."""

import json

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.metrics import records
from gan_jax.run import command
from tests import tiny_data
from tests.run import test_evaluate
from tests.run.test_commands import complaint, contents

run = test_evaluate.run
trained = test_evaluate.trained
PIXELS = '--features=pixels'
PRDC = ('precision', 'recall', 'density', 'coverage')


def values(path):
  found = json.loads(path.read_text())
  return {r['metric']: r['value'] for r in found if r.get('step', 8) != 4}


def refused(capfd, *argv):
  """(the last line of stderr, all of stdout) of what was scored in part."""
  with pytest.raises(SystemExit) as leaving:
    command.run(evaluate.main, ['evaluate', *map(str, argv)])
  out, err = capfd.readouterr()
  assert leaving.value.code == 2 and 'Traceback' not in err
  return err.splitlines()[-1], out


def test_of_a_run(run, capfd):
  flags = f'--workdir={run}', '--num=5', '--metrics=fid,prdc,kid', PIXELS
  line, out = refused(capfd, *flags)
  assert line == f'error: no score: {", ".join(PRDC)}.'
  assert out.startswith('fid ') and '\nkid ' in out
  assert 'precision: no score: fake: at least 6 examples needed, got 5' in out
  made = [r for r in test_evaluate.kept(run) if r.get('n_fake') == 5]
  assert [r['metric'] for r in made] == ['fid', *PRDC, 'kid']
  assert [r['metric'] for r in records.known(made)] == ['fid', 'kid']


def test_what_no_metric_can_do_with_writes_nothing(run, capfd):
  before = contents(run)
  flags = f'--workdir={run}', '--num=1', '--metrics=fid,kid', PIXELS
  assert '--num=1: fid needs' in complaint(capfd, evaluate.main, *flags)
  assert contents(run) == before


def test_of_a_runs_own_metrics_those_that_are_possible(run, capfd):
  path = run / 'config.json'
  config = json.loads(path.read_text()) | {'metrics': ['class_coverage', 'fid']}
  path.write_text(json.dumps(config))
  evaluate.main(['evaluate', f'--workdir={run}', PIXELS])
  out, err = capfd.readouterr()
  assert out.startswith('fid ') and len(out.splitlines()) == 1
  assert "no score: metrics: 'class_coverage' needs a classifier" in err
  line = complaint(
    capfd, evaluate.main, f'--workdir={run}', PIXELS, '--metrics=class_coverage'
  )
  assert 'needs a classifier' in line


@pytest.fixture
def pictures(tmp_path):
  """Reals; five fakes without, and eight with labels, one of the class b."""
  x = tiny_data.images(30, (4, 4, 1))
  label = np.array(['a', 'b'])[np.arange(30) % 2]
  np.savez(tmp_path / 'real.npz', x=x, label=label)
  np.savez(tmp_path / 'few.npz', x=x[:5])
  np.savez(tmp_path / 'one.npz', x=x[:8], label=['a'] * 7 + ['b'])
  return tmp_path


@pytest.mark.parametrize(
  'samples, asked, made, lacking',
  [
    ('few', 'fid,prdc,vendi', ('fid', 'vendi'), PRDC),
    ('one', 'intra_fid,kid', ('kid',), ('intra_fid',)),
    ('few', 'coverage,swd', ('swd',), ('coverage',)),
  ],
)
def test_of_files(samples, asked, made, lacking, pictures, capfd):
  out = pictures / 'scores.json'
  flags = f'--samples={pictures}/{samples}.npz', f'--data={pictures}/real.npz'
  line, shown = refused(
    capfd, *flags, PIXELS, f'--metrics={asked}', f'--out={out}'
  )
  assert line == f'error: no score: {", ".join(lacking)}.'
  found = values(out)
  assert {k for k, v in found.items() if v is not None} == set(made)
  assert {k for k, v in found.items() if v is None} == set(lacking)
  assert all(f'{name}: no score: ' in shown for name in lacking)


def test_draws_of_which_one_has_no_score():
  of = lambda fid: [{'metric': 'fid', 'value': fid, 'draws': 1}]
  (record,) = records.merge_draws([of(1.0), of(None), of(3.0)], None)
  assert record == {'metric': 'fid', 'value': None, 'draws': 3}
