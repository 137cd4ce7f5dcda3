"""A step that diverged is replayed from its dump, and nothing is written."""

import json
import shutil

import numpy as np
import pytest

from gan_jax import train
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.run.recovery import divergence, replay
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.run.test_divergence import ROOT, diverge, recipe, saved


@pytest.fixture(scope='module')
def stopped(tmp_path_factory):
  """A run that has diverged at step 13, its newest checkpoint that of 8."""
  workdir = tmp_path_factory.mktemp('stopped') / 'run'
  diverge(workdir, recipe({'at': 13}))
  return workdir


def test_the_page_says_how_it_ended(stopped):
  page = (stopped / 'report.html').read_text()
  assert '<p class="state failed">Diverged at step 13, seed 0: non-fin' in page


def content(folder):
  return {
    p.relative_to(folder): (p.stat().st_mtime_ns, p.read_bytes())
    for p in folder.rglob('*')
    if p.is_file()
  }


def leave(argv):
  with pytest.raises(SystemExit) as leaving:
    command.run(train.main, ['train', *argv])
  return leaving.value.code


def test_a_replay_shows_the_step_and_writes_nothing(stopped, capsys):
  before = content(stopped)
  command.run(train.main, ['train', f'--workdir={stopped}', '--replay'])
  said, complaints = capsys.readouterr()
  assert content(stopped) == before and complaints == ''
  lines = said.splitlines()
  assert lines[0] == 'step 13, seed 0, from step 8, after 0 rollbacks'
  assert lines[1] == 'batch: as in the dump, bit for bit'
  assert lines[2] == 'norms before: as in the dump, bit for bit'
  assert 'penalty_tests.diverging' in lines[3] and 'd_loss' in lines[3]
  heads = lines[4].split()
  assert heads == ['norm', 'gradient', 'update']
  d, g = (line.split()[-3:] for line in lines[5:7])
  assert lines[5].startswith('D,') and d[1] == 'nan'
  assert lines[6].startswith('G,') and np.isfinite(float(d[0]))
  assert g[1] == 'nan'  # for D was broken when G moved
  assert 'first non-finite gradient: d/' in said
  assert 'first non-finite array: d/params' in said
  assert lines[-1].startswith('reproduced: diverged at step 13, seed 0')


def test_the_gradients_shown_are_the_optimizers_own(stopped):
  """Of a step before: SGD's update is its gradient times the rate."""
  rate = 0.5
  sgd = {'name': 'sgd', 'learning_rate': rate}
  config = recipe({'at': 99}) | {'optim': {'g': sgd, 'd': sgd}}
  setup = setup_lib.build(config)
  batch = divergence.batch_of(setup, 0, 0)
  did = replay.moves(setup, setup.init(), batch, 0)
  assert any(np.abs(g).max() > 0 for g in did.gradient.values())
  for name, gradient in did.gradient.items():
    np.testing.assert_allclose(
      did.update[name], -rate * gradient, rtol=1e-3, atol=1e-6
    )


def edited(stopped, tmp_path, **changes):
  """A copy of the run whose dump says something else."""
  workdir = tmp_path / 'run'
  shutil.copytree(stopped, workdir)
  path = workdir / 'divergence/step_00000013.json'
  document = json.loads(path.read_text())
  path.write_text(json.dumps(document | changes))
  return workdir


@pytest.fixture
def moved(tmp_path):
  """A run on an .npz that diverged at its second step; all of it has moved."""
  data, workdir = tmp_path / 'data.npz', tmp_path / 'then'
  x = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
  np.savez(data, x=x)
  config = recipe({'at': 2}, data={'name': 'npz', 'path': str(data)})
  config |= {'metrics': ('precision',), 'features': 'pixels'}
  diverge(workdir, config)
  (tmp_path / 'new').mkdir()
  shutil.move(data, tmp_path / 'new' / 'there.npz')
  shutil.move(workdir, tmp_path / 'new' / 'run')
  return tmp_path / 'new'


def test_a_replay_is_told_where_the_data_are(stopped, tmp_path, monkeypatch):
  workdir = edited(stopped, tmp_path)
  path = workdir / 'config.json'
  config = contents.read_config(path)
  config['data'] = {'name': 'npz', 'path': '/gone/x.npz'}
  path.write_text(json.dumps(config))
  asked = []

  def run_at(workdir, places):
    asked.append(places)
    raise UserError('enough')

  monkeypatch.setattr(contents, 'run_at', run_at)
  (tmp_path / 'x.npz').touch()
  monkeypatch.chdir(tmp_path)
  now = config | {'data': {'name': 'npz', 'path': 'x.npz'}}
  for given in ({'places': {'path': 'y.npz'}}, {'config': now}, {}):
    with pytest.raises(UserError, match='enough'):
      replay.replay(workdir, **given)
  there = {'path': str(tmp_path / 'x.npz')}
  assert asked == [{'path': 'y.npz'}, there, {}]


@pytest.mark.slow
def test_a_replay_with_data_that_have_moved(moved, capsys, monkeypatch):
  monkeypatch.chdir(moved)
  assert leave(['--workdir=run', '--replay']) == 2
  line = capsys.readouterr().err
  assert 'Have they moved? --data.path=' in line and line.count('\n') == 1
  command.run(
    train.main, ['', '--workdir=run', '--replay', '--data.path=there.npz']
  )
  said = capsys.readouterr().out
  assert 'batch: as in the dump, bit for bit' in said
  assert 'reproduced: diverged at step 2' in said
  np.savez(moved / 'there.npz', x=np.zeros((64, 2), np.float32))
  for flag, word in (
    ('--data.path=there.npz', 'not the data of this run; they had the finger'),
    ('--data.dir=.', '--data.dir: does not say where'),
    ('--data=there.npz', '--data: the data of this run are replayed'),
  ):
    assert leave(['--workdir=run', '--replay', flag]) == 2
    assert word in capsys.readouterr().err


def test_a_replay_tells_if_it_does_not_happen_again(stopped, tmp_path, capsys):
  workdir = edited(stopped, tmp_path, step=12)
  assert leave([f'--workdir={workdir}', '--replay']) == 1
  said = capsys.readouterr().out
  assert 'not reproduced: finite before [ True], finite after [ True]' in said
  assert 'batch: NOT as in the dump: x' in said
  assert 'norms before: NOT as in the dump: d/params' in said


def test_a_replay_needs_its_checkpoint(stopped, tmp_path, capsys):
  workdir = edited(stopped, tmp_path, checkpoint=7)
  assert leave([f'--workdir={workdir}', '--replay']) == 2
  assert 'checkpoint 7' in capsys.readouterr().err


@pytest.mark.parametrize('damage', ['json', 'npz', 'field'])
def test_a_damaged_dump_is_a_line(damage, stopped, tmp_path, capsys):
  workdir = edited(stopped, tmp_path)
  path = workdir / f'divergence/step_00000013.{damage.replace("field", "json")}'
  path.write_text('{"step": 13}' if damage == 'field' else 'nothing')
  assert leave([f'--workdir={workdir}', '--replay']) == 2
  complaint = capsys.readouterr().err
  assert complaint.count('\n') == 1 and str(path) in complaint


def test_what_a_replay_cannot_do_is_a_line(stopped, tmp_path, capsys):
  assert leave([f'--workdir={tmp_path}', '--replay']) == 2
  assert 'no run here' in capsys.readouterr().err
  sound = tmp_path / 'sound'
  sound.mkdir()
  shutil.copy(stopped / 'config.json', sound)
  assert leave([f'--workdir={sound}', '--replay']) == 2
  complaint = capsys.readouterr().err
  assert complaint.count('\n') == 1 and 'divergence' in complaint
  config = f'--config={ROOT}/configs/ring8.py:tiny'
  assert leave([f'--workdir={stopped}', '--replay', config]) == 2
  assert 'penalties' in capsys.readouterr().err
  assert leave(['--replay']) == 2
  with pytest.raises(UserError, match='--config'):
    train.main(['', f'--workdir={stopped}', '--replay', '--config.steps=3'])


def test_the_command_ends_with_one_line(tmp_path, capsys):
  argv = [
    f'--config={ROOT}/configs/ring8.py:tiny',
    f'--workdir={tmp_path}/run',
    '--config.parallel=jit',
    '--config.optim.d.learning_rate=1e30',
    '--config.optim.g.learning_rate=1e30',
    # It never breaks; but with it, the program is that of the runs above.
    "--config.penalties={'tests.diverging': {'at': 0.0, 'above': 1.0}}",
  ]
  told = leave(argv)
  assert told.startswith(
    'error: diverged at step 1, seed 0: non-finite values in '
  )
  assert 'no good checkpoint' in told and '--replay' in told
  assert told.count('\n') == 0 and not saved(tmp_path / 'run')
  capsys.readouterr()
  command.run(train.main, ['', f'--workdir={tmp_path}/run', '--replay', argv[0],
                           *argv[2:]])  # fmt: skip
  assert 'reproduced: diverged at step 1' in capsys.readouterr().out
