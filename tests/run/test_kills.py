"""Killed a hundred times, a run loses nothing but its last interval."""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from gan_jax.storage import files
from tests.run.test_resume import ROOT, assert_same, saved

KILLS = int(os.environ.get('KILLS', '100'))
SAVE, REPORT = 200, 50  # steps; about half a second


def start(workdir, steps, log):
  """Trains ring8, tiny, in a process of its own."""
  values = {'steps': steps, 'save_every': SAVE, 'report_every': REPORT}
  argv = [f'--config.{k}={v}' for k, v in values.items()]
  argv += ['--config=configs/ring8.py:tiny', '--config.eval_every=0']
  command = [sys.executable, '-u', '-m', 'gan_jax.train']
  with log.open('a') as out:
    return subprocess.Popen(
      [*command, f'--workdir={workdir}', *argv],
      cwd=ROOT,
      stdout=out,
      stderr=subprocess.STDOUT,
    )


def reached(workdir):
  """The last step that is known to have been reached."""
  rows = files.read_rows(workdir / 'metrics.jsonl')
  return rows[-1]['step'] if rows else 0


def wait_for_a_report(process, log, before):
  """Until this process, too, has reported a step."""
  while log.read_text().count('samples/s') <= before:
    assert process.poll() is None, log.read_text()[-2000:]
    time.sleep(0.02)


def wait_for_a_checkpoint(process, workdir, log):
  """Until there is one."""
  while not saved(workdir):
    assert process.poll() is None, log.read_text()[-2000:]
    time.sleep(0.02)


def live_and_die(workdir, log, rng):
  """One life: to a random moment, of its start or of its work."""
  before = max(saved(workdir), default=0)
  told = log.read_text().count('samples/s') if log.exists() else 0
  process = start(workdir, 10**9, log)
  if rng.random() < 0.2:
    time.sleep(rng.uniform(0, 4))
  else:
    wait_for_a_report(process, log, told)
    if not before:  # however slow the machine is, others have where to go on
      wait_for_a_checkpoint(process, workdir, log)
    time.sleep(rng.uniform(0, 1.5))
  assert process.poll() is None, log.read_text()[-2000:]
  process.send_signal(signal.SIGKILL)
  process.wait()
  newest = max(saved(workdir), default=0)
  assert newest >= before
  return reached(workdir) - newest


@pytest.mark.slow
def test_a_hundred_kills(tmp_path):
  rng, lost = random.Random(20261124), []
  workdir, log = tmp_path / 'killed', tmp_path / 'log.txt'
  for _ in range(KILLS):
    lost.append(live_and_die(workdir, log, rng))
  # A save is written while the next interval is trained.
  assert max(lost) < 2 * SAVE
  last = (max(saved(workdir), default=0) // SAVE + 2) * SAVE
  assert start(workdir, last, log).wait() == 0, log.read_text()[-2000:]
  assert start(tmp_path / 'whole', last, tmp_path / 'whole.txt').wait() == 0
  assert_same(tmp_path / 'whole', workdir, last)
  said = log.read_text()
  resumed = re.findall(r'^resumed .* at step (\d+)', said, re.MULTILINE)
  assert resumed and 'Traceback' not in said
  tell(
    {
      'kills': KILLS,
      'survived': KILLS,
      'steps': last,
      'interval': SAVE,
      'resumed_from_a_checkpoint': len(resumed),
      'lost_more_than_an_interval': sum(n >= SAVE for n in lost),
      'most_steps_lost': max(lost),
    }
  )


def tell(figures):
  """Prints figures, and appends them to the file that FIGURES names."""
  print(json.dumps(figures))
  if os.environ.get('FIGURES'):
    with pathlib.Path(os.environ['FIGURES']).open('a') as file:
      file.write(json.dumps(figures) + '\n')
