"""Forty minutes of the digits run at a hundred times the usual cadence.

python -m experiments.reliability.soak --minutes=40 --out=FILE.jsonl

Every few seconds it notes what the training process holds: resident memory,
open files, threads, CPU time and the step. At the end it tells the slopes.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.stats
from absl import app, flags

_MINUTES = flags.DEFINE_float('minutes', 40, 'How long.')
_OUT = flags.DEFINE_string('out', '', 'The notes, a JSON object a line.')
_WARM = flags.DEFINE_float(
  'warm', 0.25, 'The share that is left out as warm-up.'
)

CADENCE = ('report_every', 'save_every', 'eval_every')
OFTEN = 100


def start(workdir: pathlib.Path) -> subprocess.Popen:
  """The digits run, endless, at a hundred times its cadence."""
  sys.path.insert(0, '.')
  from configs import digits

  config = digits.get_config()
  argv = [f'--config.{key}={config[key] // OFTEN}' for key in CADENCE]
  command = [sys.executable, '-m', 'gan_jax.train', f'--workdir={workdir}']
  command += ['--config=configs/digits.py', '--config.steps=100000000', *argv]
  log = (workdir.parent / 'log.txt').open('w')
  return subprocess.Popen(command, stdout=log, stderr=log)


def look(pid: int) -> dict:
  """What a process holds just now."""
  proc = pathlib.Path('/proc') / str(pid)
  status = dict(
    line.split(':', 1) for line in (proc / 'status').read_text().splitlines()
  )
  times = (proc / 'stat').read_text().rpartition(')')[2].split()
  ticks = os.sysconf('SC_CLK_TCK')
  return {
    'rss_mb': int(status['VmRSS'].split()[0]) / 1024,
    'threads': int(status['Threads']),
    'files': len(os.listdir(proc / 'fd')),
    'maps': (proc / 'maps').read_text().count('\n'),
    'cpu_s': (int(times[11]) + int(times[12])) / ticks,
  }


def last_step(workdir: pathlib.Path) -> int:
  """The step of the last report."""
  path = workdir / 'metrics.jsonl'
  if not path.exists():
    return 0
  with path.open('rb') as file:
    file.seek(max(0, path.stat().st_size - 20_000))
    lines = file.read().splitlines()[-1:]
  return json.loads(lines[0])['step'] if lines else 0


def slope(hours, values) -> dict:
  """By least squares, a unit an hour, with its 95 % interval."""
  fit = scipy.stats.linregress(hours, values)
  half = 1.96 * fit.stderr
  return {
    'per_hour': round(fit.slope, 3),
    'interval': [round(fit.slope - half, 3), round(fit.slope + half, 3)],
    'first': float(values[0]),
    'last': float(values[-1]),
    'most': float(max(values)),
  }


def summary(rows: list[dict], warm: float) -> dict:
  """The slopes after the warm-up, and the pace of its first and last third."""
  rows = [r for r in rows if r['s'] >= warm * rows[-1]['s']]
  hours = np.array([r['s'] for r in rows]) / 3600
  told = {'minutes': round((rows[-1]['s'] - rows[0]['s']) / 60, 1)}
  for name in ('rss_mb', 'files', 'threads', 'maps'):
    told[name] = slope(hours, [r[name] for r in rows])
  third = len(rows) // 3
  pace = lambda a, b: (b['cpu_s'] - a['cpu_s']) / max(b['step'] - a['step'], 1)
  first, last = pace(rows[0], rows[third]), pace(rows[-third - 1], rows[-1])
  told['cpu_s_per_step'] = {'first': first, 'last': last, 'ratio': last / first}
  told['steps'] = rows[-1]['step']
  return told


def main(_):
  """Trains, looks, and tells."""
  with tempfile.TemporaryDirectory() as folder:
    workdir = pathlib.Path(folder) / 'digits'
    workdir.mkdir()
    process, rows, begin = start(workdir), [], time.monotonic()
    while (now := time.monotonic() - begin) < _MINUTES.value * 60:
      if process.poll() is not None:
        raise SystemExit((workdir.parent / 'log.txt').read_text()[-2000:])
      rows.append({'s': now, 'step': last_step(workdir), **look(process.pid)})
      time.sleep(5)
    process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    code = process.wait()
    told = summary(rows, _WARM.value)
    told |= {'exit_code': code, 'seconds_to_leave': time.monotonic() - begin}
  if _OUT.value:
    lines = [json.dumps(row) for row in (told, *rows)]
    pathlib.Path(_OUT.value).write_text('\n'.join(lines) + '\n')
  print(json.dumps(told, indent=2))


if __name__ == '__main__':
  app.run(main)
