"""What a command waits for before its first step, as numbers of things.

Not seconds, which depend on the machine: experiments/benchmarks/starting.py.
"""

import os
import pathlib
import subprocess
import sys

import jax
import pytest

from gan_jax import train
from gan_jax.run import command, hooks
from gan_jax.run import setup as setup_lib
from tests.devices.test_compilations import compilations

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ('train', 'sample', 'evaluate', 'ablate', 'plan')
# Packages that take long to import, and that printing usage has no need of.
HEAVY = {
  'orbax', 'tensorstore', 'tensorboardX', 'tensorflow', 'tensorflow_datasets',
  'torch', 'scipy', 'sklearn', 'matplotlib', 'pandas', 'array_record',
}  # fmt: skip
HELP = """
import runpy, sys
name = sys.argv[1]
sys.argv = [name, '--help']
try:
  runpy.run_module('gan_jax.' + name, run_name='__main__')
except SystemExit as end:
  assert not end.code
print('modules', *sys.modules)
"""
FIRST = """
import sys
from gan_jax import train
from gan_jax.run import command
command.run(train.main, ['train', *sys.argv[1:]])
print('modules', *sys.modules)
"""


def drive(script, *words, **env):
  """The modules that a process has imported in the end."""
  done = subprocess.run(
    [sys.executable, '-c', script, *words],
    cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=True,
  )  # fmt: skip
  last = done.stdout.splitlines()[-1].split()
  assert last[0] == 'modules'
  return set(last[1:])


@pytest.mark.parametrize('name', COMMANDS)
def test_help_imports_what_it_needs(name):
  there = drive(HELP, name)
  assert f'gan_jax.{name}' in there or 'gan_jax.run.command' in there
  assert not {module.split('.')[0] for module in there} & HEAVY
  if name in ('train', 'sample'):  # one run knows nothing of studies
    assert 'gan_jax.study.ablation' not in there


def test_a_run_imports_no_other_framework(tmp_path):
  """The digits are read without scikit-learn, TensorBoard without PyTorch."""
  # In place of a PyTorch, if there is one: no import of it goes unseen.
  (tmp_path / 'torch.py').write_text('raise RuntimeError("imported")')
  there = drive(
    FIRST, '--config=configs/digits.py:tiny', f'--workdir={tmp_path / "run"}',
    '--config.steps=1', '--config.features=pixels', '--config.metrics=fid',
    PYTHONPATH=str(tmp_path),
  )  # fmt: skip
  tops = {module.split('.')[0] for module in there}
  assert not tops & {'tensorflow', 'sklearn', 'torch'}
  assert 'tensorboardX' in tops


def test_few_programs_are_compiled_before_the_first_step(tmp_path, monkeypatch):
  """Each operation outside of one would be a program of its own.

  Keys, initial states, their stack, one seed of it, samples, the step, and what
  looks whether it is finite; the rest are operations of scores and pictures.
  """
  monkeypatch.chdir(ROOT)
  before, told = [], []

  def compiles(self):
    told.append('compiling')

  def tick(self, step):
    before.append(len(names)) if not before else None

  monkeypatch.setattr(hooks.Hooks, 'compiles', compiles)
  monkeypatch.setattr(hooks.Hooks, 'tick', tick)
  argv = ['train', '--config=configs/ring8.py:tiny', f'--workdir={tmp_path}/r']
  argv += ['--config.batch_size=16']  # which no other test has
  with compilations() as names:
    command.run(train.main, argv)
  assert told == ['compiling']
  assert before[0] <= 12, names[: before[0]]


def test_the_state_of_the_beginning_does_not_stay_in_memory(
  tmp_path, monkeypatch
):
  shape, counts = (1, 61, 67), []  # of a kernel that no other test has
  real = setup_lib.make_program

  def make(*args, **kwargs):
    program = real(*args, **kwargs)

    def advance(*args):
      out = program.advance(*args)
      each = (jax.live_arrays(), jax.tree.leaves(out))
      counts.append([sum(x.shape == shape for x in some) for some in each])
      return out

    return program._replace(advance=advance)

  monkeypatch.setattr(setup_lib, 'make_program', make)
  monkeypatch.chdir(ROOT)
  argv = ['train', '--config=configs/ring8.py:tiny', f'--workdir={tmp_path}/r']
  argv += ['--config.model.g.hidden=(61, 67)', '--config.metrics=']
  argv += ['--config.save_every=8']  # a copy is written in the background
  command.run(train.main, argv)
  assert counts and all(there == moving > 2 for there, moving in counts)
