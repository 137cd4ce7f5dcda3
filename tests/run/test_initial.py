"""A new run begins with the weights of another one."""

import json
import shutil

import jax
import numpy as np
import pytest

from gan_jax import evaluate, train
from gan_jax.run import command, initial, loop
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.run.workdir import record as record_lib
from gan_jax.storage import files, format
from gan_jax.types import UserError
from tests.bad_input import finished_run
from tests.run import test_known_sources, test_manifest
from tests.run.test_commands import RING, complaint, contents

begin, clone = test_known_sources.begin, test_manifest.clone
pytestmark = pytest.mark.usefixtures('clone')


@pytest.fixture
def run():
  """A finished run; not to be changed."""
  return finished_run()


def setup_of(**changes):
  config = command.load_config('configs/ring8.py:tiny', changes)
  return setup_lib.build(config)


def named(state):
  return {k: np.asarray(v) for k, v in format.named(state).items()}


def theirs(run):
  return named(contents_lib.open_run(run)[2])


def begun(setup, text):
  return named(initial.with_weights(setup, text).first())


def test_networks_and_averages_come_optimizers_do_not(run):
  setup = setup_of()
  fresh, there, now = named(setup.init()), theirs(run), begun(setup, f'{run}')
  for name in fresh:
    taken = name.startswith('ema/') or name.split('/')[2:3] != ['opt']
    taken = taken and name.startswith(('ema/', 'players/'))
    expected = (there if taken else fresh)[name]
    np.testing.assert_array_equal(now[name], expected, name)
  assert now['step'].tolist() == [0]
  match = initial.match(f'{run}', setup)
  assert match.count == match.asked and not match.lacking
  assert match.origin['step'] == 8


def test_an_average_follows_its_network(run):
  setup = setup_of()
  there, now = theirs(run), begun(setup, f'{run}:g')
  fresh = named(setup.init())
  for name in (n for n in fresh if n.startswith('ema/g/')):
    own = f'players/{name.removeprefix("ema/")}'
    np.testing.assert_array_equal(now[name], there[own])
  for name in (n for n in fresh if n.startswith('players/d/')):
    np.testing.assert_array_equal(now[name], fresh[name])


@pytest.mark.parametrize(
  'changes, words',
  [
    ({'conditional': True}, ('absent there', 'd/params')),
    ({'model.d.hidden': (16, 8)}, ('d/params', '->')),
    ({'latent.dim': 5}, ('g/params', '-> (5, 16)')),
  ],
)
def test_what_does_not_fit_is_named(run, changes, words):
  setup = setup_of(**changes)
  match = initial.match(f'{run}', setup)
  assert 0 < match.count < match.asked
  assert f'{match.count} of {match.asked} arrays' in match.line()
  for word in words:
    assert word in match.line()
  assert set(match.names) < set(format.named(jax.eval_shape(setup.init)))


def test_one_seed_is_many_and_many_are_not_others(run, tmp_path):
  there, now = theirs(run), begun(setup_of(num_seeds=3), f'{run}')
  name = next(n for n in there if n.startswith('players/g/params'))
  assert len(now[name]) == 3
  assert all((one == there[name][0]).all() for one in now[name])
  kinds = {'x': {'shape': [2, 4], 'dtype': 'float32', 'crc': 0}}
  with pytest.raises(UserError, match='of 2 seeds; expected 1 or num_seeds=3'):
    initial._check_seeds('x', kinds, {'x': 'x'}, 3)
  initial._check_seeds('x', kinds, {'x': 'x'}, 2)


@pytest.mark.parametrize(
  'rest, words',
  [
    ('@7', 'no such checkpoint'),
    (':x', "'x' is none of d, g, ema"),
    ('/absent', 'no run there'),
    ('@8:g,opt', "'opt'"),
  ],
)
def test_what_cannot_be_taken_is_refused(rest, words, run, tmp_path, capfd):
  workdir = tmp_path / 'new'
  argv = [RING, f'--workdir={workdir}', f'--init_from={run}{rest}']
  line = complaint(capfd, train.main, *argv)
  assert '--init_from=' in line and words in line
  assert not workdir.exists()


@pytest.mark.parametrize('damage', ['bits', 'empty files', 'nothing'])
def test_weights_that_are_damaged_leave_no_workdir(
  damage, run, tmp_path, capfd
):
  there = tmp_path / 'there'
  shutil.copytree(run, there)
  checkpoint = there / 'checkpoints' / '8'
  files_of = [p for p in checkpoint.rglob('*') if p.is_file()]
  if damage == 'nothing':
    shutil.rmtree(there / 'checkpoints')
  elif damage == 'empty files':
    for path in files_of:
      path.write_bytes(b'')
  else:
    largest = max(files_of, key=lambda p: p.stat().st_size)
    raw = bytearray(largest.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 40] = bytes(40)
    largest.write_bytes(raw)
  workdir = tmp_path / 'new'
  argv = [RING, f'--workdir={workdir}', f'--init_from={there}']
  line = complaint(capfd, train.main, *argv)
  word = 'there: none' if damage == 'nothing' else 'cannot be read'
  assert '--init_from' in line and word in line
  assert not workdir.exists()


def test_all_that_does_not_fit_is_in_the_manifest(run):
  setup = setup_of(**{'model.g.hidden': (24, 24), 'model.d.hidden': (24, 24)})
  match = initial.match(f'{run}', setup)
  assert len(match.lacking) > initial.SHOWN
  assert match.origin['not'] == match.lacking
  assert 'more, see manifest.json' in match.line()
  assert json.loads(json.dumps(match.origin)) == match.origin


@pytest.mark.parametrize(
  'text, expected',
  [
    ('/a/b', ('/a/b', 'latest', ())),
    ('/a@b/c@12:g,ema', ('/a@b/c', '12', ('g', 'ema'))),
    ('/a@best', ('/a', 'best', ())),
    ('/a:b/c:d', ('/a:b/c', 'latest', ('d',))),
    ('/a@latest:ema', ('/a', 'latest', ('ema',))),
  ],
)
def test_the_form(text, expected):
  source = initial.parse(text)
  assert source == expected and initial.parse(str(source)) == source


def test_a_folder_of_that_very_name_comes_first(tmp_path):
  (tmp_path / 'run@3:g').mkdir()
  assert initial.parse(f'{tmp_path}/run@3:g').parts == ()


def test_a_run_keeps_what_it_began_with(
  run,
  tmp_path,
  capfd,
  begin,
  monkeypatch,
):
  monkeypatch.chdir(run.parent)
  workdir = tmp_path / 'new'
  base = ['--config=ring8:tiny', f'--workdir={workdir}']
  base += ['--config.optim.d.learning_rate=.01']
  given = f'--init_from={run.name}'
  begin([*base, given])
  config = contents_lib.read_config(workdir / 'config.json')
  assert config['init_from'] == f'{run}@8'
  told = record_lib.read(workdir)['init_from']
  assert told['workdir'] == str(run) and told['step'] == 8
  begin(base)  # killed before its first checkpoint: begins so again
  begin([*base, given, '--config.report_every=3'])
  assert record_lib.read(workdir)['init_from'] == told
  before = contents(workdir)
  line = complaint(capfd, train.main, *base, f'--init_from={run}:g')
  assert 'init_from' in line and contents(workdir) == before
  path = workdir / 'manifest.json'
  manifest = json.loads(path.read_text())
  manifest['init_from']['digest'] = '0'
  files.write_json(path, manifest)
  line = complaint(capfd, train.main, *base)
  assert 'began with other weights' in line


def test_the_first_step_is_from_these_weights(run, tmp_path, monkeypatch):
  seen = []

  class Ended(Exception):
    pass

  def end(program, begun, *args, **kwargs):
    seen.append(named(begun.state.value))
    raise Ended

  monkeypatch.setattr(loop, 'run', end)
  with pytest.raises(Ended):
    train.main(['', RING, f'--workdir={tmp_path}/x', f'--init_from={run}'])
  there = theirs(run)
  for name in (n for n in there if '/params/' in n and '/opt/' not in n):
    np.testing.assert_array_equal(seen[0][name], there[name])
  assert jax.tree.leaves(seen[0]['step']) == [0]


def test_a_refusal_says_how_to_begin_elsewhere(run, capfd):
  line = complaint(
    capfd, train.main, RING, f'--workdir={run}', '--config.batch_size=16'
  )
  assert f'--init_from={run}' in line


def test_the_best_is_that_of_the_runs_present_protocol(run, tmp_path, capfd):
  """As `--checkpoint=best` has it, whatever ranked its checkpoints before."""
  old = tmp_path / 'old'
  shutil.copytree(run, old)
  step = contents_lib.open_run(old, which='best')[3]
  of = lambda: initial.as_begun({'init_from': f'{old}@best:g'}, tmp_path)
  assert of() == {'init_from': f'{old}@{step}:g'}
  config = files.read_json(old / 'config.json') | {'eval_samples': 77}
  files.write_json(old / 'config.json', config)
  flags = RING, f'--workdir={tmp_path}/new', f'--init_from={old}@best'
  line = complaint(capfd, train.main, *flags)
  assert line.startswith(f'error: --init_from={old}@best: no checkpoint')
  assert 'eval_samples=77' in line and not (tmp_path / 'new').exists()
  evaluate.main(['', f'--workdir={old}'])
  assert of() == {'init_from': f'{old}@8:g'}
