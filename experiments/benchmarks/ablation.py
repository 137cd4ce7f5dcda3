"""A whole ablation beside the same trainings, one by one, in plain PyTorch.

python -m experiments.benchmarks.ablation [--study=FILE] [--share=.1]
  [--workdir=NEW]

The study is run by its command, in a new workdir: it plans, compiles, trains,
scores and writes its report. PyTorch only trains, and only a share of the steps
of one seed of each cell, half of it before and half after the study, with as
many threads as suit it; the time for all steps, cells and seeds follows.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

from experiments.benchmarks import ours, results, torch_gans
from gan_jax.run import setup as setup_lib
from gan_jax.study import plan

STUDY = 'experiments/losses_ring8/study.py'


def ablation_seconds(study: str, workdir: pathlib.Path) -> float:
  """Wall time of the whole command."""
  argv = ['-m', 'gan_jax.ablate', f'--study={study}', f'--workdir={workdir}']
  begin = time.perf_counter()
  subprocess.run([sys.executable, *argv], check=True)
  return time.perf_counter() - begin


class Part:
  """A part of a study's trainings in PyTorch, timed."""

  def __init__(self, study: plan.Study, *, share: float):
    """Prepares a trainer for each cell and chooses its threads."""
    self._steps = [round(c.config['steps'] * share) for c in study.cells]
    device = torch_gans.setup()
    self._trainers = [self._trainer(c.config, device) for c in study.cells]
    self._threads = min((1, os.cpu_count()), key=self._try)

  def _trainer(self, config, device):
    setup = setup_lib.build(config)
    data, first = ours.real_data(setup), ours.variables(setup.init())
    return torch_gans.Trainer(config, data, first, device)

  def _try(self, threads):
    torch.set_num_threads(threads)
    self._trainers[0].advance(20)
    begin = time.perf_counter()
    self._trainers[0].advance(200)
    return time.perf_counter() - begin

  def seconds_per_step(self) -> list[float]:
    """One time for each cell."""
    torch.set_num_threads(self._threads)
    found = []
    for trainer, steps in zip(self._trainers, self._steps, strict=True):
      begin = time.perf_counter()
      trainer.advance(steps)
      found.append((time.perf_counter() - begin) / steps)
    return found


def measure(path: str, workdir: pathlib.Path, *, share: float) -> dict:
  """One result line; the workdir is a new one."""
  study = plan.load(path)
  part = Part(study, share=share / 2)
  before = part.seconds_per_step()
  own = ablation_seconds(path, workdir)
  after = part.seconds_per_step()
  steps = [cell.config['steps'] for cell in study.cells]
  each = lambda times: float(np.dot(times, steps)) * study.num_seeds
  both = [each(before), each(after)]
  return {
    'case': study.name,
    'device': results.device(),
    'runs': len(study.cells) * study.num_seeds,
    'steps': steps[0],
    'share': share,
    'seconds': own,
    'torch_seconds': both,
    'ratios': [seconds / own for seconds in both],
    'versions': {'torch': torch.__version__},
  }


def report(lines: list[dict]) -> str:
  """The table in README.md."""
  rows = [
    [
      line['case'],
      f'{line["runs"]} x {line["steps"]:,} steps',
      f'{line["seconds"] / 60:.1f} min',
      ' and '.join(f'{s / 60:.0f}' for s in line['torch_seconds']) + ' min',
      results.spread(line['ratios']),
    ]
    for line in lines
  ]
  head = [
    'study',
    'trainings',
    'ablate, all of it',
    'PyTorch, training',
    'ratio',
  ]
  return f'{lines[0]["device"]}\n\n{results.table(head, rows)}'


def main():
  """The command."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--study', default=STUDY)
  parser.add_argument('--share', type=float, default=0.1)
  parser.add_argument('--workdir', type=pathlib.Path, help='a new folder')
  args = parser.parse_args()
  workdir = args.workdir or pathlib.Path(tempfile.mkdtemp()) / 'study'
  if workdir.exists():
    parser.error(f'--workdir={workdir}: there is something already')
  line = measure(args.study, workdir, share=args.share)
  results.publish('ablation', [line], report)


if __name__ == '__main__':
  main()
