"""What grows with what: seconds and bytes of ever larger pieces of work.

python -m experiments.benchmarks.growing [--only=page,kid,study,plan,scores]

Each size runs in a process of its own, so that its memory is its own.
"""

import argparse
import itertools
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

from experiments.benchmarks import results

CASES = {  # name -> (what grows, in which unit; sizes)
  'page': (
    'page of a run, rows of its log',
    (1000, 10_000, 100_000, 1_000_000),
  ),
  'kid': ('kid, samples of 256 features', (2000, 5000, 10_000, 20_000, 50_000)),
  'kid2048': ('kid, samples of 2,048 features', (5000, 20_000, 50_000)),
  'study': ('report of a study, jobs', (64, 256, 1024)),
  'plan': ('planning a study of digits, cells', (16, 64, 256)),
  'plan_cifar': ('the same of 50,000 pictures of 32 x 32 x 3', (16, 64, 256)),
  'scores': ('scoring seeds of ring8 anew, seeds', (16, 64, 256)),
}


class Clock:
  """Seconds of the machine, and of its processors, by name."""

  def __init__(self):
    """Nothing is measured yet."""
    self.seconds, self.cpu = {}, {}

  def time(self, name: str, work):
    """work(), timed; returns what it gives."""
    begin, busy = time.perf_counter(), time.process_time()
    made = work()
    self.seconds[name] = time.perf_counter() - begin
    self.cpu[name] = time.process_time() - busy
    return made


def page(clock: Clock, folder: pathlib.Path, rows: int):
  """A first look at a log, then a report and its page, then a new process."""
  from gan_jax.report import condensed, page, writers

  names = ('d_loss', 'g_loss', 'samples_per_s', 'd_grad', 'g_grad')
  values = np.random.default_rng(0).random((rows, len(names)))
  row = lambda i: {
    'step': i + 1,
    **dict(zip(names, values[i].tolist(), strict=True)),
  }
  with open(folder / 'metrics.jsonl', 'w') as log:
    log.writelines(json.dumps(row(i)) + '\n' for i in range(rows))
  log = condensed.Log(folder)
  clock.time('first', lambda: page.write_page(folder, log=log))
  lines = writers.JsonLines(folder / 'metrics.jsonl')

  def report():
    lines.write(rows + 1, dict.fromkeys(names, 0.5))
    page.write_page(folder, log=log)

  clock.time('each', report)
  clock.time('anew', lambda: page.write_page(folder))
  resume = lambda: writers.JsonLines(folder / 'metrics.jsonl', rows + 1)
  clock.time('resume', resume)


def kid(clock: Clock, folder: pathlib.Path, samples: int, *, width: int = 256):
  """The metric as it is by default."""
  from gan_jax.metrics import compute

  rng = np.random.default_rng(0)
  draw = lambda: rng.standard_normal((samples, width), dtype=np.float32)
  sides = [_Side(draw(), samples) for _ in range(2)]
  clock.time('each', lambda: compute.kernel(*sides, compute.Known()))


class _Side:
  def __init__(self, features, count):
    self.features, self.count = features, count


def kid2048(clock: Clock, folder: pathlib.Path, samples: int):
  """The same of Inception's size."""
  kid(clock, folder, samples, width=2048)


STUDY = """
def get_study():
  return {{'base': {base!r}, 'num_seeds': {seeds}, 'overrides': {overrides!r},
    'metric': {metric!r}, 'design': 'one_at_a_time',
    'factors': {{'optim.d.learning_rate': {rates!r}}}}}
"""


def _study(folder, *, cells, seeds, base='digits', metric='fid', **overrides):
  from gan_jax.study import plan

  rates = [float(rate) for rate in np.geomspace(1e-5, 1e-2, cells)]
  path = folder / 'mine' / 'study.py'
  path.parent.mkdir()
  path.write_text(STUDY.format(**locals()))
  return lambda: plan.load(path)


def plan(clock: Clock, folder: pathlib.Path, cells: int, **options):
  """Cells that differ in a number."""
  from gan_jax.study import schedule

  made = clock.time('plan', _study(folder, cells=cells, seeds=4, **options))
  workdir = folder / 'runs'
  workdir.mkdir()
  clock.time('schedule', lambda: schedule.schedule(made, workdir, workers=1))


def plan_cifar(clock: Clock, folder: pathlib.Path, cells: int):
  """Synthetic pictures, as many as CIFAR-10 has."""
  rng = np.random.default_rng(0)
  pictures = rng.integers(0, 255, (50_000, 32, 32, 3), dtype=np.uint8)
  np.savez(folder / 'pictures.npz', x=pictures)
  del pictures
  data = {'name': 'npz', 'path': str(folder / 'pictures.npz')}
  plan(clock, folder, cells, base='dcgan', data=data)


def study(clock: Clock, folder: pathlib.Path, count: int):
  """Its table with all jobs done but one; then the last one ends."""
  from gan_jax.report import board
  from gan_jax.study import jobs, schedule, status

  load = _study(
    folder, cells=16, seeds=count // 16, base='ring8', metric='modes'
  )
  made, workdir = load(), folder / 'runs' / 'mine'
  workdir.mkdir(parents=True)
  ids = schedule.schedule(made, workdir, workers=count)
  queue = jobs.Queue(workdir)
  *early, last = queue.jobs().values()
  for job in early:
    _finish(workdir, queue, job)
  open_ = lambda: status.StudyStatus(made, workdir, ids, board=board.Board())
  view = clock.time('open', open_)
  clock.time('report', view.write)
  clock.time('look', view.watch)
  clock.time('look again', view.watch)
  _finish(workdir, queue, last)
  clock.time('one more job', view.watch)


def _finish(workdir, queue, job):
  """Writes what a job leaves: its curves, its result."""
  rng = np.random.default_rng(job.config['seed'])
  folder = workdir / job.folder
  folder.mkdir()
  (folder / 'config.json').write_text(json.dumps({'seed': job.config['seed']}))
  names = ('d_loss', 'g_loss', 'd_grad', 'g_grad', 'samples_per_s')
  with open(folder / 'metrics.jsonl', 'w') as log:
    for step in range(1, 101):
      row = dict(zip(names, rng.random(5).tolist(), strict=True))
      log.write(json.dumps({'step': 100 * step, **row}) + '\n')
  score = float(rng.integers(4, 9))
  rows = [
    {
      'run': run, 'seed': job.config['seed'] + i, 'status': 'finished',
      'reason': '', 'steps': job.config['steps'], 'scores': {'modes': score},
    }
    for i, run in enumerate(job.runs)
  ]  # fmt: skip
  queue.finish(job, {'rows': rows, 'seconds': 1.0})


def scores(clock: Clock, folder: pathlib.Path, seeds: int):
  """2,000 samples of each seed: drawing them, and scoring them."""
  from gan_jax.run import command, scoring, setup
  from gan_jax.run.workdir import contents

  overrides = {'num_seeds': seeds, 'eval_samples': 2000}
  config = command.load_config('ring8', overrides)
  made = setup.build(config)
  protocol = contents.eval_protocol(config)
  names = scoring.metric_names(made, (), protocol=protocol)
  look = scoring.make_look(made, names, protocol=protocol)
  state = made.init()
  score = lambda: [
    compute() for _, compute in look(0, state.ema, made.keys, range(seeds))
  ]
  clock.time('first', score)
  drawn = lambda: list(look(0, state.ema, made.keys, range(seeds)))
  ready = clock.time('draw', drawn)
  clock.time('score', lambda: [compute() for _, compute in ready])


def run_one(case: str, size: int) -> dict:
  """The line of one case and size; in this process."""
  clock = Clock()
  with tempfile.TemporaryDirectory() as folder:
    globals()[case](clock, pathlib.Path(folder), size)
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
  rounded = lambda own: {name: round(one, 4) for name, one in own.items()}
  return {
    'case': case,
    'device': results.device(),
    'size': size,
    'seconds': rounded(clock.seconds),
    'cpu': rounded(clock.cpu),
    'peak_mb': round(peak / 2**20),
    'load': round(os.getloadavg()[0], 1),
  }


def table(lines: list[dict]) -> str:
  """A Markdown table: a row for each size of each case."""
  rows = []
  for case, own in itertools.groupby(lines, lambda line: line['case']):
    for line in sorted(own, key=lambda line: line['size']):
      parts = [f'{n} {results.short(s)} s' for n, s in line['seconds'].items()]
      busy = [results.short(s) for s in line['cpu'].values()]
      size = f'{line["size"]:,}'
      what = CASES[case][0]
      peak = f'{line["peak_mb"]:,}'
      rows.append([what, size, ', '.join(parts), ', '.join(busy), peak])
  header = ['what', 'size', 'seconds', 'of processors', 'peak MB']
  return results.table(header, rows)


def main():
  """Runs each size in a process of its own, and writes the table."""
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--only', default=','.join(CASES))
  parser.add_argument('--one', help='CASE:SIZE, in this process')
  flags = parser.parse_args()
  if flags.one:
    case, _, size = flags.one.partition(':')
    print(json.dumps(run_one(case, int(size))))
    return
  for case in flags.only.split(','):
    lines = []
    for size in CASES[case][1]:
      command = [sys.executable, '-m', __spec__.name, f'--one={case}:{size}']
      made = subprocess.run(command, check=True, stdout=subprocess.PIPE)
      lines.append(json.loads(made.stdout.splitlines()[-1]))
      print(table(lines[-1:]).splitlines()[-1], flush=True)
    results.publish('growing', lines, table)


if __name__ == '__main__':
  main()
