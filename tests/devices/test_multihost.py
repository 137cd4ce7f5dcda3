"""Several processes as one, on loopback: they train, end and begin as one."""

import json
import re
import shutil
import signal
import time

import jax
import numpy as np
import pytest

from gan_jax import train
from gan_jax.devices import multihost
from gan_jax.run import command
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.launcher import Launch

CONFIG = """
from configs import ring8

def get_config():
  config = ring8.get_config('tiny')
  step = {'name': 'sgd', 'learning_rate': 0.1}
  config.optim = {'g': step, 'd': dict(step)}
  config.steps, config.save_every, config.batch_size = 12, 6, 16
  config.report_every, config.eval_every = 4, 12
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
  """Runs by one, two and four processes with four devices in all."""
  folder = tmp_path_factory.mktemp('runs')
  for count in 1, 2, 4:
    launch = go(
      folder, f'{count}', [config], processes=count, devices=4 // count
    )
    told = states(launch, count)
    (folder / f'{count}.json').write_text(json.dumps(told))
  return folder


def test_processes_agree_to_the_bit(folder):
  for count in 2, 4:
    told = json.loads((folder / f'{count}.json').read_text())
    assert len(told) == count and len(set(told)) == 1


def test_any_number_of_processes_trains_the_same(folder):
  one = state_of(folder, '1')
  for count in 2, 4:
    assert distance(one, state_of(folder, f'{count}')) < 1e-6
  read = lambda name: [
    json.loads(line)
    for line in (folder / name / 'metrics.jsonl').read_text().splitlines()
  ]
  for a, b in zip(read('1'), read('2'), strict=True):
    assert a.keys() == b.keys() and a['step'] == b['step']
    for loss in {'d_loss', 'g_loss'} & a.keys():
      np.testing.assert_allclose(a[loss], b[loss], rtol=1e-5)


def test_two_devices_add_up_to_the_same_bits_in_one_process(config, tmp_path):
  """Of more summands the order differs, and the rounding with it."""
  both = go(tmp_path, 'two', [config], processes=2, devices=1)
  one = go(tmp_path, 'one', [config], processes=1, devices=2)
  assert states(both, 2) == states(one, 1) * 2


def test_only_process_0_reports(folder):
  """One row a report, one event file, one set of scores."""
  rows = (folder / '4' / 'metrics.jsonl').read_text().splitlines()
  steps = [json.loads(row)['step'] for row in rows]
  assert steps == [4, 8, 12, 12]  # the last one is of the scores
  assert len(list((folder / '4').glob('events.*'))) == 1
  scores = contents.read_records(folder / '4' / 'scores.json')
  assert scores and {r['step'] for r in scores} == {12}
  for k in 1, 2, 3:
    log = (folder / '4_logs' / f'log{k}').read_text()
    assert [line for line in log.splitlines() if 'Gloo' not in line][1:] == []


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
  before, processes, devices, config, folder, tmp_path
):
  """Restored on another number of processes and devices."""
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
def test_streamed_data_of_two_processes(config, folder, tmp_path):
  """Each process reads its own part of a batch."""
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


def check_signal(signum, who, config, tmp_path):
  """All save and leave within 10 s, and say how to go on."""
  argv = [config, f'--workdir={tmp_path / "run"}', '--config.steps=100000000']
  with Launch(tmp_path, argv, processes=2) as launch:
    launch.until(tmp_path / 'run' / 'checkpoints' / '6' / 'commit_success.txt')
    begin = time.monotonic()
    launch.send(who, signum)
    codes = launch.wait(seconds=30)
    seconds = time.monotonic() - begin
  want = [128 + signal.SIGTERM] * 2
  want[who] = 128 + signum
  assert codes == want and seconds < 10, (codes, seconds, launch.log(0))
  (step,) = re.findall(r'stopped at step (\d+); the same', launch.log(0))
  assert contents.open_run(tmp_path / 'run')[3] == int(step)
  assert {told.split()[0] for told in states(launch, 2)} == {step}


def test_a_preemption_notice_to_one_stops_all(config, tmp_path):
  check_signal(signal.SIGTERM, 1, config, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('signum', [signal.SIGUSR1, signal.SIGINT])
@pytest.mark.parametrize('who', [0, 1])
def test_any_stop_signal_to_any_process(signum, who, config, tmp_path):
  check_signal(signum, who, config, tmp_path)


DEATHS = {
  # who, and how; None: by an exception
  'kill': (1, signal.SIGKILL),
  'kill_first': (0, signal.SIGKILL),
  'stop': (1, signal.SIGSTOP),
  'stop_first': (0, signal.SIGSTOP),
  'exception': (1, None),
  'exception_first': (0, None),
}


def test_nobody_outlives_a_peer(config, tmp_path):
  check_death('kill', config, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
  'death',
  ['kill_first', 'stop', 'stop_first', 'exception', 'exception_first'],
)
def test_nobody_outlives_a_peer_of_any_kind(death, config, tmp_path):
  check_death(death, config, tmp_path)


def check_death(death, config, tmp_path):
  """All end within 30 s, each with the reason; the next start goes on."""
  who, signum = DEATHS[death]
  run = tmp_path / 'run'
  argv = [config, f'--workdir={run}', '--config.steps=100000000']
  fail = ['0', '0']
  fail[who] = '0' if signum else '24'
  with Launch(tmp_path / 'a', argv, processes=2, FAIL_AT=fail) as launch:
    launch.until(run / 'checkpoints' / '6' / 'commit_success.txt')
    begin = time.monotonic()
    if signum:
      launch.send(who, signum)
    stopped = (who,) if signum == signal.SIGSTOP else ()
    codes = launch.wait(seconds=60, but=stopped)
    seconds = time.monotonic() - begin
  print(f'{death}: {seconds:.1f} s')
  assert seconds < 30 and all(codes), (codes, launch.log(0), launch.log(1))
  reasons = ('made to fail', 'Gloo', 'heartbeat', 'coordination', 'closed by')
  for k in {0, 1} - ({who} if signum else set()):
    assert any(reason in launch.log(k) for reason in reasons), launch.log(k)
  again = [config, f'--config.steps={newest(run) + 6}']
  assert 'resumed' in go(tmp_path, 'run', again, processes=2).log(0)


def newest(run):
  """The newest step on disk."""
  return contents.open_run(run)[3]


@pytest.mark.slow
@pytest.mark.parametrize('most', [3, 1])
def test_all_go_back_together_or_stop_together(most, tmp_path):
  """See test_rollback: by these numbers the run has to go back twice."""
  recipe = tmp_path / 'recipe.py'
  recipe.write_text(
    'from tests import test_rollback\n\n'
    f'def get_config():\n  return test_rollback.lucky(max_rollbacks={most})\n'
  )
  argv = [f'--config={recipe}', f'--workdir={tmp_path / "run"}']
  argv += ['--config.parallel=shard_map']
  with Launch(tmp_path, argv, processes=2) as launch:
    codes = launch.wait()
  assert codes == ([0, 0] if most > 2 else [1, 1]), launch.log(0)
  told = json.loads((tmp_path / 'run' / 'rollbacks.json').read_text())
  if most > 2:
    assert [one['to'] for one in told] == [16, 24]
    assert len(set(states(launch, 2))) == 1
  else:
    assert len(told) == 1
    assert all('error: diverged at step' in launch.log(k) for k in (0, 1))


def test_a_mistake_is_everybodys(config, folder, tmp_path):
  shutil.copytree(folder / '1', tmp_path / 'run')
  argv = [config, f'--workdir={tmp_path / "run"}', '--config.batch_size=8']
  with Launch(tmp_path, argv, processes=2) as launch:
    assert launch.wait() == [2, 2]
  for k in 0, 1:
    line = launch.log(k).splitlines()[-1]
    assert line.startswith('error: --workdir=') and 'batch_size 16' in line


@pytest.mark.parametrize(
  ('flags', 'said'),
  [
    ({'coordinator': 'here'}, '--coordinator=here: expected HOST:PORT'),
    ({'coordinator': 'a:b'}, 'expected HOST:PORT'),
    ({'coordinator': 'a:70000'}, 'expected HOST:PORT'),
    ({'coordinator': 'a:1'}, '--num_processes=0: expected at least 1'),
    (
      {'coordinator': 'a:1', 'num_processes': 2},
      '--process_id=-1: expected 0 to 1',
    ),
    (
      {'coordinator': 'a:1', 'num_processes': 2, 'process_id': 2},
      '--process_id=2: expected 0 to 1',
    ),
    ({'num_processes': 2}, '--num_processes is given, but no --coordinator'),
    ({'process_id': 0}, '--process_id is given, but no --coordinator'),
  ],
)
def test_flags_that_do_not_fit(flags, said, capsys):
  with pytest.raises(UserError, match=said):
    multihost.join(**flags)
  argv = ['--config=configs/ring8.py', '--workdir=/nowhere/at/all']
  argv += [f'--{name}={value}' for name, value in flags.items()]
  with pytest.raises(SystemExit) as e:
    command.run(train.main, ['train', *argv])
  assert e.value.code == 2 and said in capsys.readouterr().err


def test_alone_everything_is_as_it_is():
  tree = {'a': np.ones(3)}
  assert multihost.broadcast(tree) is tree and multihost.share(3) == 3
  assert multihost.is_first() and not multihost.several()
  assert multihost.on_process_0(lambda: 5) == 5
  assert multihost.agreed(len) is len
