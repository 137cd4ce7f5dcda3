"""Several processes as one, on loopback: they train and begin as one."""

import functools
import json
import re
import shutil

import jax
import numpy as np
import pytest

from gan_jax.devices import multihost
from gan_jax.run import command, training
from gan_jax.run.workdir import contents
from tests.launcher import Launch

CONFIG = """
from configs import ring8

def get_config():
  config = ring8.get_config('tiny')
  step = {'name': 'sgd', 'learning_rate': 0.1}
  config.optim = {'g': step, 'd': dict(step)}
  config.steps, config.save_every, config.batch_size = 12, 6, 16
  config.report_every, config.eval_every, config.penalties = 4, 12, {}
  return config
"""
SEEDS = '--config.num_seeds=4'


@pytest.fixture(scope='module')
def config(tmp_path_factory):
  """The path of a recipe without Adam, which makes much of rounding."""
  path = tmp_path_factory.mktemp('config') / 'sgd.py'
  path.write_text(CONFIG)
  return f'--config={path}'


def go(folder, name, argv, **kw):
  """Trains to the end by several processes; returns the Launch."""
  workdir = f'--workdir={folder / name}'
  with Launch(folder / f'{name}_logs', [*argv, workdir], **kw) as launch:
    codes = launch.wait()
    logs = map(launch.log, range(len(codes)))
    assert codes == [0] * len(codes), (codes, *logs)  # None: it has not ended
  return launch


def states(launch, count):
  """What each process said of its last state."""
  return [
    re.search(r'^state (\d+ \w+)$', launch.log(k), re.MULTILINE).group(1)
    for k in range(count)
  ]


def state_of(folder, name):
  """The last checkpoint of a run."""
  return contents.open_run(folder / name)[2]


def distance(a, b):
  """The largest difference of two states."""
  gaps = jax.tree.map(lambda x, y: np.abs(np.subtract(x, y)).max(), a, b)
  return max(map(float, jax.tree.leaves(gaps)))


@pytest.fixture(scope='module')
def folder(tmp_path_factory, config):
  """Of a run by this process alone, and of those by several; see run_by."""
  folder = tmp_path_factory.mktemp('runs')
  path = config.removeprefix('--config=')
  training.train(command.load_config(path), folder / '1')
  return folder


@pytest.fixture(scope='module')
def run_by(folder, config):
  """count -> what so many processes, with four devices in all, have told."""

  @functools.cache
  def run(count):
    of = {'processes': count, 'devices': 4 // count}
    return states(go(folder, f'{count}', [config], **of), count)

  return run


counts = pytest.mark.parametrize('count', [2, 4])


@counts
def test_processes_agree_to_the_bit(count, run_by):
  told = run_by(count)
  assert len(told) == count and len(set(told)) == 1


@counts
def test_any_number_of_processes_trains_the_same(count, folder, run_by):
  run_by(count)
  assert distance(state_of(folder, '1'), state_of(folder, f'{count}')) < 1e-6
  read = lambda name: [
    json.loads(line)
    for line in (folder / name / 'metrics.jsonl').read_text().splitlines()
  ]
  for a, b in zip(read('1'), read(f'{count}'), strict=True):
    assert a.keys() == b.keys() and a['step'] == b['step']
    for loss in {'d_loss', 'g_loss'} & a.keys():
      np.testing.assert_allclose(a[loss], b[loss], rtol=1e-5)


def test_two_devices_add_up_to_the_same_bits_in_one_process(config, tmp_path):
  """Of more summands the order differs, and the rounding with it."""
  both = go(tmp_path, 'two', [config], processes=2, devices=1)
  one = go(tmp_path, 'one', [config], processes=1, devices=2)
  assert states(both, 2) == states(one, 1) * 2


@counts
def test_only_process_0_reports(count, folder, run_by):
  """One row a report, one event file, one set of scores."""
  told = run_by(count)
  run, logs = folder / f'{count}', folder / f'{count}_logs'
  rows = (run / 'metrics.jsonl').read_text().splitlines()
  steps = [json.loads(row)['step'] for row in rows]
  assert steps == [4, 8, 12, 12]  # the last one is of the scores
  assert len(list(run.glob('events.*'))) == 1
  scores = contents.read_records(run / 'scores.json')
  assert scores and {r['step'] for r in scores} == {12}
  for k in range(1, count):
    log = (logs / f'log{k}').read_text()
    # Lines of Gloo's threads may run into each other.
    own = [x for x in log.splitlines() if not re.search('Gloo|peer|^$', x)]
    assert own == [f'state {told[k]}']


def go_on(folder, before, tmp_path, config, **kw):
  """Goes on with a run from its half, by others."""
  shutil.copytree(folder / before, tmp_path / 'a')
  shutil.rmtree(tmp_path / 'a' / 'checkpoints' / '12')
  launch = go(tmp_path, 'a', [config], **kw)
  assert 'at step 6' in launch.log(0)
  assert len(set(states(launch, kw['processes']))) == 1
  assert distance(state_of(folder, '1'), state_of(tmp_path, 'a')) < 1e-6


@pytest.mark.parametrize(
  ('before', 'processes', 'devices'), [('2', 1, 1), ('1', 2, 1)]
)
def test_a_run_goes_on_with_others(
  before, processes, devices, config, folder, run_by, tmp_path
):
  """Restored on another number of processes and devices."""
  if before == '2':
    run_by(2)
  go_on(folder, before, tmp_path, config, processes=processes, devices=devices)


@pytest.mark.slow
def test_from_eight_devices_to_one_and_back(config, folder, tmp_path):
  argv = [config, '--config.steps=12']
  go(tmp_path, '8', argv, processes=1, devices=8)
  go(tmp_path, '1', argv, processes=1, devices=1)
  for before, devices in ('8', 1), ('1', 8):
    there = tmp_path / f'from {before}'
    go_on(tmp_path, before, there, config, processes=1, devices=devices)
  assert distance(state_of(folder, '1'), state_of(tmp_path, '8')) < 1e-6


def check_seeds(wrapper, config, tmp_path):
  argv = [config, SEEDS, f'--config.parallel={wrapper}', '--config.steps=6']
  both = go(tmp_path, 'two', argv, processes=2, devices=2, slurm=True)
  one = go(tmp_path, 'one', argv, processes=1, devices=4)
  assert states(both, 2) == states(one, 1) * 2
  assert distance(state_of(tmp_path, 'one'), state_of(tmp_path, 'two')) == 0


def test_seeds_of_several_processes_are_bitwise_those_of_one(config, tmp_path):
  """Told who they are as srun does it."""
  check_seeds('pmap', config, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('wrapper', ['jit', 'shard_map'])
def test_so_they_are_by_any_wrapper(wrapper, config, tmp_path):
  check_seeds(wrapper, config, tmp_path)


@pytest.mark.slow
def test_streamed_data_of_two_processes(config, folder, run_by, tmp_path):
  """Each process reads its own part of a batch."""
  run_by(2)
  argv = [config, '--config.data.memory_mb=0']
  launch = go(tmp_path, 'a', argv, processes=2, devices=2)
  assert len(set(states(launch, 2))) == 1
  assert distance(state_of(folder, '2'), state_of(tmp_path, 'a')) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize('wrapper', ['jit', 'shard_map'])
def test_streamed_data_by_any_wrapper(wrapper, config, folder, tmp_path):
  argv = [config, '--config.data.memory_mb=0', f'--config.parallel={wrapper}']
  go(tmp_path, 'a', argv, processes=2, devices=2)
  assert distance(state_of(folder, '1'), state_of(tmp_path, 'a')) < 1e-6


def test_a_mistake_is_everybodys(config, folder, tmp_path):
  shutil.copytree(folder / '1', tmp_path / 'run')
  argv = [config, f'--workdir={tmp_path / "run"}', '--config.batch_size=8']
  with Launch(tmp_path, argv, processes=2) as launch:
    assert launch.wait() == [2, 2]
  for k in 0, 1:
    line = launch.log(k).splitlines()[-1]
    assert line.startswith('error: --workdir=') and 'batch_size 16' in line


def test_alone_everything_is_as_it_is():
  tree = {'a': np.ones(3)}
  assert multihost.broadcast(tree) is tree and multihost.share(3) == 3
  assert multihost.is_first() and not multihost.several()
  assert multihost.on_process_0(lambda: 5) == 5
  assert multihost.agreed(len) is len
