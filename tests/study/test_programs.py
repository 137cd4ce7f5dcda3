"""Jobs that differ only in numbers share what is compiled."""

import json
import os
import pathlib
import subprocess
import sys

import jax
import pytest

from gan_jax import ablate
from gan_jax.study import worker
from tests.devices.test_compilations import compilations, steps_in
from tests.study.small import ONCE
from tests.study.test_study_plan import ROOT, write

# A rate, a penalty's weight and a half-life; no other cell has their program.
NUMBERS = {
  'design': (
    {'optim.g.learning_rate': 0.004},
    {'penalties.r1.gamma': 0.5},
    {'ema.halflife_kimg': 2.0},
  ),
  'factors': {},
  'num_seeds': 1,
  'overrides': {'batch_size': 24, **ONCE},
}


def test_one_program_serves_all_jobs_of_a_worker(tmp_path, monkeypatch):
  monkeypatch.chdir(ROOT)
  study = write(tmp_path / 'study', **NUMBERS)
  with compilations() as names:
    ablate.ablate(study, tmp_path / 'run')
  assert steps_in(names) == 1
  rows = (tmp_path / 'run' / 'results.jsonl').read_text().splitlines()
  assert len({json.loads(row)['cell'] for row in rows}) == 3


SCRIPT = """
import sys
import jax
from gan_jax.study import worker
worker.share_programs(sys.argv[1])
print(jax.config.jax_compilation_cache_dir)
"""


@pytest.mark.parametrize('own', ['', 'mine'])
def test_workers_on_a_machine_share_a_folder_of_programs(own, tmp_path):
  """Unless the user has chosen one."""
  env = {k: v for k, v in os.environ.items() if 'COMPILATION_CACHE' not in k}
  env |= {'JAX_COMPILATION_CACHE_DIR': own} if own else {}
  done = subprocess.run(
    [sys.executable, '-c', SCRIPT, str(tmp_path)],
    cwd=ROOT, env=env, capture_output=True, text=True, check=True,
  )  # fmt: skip
  folder = pathlib.Path(done.stdout.strip())
  shared = tmp_path / 'programs' / os.uname().nodename
  assert folder == (pathlib.Path(own) if own else shared)


def test_a_cache_that_is_there_is_left_alone(tmp_path):
  before = jax.config.jax_compilation_cache_dir
  assert before
  worker.share_programs(tmp_path)
  assert jax.config.jax_compilation_cache_dir == before
