"""Stopped at any moment, a run goes on as if nothing had been, bit for bit."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from gan_jax import train
from gan_jax.run import command
from gan_jax.storage import files, format
from tests import shared
from tests.bad_input import RING, finished_run

ROOT = pathlib.Path(__file__).resolve().parents[2]


def distinct_recipes():
  """All names; of recipes that are the same when tiny, the first."""
  names = {p.stem for p in (ROOT / 'configs').glob('[!_]*.py')} - {'common'}
  configs = {
    name: command.load_config(str(ROOT / 'configs' / f'{name}.py:tiny'))
    for name in sorted(names, reverse=True)
  }
  by_config = {json.dumps(c): name for name, c in configs.items()}
  return sorted(by_config.values())


RECIPES = distinct_recipes()
FEW, MANY, PART, SAVE = 8, 120, 4, 4  # steps
GROUP = 4  # recipes that share processes
KILLED = ('ring8', 'digits')  # points in a loop of XLA, images outside of it
# Whose first part is a run that ends: one of each kind of state.
ENDED = 'ring8 digits sngan shakespeare_gumbel stocks_timegan'.split()
assert set(ENDED) <= set(RECIPES)
NOT_AT_HAND = ('mnist', 'fashion_mnist')
# Several runs in one process, as it takes long to start.
DRIVER = """
import json, sys
from gan_jax import train
for argv in json.load(sys.stdin):
  train.main(['', *argv])
"""


def steps(recipe):
  return MANY if recipe in KILLED else FEW


def substitute(data, folder):
  """What puts noise in place of a data set which is not at hand, by key."""
  name = data['name']
  if name == 'stocks':
    length = 24 if data.get('values') == 'ohlc' else 127
    return {'data.name': 'sines', 'data.length': length}
  if name == 'sounds':
    small = {'data.length': 256, 'data.size': 40}
    return {'data.name': 'tones', 'features': 'pixels'} | small
  if name not in NOT_AT_HAND:
    return {}
  x = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
  np.savez(folder / f'{name}.npz', x=x, y=np.arange(40) % 10)
  return {'data.name': 'npz', 'data.path': f'{folder}/{name}.npz'}


def arguments(recipe, folder, workdir, **changes):
  """The command line of a tiny run of a recipe."""
  file = ROOT / 'configs' / f'{recipe}.py:tiny'
  data = command.load_config(str(file))['data']
  changes = {'steps': steps(recipe), 'save_every': SAVE} | changes
  changes |= {'report_every': steps(recipe) // 2, 'eval_every': 0}
  if noise := substitute(data, folder):  # fid takes long in its pixels
    changes |= noise | {'metrics': 'precision'}
  return [
    f'--config={file}',
    f'--workdir={folder / workdir / recipe}',
    *(f'--config.{key}={value}' for key, value in changes.items()),
  ]


def drive(commands):
  """Runs commands in one new process; returns what was said, all on stdout."""
  done = subprocess.run(
    [sys.executable, '-c', DRIVER],
    input=json.dumps(commands),
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
  assert done.stderr == ''
  return done.stdout


def make_runs(folder, recipes):
  """Whole runs and first parts, which end or are lost after a checkpoint.

  Another process, which compiles again, has the rest.
  """
  folder.mkdir()
  ended = [r for r in recipes if r in ENDED]
  said = drive(
    [arguments(r, folder, 'whole') for r in recipes]
    + [arguments(r, folder, 'parted', steps=PART) for r in ended]
  )
  for recipe in set(recipes) - set(ended):
    workdir = folder / 'parted' / recipe
    shutil.copytree(folder / 'whole' / recipe, workdir)
    for step in saved(workdir)[1:]:
      shutil.rmtree(workdir / 'checkpoints' / str(step))
  said += drive([arguments(r, folder, 'parted') for r in recipes])
  (folder / 'said').write_text(said)


@pytest.fixture
def folder(request):
  """Workdirs (whole|parted)/RECIPE of the group of the test's recipe, `said`.

  Not to be changed; where workers share the tests, one of them makes it.
  """
  group = RECIPES.index(request.node.callspec.params['recipe']) // GROUP
  recipes = RECIPES[group * GROUP :][:GROUP]
  return shared.folder(
    f'resumed_{group}', lambda path: make_runs(path, recipes)
  )


def saved(workdir):
  """Steps on disk, ascending."""
  marks = pathlib.Path(workdir).glob('checkpoints/*/commit_success.txt')
  return sorted(int(p.parent.name) for p in marks)


def leaves(workdir, step):
  """All arrays of a checkpoint by name."""
  path = pathlib.Path(workdir) / 'checkpoints' / str(step)
  kinds = format.read_note(path)['leaves']
  like = {
    name: jax.ShapeDtypeStruct(kind['shape'], kind['dtype'])
    for name, kind in kinds.items()
  }
  return {k: np.asarray(v) for k, v in format.read(path, like)[0].items()}


def reported(workdir):
  """All rows of metrics.jsonl but for what a clock says."""
  return [
    {k: v for k, v in row.items() if 'per_s' not in k}
    for row in files.read_rows(workdir / 'metrics.jsonl')
  ]


def assert_same(workdir, other, step, *, extended=False):
  """Every leaf of the state, what was reported and what was scored."""
  a, b = leaves(workdir, step), leaves(other, step)
  assert a.keys() == b.keys()
  for name in a:
    assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape
    assert a[name].tobytes() == b[name].tobytes(), name
  rows = reported(workdir), reported(other)
  if extended:  # there is a row where its first part ended
    rows = [found[-1] for found in rows]
  assert rows[0] == rows[1]
  scores = [(w / 'scores.json').read_bytes() for w in (workdir, other)]
  assert scores[0] == scores[1]


@pytest.mark.parametrize('recipe', RECIPES)
def test_two_parts_equal_the_whole(recipe, folder):
  whole, parted = folder / 'whole' / recipe, folder / 'parted' / recipe
  assert_same(whole, parted, steps(recipe), extended=recipe in ENDED)
  said = (folder / 'said').read_text()
  assert re.search(f'resumed \\S*/parted/{recipe} at step {PART}\n', said)


@pytest.mark.parametrize('recipe', RECIPES)
def test_a_checkpoint_holds_all_that_is_learnt(recipe, folder):
  """Else the test above could be passed by a state that lacks something."""
  last = leaves(folder / 'whole' / recipe, steps(recipe))
  assert last['step'].tolist() == [steps(recipe)]
  before = leaves(folder / 'whole' / recipe, steps(recipe) - SAVE)
  moved = {k for k in last if last[k].tobytes() != before[k].tobytes()}
  optim = files.read_json(folder / 'whole' / recipe / 'config.json')['optim']
  # Plain descent remembers nothing.
  kept = lambda p: ('params', 'opt')[: 1 + (optim[p]['name'] != 'sgd')]
  players = [f'players/{p}/{v}' for p in 'gd' for v in kept(p)]
  for part in (*players, 'ema/g/params'):
    names = {k for k in last if k.startswith(part)}
    assert names and names & moved, part
  for part in ('batch_stats', 'spectral'):
    names = {k for k in last if part in k}
    assert not names or names & moved, part


@pytest.mark.parametrize('recipe', KILLED)
def test_the_health_is_reported_with_the_rest(recipe, folder):
  rows = reported(folder / 'whole' / recipe)
  assert [row['step'] for row in rows] == [MANY // 2, MANY, MANY]
  for row in rows[:2]:
    assert 0 <= row['health_separation'] <= 1
    assert row['health_nonfinite'] == 0
    assert ('health_held_out' in row) == (recipe == 'ring8')


def start(argv):
  return subprocess.Popen(
    [sys.executable, '-m', 'gan_jax.train', *argv],
    cwd=ROOT,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


def stop_after_a_checkpoint(argv, workdir, signum, *, later_than=0):
  """Sends a signal in mid-run; returns (exit code, all that was said)."""
  process = start(argv)
  end = time.monotonic() + 120
  while max(saved(workdir), default=0) <= later_than:
    assert process.poll() is None and time.monotonic() < end
    time.sleep(0.002)
  time.sleep(0.05)  # no longer just after a save
  process.send_signal(signum)
  said, _ = process.communicate()
  return process.returncode, said


@pytest.mark.parametrize('recipe', KILLED)
def test_killed_then_told_to_stop_then_finished(recipe, folder, tmp_path):
  argv = arguments(recipe, tmp_path, 'killed')
  workdir = tmp_path / 'killed' / recipe
  code, _ = stop_after_a_checkpoint(argv, workdir, signal.SIGKILL)
  assert code == -signal.SIGKILL
  at = max(saved(workdir))
  assert at < MANY

  code, said = stop_after_a_checkpoint(
    argv, workdir, signal.SIGTERM, later_than=at
  )
  assert code == 128 + signal.SIGTERM == 143, said
  assert f'resumed {workdir} at step {at}' in said
  stopped = max(saved(workdir))
  assert at < stopped < MANY
  assert f'stopped at step {stopped}; the same command goes on' in said
  assert 'Traceback' not in said

  process = start(argv)
  said, _ = process.communicate()
  assert process.returncode == 0, said
  assert f'resumed {workdir} at step {stopped}' in said
  assert_same(folder / 'whole' / recipe, workdir, MANY)


def test_a_damaged_checkpoint_is_passed_over(tmp_path, capfd):
  whole, workdir = finished_run(), tmp_path / 'run'
  shutil.copytree(whole, workdir)
  before, newest = saved(whole)
  newest = workdir / 'checkpoints' / str(newest)
  for file in newest.glob('state/**/d/*'):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

  capfd.readouterr()
  train.main(['train', RING, f'--workdir={workdir}'])
  said, complaints = capfd.readouterr()
  assert f'checkpoint skipped: {newest}' in said
  assert f'at step {before}' in said and complaints == ''
  assert_same(whole, workdir, int(newest.name))


@pytest.mark.slow
@pytest.mark.parametrize('recipe', KILLED)
def test_killed_again_and_again(recipe, folder, tmp_path):
  argv = arguments(recipe, tmp_path, 'killed')
  workdir, rng = tmp_path / 'killed' / recipe, np.random.default_rng(0)
  for _ in range(6):  # also before the first checkpoint, and in a save
    process = start(argv)
    time.sleep(rng.uniform(2, 8))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
  process = start(argv)
  said, _ = process.communicate()
  assert process.returncode == 0, said
  assert_same(folder / 'whole' / recipe, workdir, MANY)
