"""Seconds from a stop signal to the end of the process, a checkpoint behind it.

python -m experiments.reliability.leaving --times=20 --out=FILE.jsonl

Digits, with its reports, scores and saves, is told to stop at random moments:
while it compiles, trains, draws, scores or saves. Each time the newest
checkpoint has to be that of the step it says it stopped at.
"""

import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
from absl import app, flags

_TIMES = flags.DEFINE_integer('times', 20, 'How many signals.')
_OUT = flags.DEFINE_string('out', '', 'The figures, a JSON object a line.')

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
VALUES = {'report_every': 50, 'save_every': 200, 'eval_every': 100}


def stop_once(folder: pathlib.Path, rng: random.Random, k: int) -> dict:
  """One run that is told to stop; some go on where an earlier one stopped."""
  workdir, signum = folder / f'run{k % 3}', SIGNALS[k % len(SIGNALS)]
  argv = [f'--config.{key}={value}' for key, value in VALUES.items()]
  command = [sys.executable, '-u', '-m', 'gan_jax.train', *argv]
  command += ['--config=configs/digits.py', '--config.steps=100000000']
  log = folder / f'log{k}.txt'
  with log.open('w') as out:
    process = subprocess.Popen(
      [*command, f'--workdir={workdir}'], stdout=out, stderr=out
    )
  lease = workdir / 'train.lease'
  while not lease.exists():  # from here on it listens
    time.sleep(0.02)
  time.sleep(rng.uniform(0.5, 25))
  begin = time.monotonic()
  process.send_signal(signum)
  code = process.wait()
  seconds = time.monotonic() - begin
  told = log.read_text()
  said = re.findall(r'stopped at step (\d+)', told)
  saved = [p.parent.name for p in workdir.glob('checkpoints/*/commit_*')]
  idle = 'stopped before its next step' in told  # it had not begun to train
  return {
    'signal': signal.Signals(signum).name,
    'seconds': round(seconds, 2),
    'exit_code': code,
    'step': int(said[-1]) if said else None,
    'good': code == 128 + signum and (idle or said[-1:] == saved_last(saved)),
  }


def saved_last(steps: list[str]) -> list[str]:
  """The newest of the steps on disk."""
  return sorted(steps, key=int)[-1:]


def main(_):
  """Stops so many times, and tells the median and the worst."""
  rng = random.Random(0)
  with tempfile.TemporaryDirectory() as folder:
    rows = []
    for k in range(_TIMES.value):
      rows.append(stop_once(pathlib.Path(folder), rng, k))
      print(json.dumps(rows[-1]), flush=True)
  seconds = [row['seconds'] for row in rows]
  told = {
    'times': len(rows),
    'good': sum(row['good'] for row in rows),
    'median_seconds': float(np.median(seconds)),
    'worst_seconds': max(seconds),
  }
  print(json.dumps(told))
  if _OUT.value:
    lines = [json.dumps(row) for row in (told, *rows)]
    pathlib.Path(_OUT.value).write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
  app.run(main)
