"""Several processes end as one: by a signal, a death or a mistake."""

import json
import re
import signal
import time

import pytest

from gan_jax import train
from gan_jax.devices import multihost
from gan_jax.run import command
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.devices import test_multihost
from tests.devices.test_multihost import go, states
from tests.launcher import Launch

config = test_multihost.config


def check_signal(signum, who, config, tmp_path):
  """All save and leave, and say how to go on."""
  argv = [config, f'--workdir={tmp_path / "run"}', '--config.steps=100000000']
  with Launch(tmp_path, argv, processes=2) as launch:
    launch.until(tmp_path / 'run' / 'checkpoints' / '6' / 'commit_success.txt')
    launch.send(who, signum)
    codes = launch.wait()
  want = [128 + signal.SIGTERM] * 2
  want[who] = 128 + signum
  assert codes == want, (codes, launch.log(0))
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
  """All end, each with the reason; the next start goes on."""
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
    codes = launch.wait(but=stopped)
    seconds = time.monotonic() - begin
  print(f'{death}: {seconds:.1f} s')
  assert all(codes), (codes, launch.log(0), launch.log(1))
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
    'from tests.run import test_rollback\n\n'
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
    ({'num_processes': 2}, '--num_processes needs --coordinator'),
    ({'process_id': 0}, '--process_id needs --coordinator'),
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
