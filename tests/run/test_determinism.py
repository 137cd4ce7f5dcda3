"""What is bit-equal to what, and what deterministic=True refuses."""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from gan_jax.run import command, determinism
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import record as record_lib
from gan_jax.storage import files
from gan_jax.types import UserError
from tests import tiny
from tests.devices.test_parallel import APART, TURNS
from tests.devices.test_parallel import train as run_steps
from tests.run.test_commands import contents
from tests.run.test_resume import ROOT, leaves

STEPS, PART = 6, 3
# Several runs in one process, each with what it said, or refused.
DRIVER = """
import json, os, sys
told = json.load(sys.stdin)
if told['one_core']:
  os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from gan_jax import train
from gan_jax.types import UserError
said = []
for argv in told['commands']:
  try:
    train.main(['', *argv])
    said.append('')
  except UserError as e:
    said.append(str(e))
print('said', json.dumps(said))
"""


def drive(commands, *, one_core=False, **env):
  """Runs commands in one new process; returns what each refused, or ''.

  They are compiled as a user's are, and not as cheaply as those of other tests.
  """
  usual = {'JAX_DISABLE_MOST_OPTIMIZATIONS': '0', 'XLA_FLAGS': ''}
  done = subprocess.run(
    [sys.executable, '-c', DRIVER],
    input=json.dumps({'commands': commands, 'one_core': one_core}),
    cwd=ROOT,
    env={**os.environ, **usual, **env},
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
  return json.loads(done.stdout.rpartition('said ')[2])


def arguments(recipe, workdir, **changes):
  changes = {
    'steps': STEPS, 'save_every': 0, 'eval_every': 0, 'num_seeds': 2,
    'report_every': 0, 'health_every': 0,
    'deterministic': True,
  } | changes  # fmt: skip
  flags = [f'--config.{key}={value}' for key, value in changes.items()]
  return [f'--config=configs/{recipe}.py:tiny', f'--workdir={workdir}', *flags]


def assert_same_bits(a, b):
  a, b = leaves(a, STEPS), leaves(b, STEPS)
  assert a.keys() == b.keys() and a
  for name in a:
    assert a[name].tobytes() == b[name].tobytes(), name


def flags(devices):
  return {'XLA_FLAGS': f'--xla_force_host_platform_device_count={devices}'}


@pytest.mark.slow
@pytest.mark.parametrize('recipe', ['ring8', 'digits'])
def test_two_processes_give_the_same_bits(recipe, tmp_path):
  """Whatever the order of hashes, the compilation cache, the cores."""
  one, other = tmp_path / 'one', tmp_path / 'other'
  assert drive([arguments(recipe, one)], PYTHONHASHSEED='1') == ['']
  again = drive(
    [arguments(recipe, other)],
    one_core=True,
    PYTHONHASHSEED='2',
    JAX_ENABLE_COMPILATION_CACHE='false',
  )
  assert again == ['']
  assert_same_bits(one, other)
  scores = [(w / 'scores.json').read_bytes() for w in (one, other)]
  assert scores[0] == scores[1]


@pytest.mark.slow
def test_another_number_of_devices(tmp_path):
  """Seeds in turn go on anywhere; a batch that was whole is not cut."""
  seeds, batch = tmp_path / 'seeds', tmp_path / 'batch'
  whole = arguments('ring8', tmp_path / 'whole', num_seeds=4)
  first = [
    whole,
    arguments('ring8', seeds, num_seeds=4, steps=PART),
    arguments('ring8', batch, num_seeds=1, steps=PART),
  ]
  assert drive(first, PYTHONHASHSEED='1', **flags(1)) == ['', '', '']
  before = contents(batch)
  second = [
    arguments('ring8', seeds, num_seeds=4),
    arguments('ring8', batch, num_seeds=1),
  ]
  done, refused = drive(second, PYTHONHASHSEED='2', **flags(4))
  assert done == ''
  assert_same_bits(tmp_path / 'whole', seeds)
  assert 'deterministic=True' in refused and 'split.batch 1 -> 4' in refused
  assert str(batch) in refused and contents(batch) == before
  # Without deterministic it goes on, and says so, see test_manifest.
  told = record_lib.read(seeds)
  assert [start['differs'].get('num_devices') for start in told['starts']] == [
    None, [1, 4],
  ]  # fmt: skip


@pytest.mark.parametrize('layout', [TURNS, APART])
def test_jit_and_pmap_on_one_device_are_the_same_program(layout):
  one, other = (run_steps(w, 1, layout=layout) for w in ('jit', 'pmap'))
  assert tiny.distance(one, other) == 0


@pytest.mark.parametrize('wrapper', ['jit', 'pmap', 'shard_map'])
def test_a_batch_over_devices_gives_the_same_bits_again(wrapper):
  runs = []
  for _ in range(2):
    runs.append(run_steps(wrapper, 8))
    jax.clear_caches()
  assert tiny.distance(*runs) == 0


@pytest.mark.slow
def test_fewer_instructions_agree_to_rounding(tmp_path):
  """Another CPU: XLA makes the code for the one that it runs on."""
  if 'avx2' not in record_lib.describe()['cpu']['instructions']:
    pytest.skip('of processors with AVX2')
  for name, isa in (('native', ''), ('older', '--xla_cpu_max_isa=SSE4_2')):
    argv = arguments('ring8', tmp_path / name, num_seeds=1)
    one = '--xla_force_host_platform_device_count=1'
    assert drive([argv], XLA_FLAGS=f'{one} {isa}') == ['']
  a, b = (leaves(tmp_path / name, STEPS) for name in ('native', 'older'))
  for name in (n for n in a if 'params' in n):
    np.testing.assert_allclose(a[name], b[name], atol=1e-3)
  assert any(a[name].tobytes() != b[name].tobytes() for name in a)


# What deterministic=True refuses on resume.


OTHERS = {
  'packages': {'jax': '0.0.1'},
  'source': 'another',
  'python': '2.7',
  'xla_flags': '--xla_cpu_enable_fast_math=true',
  'environment': {'JAX_ENABLE_X64': '1'},
  'jax_config': {'jax_default_prng_impl': 'rbg'},
  'cpu': {'model': 'another', 'instructions': ''},
  'starts': [{'step': 3, 'decides': {'packages.jax': ['0.0.1', '0.0.2']}}],
}


@pytest.fixture
def begun(tmp_path, monkeypatch):
  """(workdir of a run that has begun, what it is made with)."""
  monkeypatch.chdir(ROOT)
  config = command.load_config('configs/ring8.py:tiny', {'deterministic': True})
  setup = setup_lib.build(config)
  record = record_lib.of_run(config, setup, setup_lib.make_program(setup))
  record_lib.write(tmp_path, record, config, step=0)
  assert record_lib.check(tmp_path, record, deterministic=True) == []
  return tmp_path, record


@pytest.mark.parametrize('name', OTHERS)
def test_another_world_is_refused(name, begun):
  workdir, record = begun
  found = record_lib.read(workdir) | {name: OTHERS[name]}
  files.write_json(workdir / 'manifest.json', found)
  word = 'packages.jax 0.0.1 -> 0.0.2 at step 3' if name == 'starts' else name
  with pytest.raises(UserError, match=f'deterministic=True.* {word}'):
    record_lib.check(workdir, record, deterministic=True)
  changed = record_lib.check(workdir, record)  # else it goes on, and says so
  assert bool(changed) == (name != 'starts')


def test_a_run_of_unknown_making_is_refused(begun):
  workdir, record = begun
  (workdir / 'manifest.json').unlink()
  with pytest.raises(UserError, match='unknown'):
    record_lib.check(workdir, record, deterministic=True)


# What has to be set before JAX starts.

PREPARE = """
import os, jax
from gan_jax.run import determinism
from gan_jax.types import UserError
if {started}: jax.devices()
try:
  determinism.prepare()
  print('flags', os.environ.get('XLA_FLAGS', ''))
except UserError as e:
  print('refused', e)
jax.config.update('jax_platforms', 'cpu')
assert float(jax.jit(lambda x: x + 1)(1.)) == 2
"""
FLAG = '--xla_gpu_deterministic_ops=true'


def prepare(tmp_path, *, started=False, plugin=True, **env):
  """What happens where a plugin for GPUs is installed (it registers none)."""
  package = tmp_path / 'jax_plugins' / 'xla_cuda13'
  if plugin:
    package.mkdir(parents=True)
    (package / '__init__.py').write_text('def initialize(): pass\n')
  path = os.pathsep.join([str(tmp_path), str(ROOT)])
  base = {k: v for k, v in os.environ.items() if k != 'XLA_FLAGS'}
  done = subprocess.run(
    [sys.executable, '-c', PREPARE.format(started=started)],
    env={**base, 'PYTHONPATH': path, 'JAX_PLATFORMS': '', **env},
    capture_output=True,
    text=True,
  )
  assert done.returncode == 0, done.stderr
  return done.stdout.strip()


@pytest.mark.parametrize(
  'told, said',
  [
    ({'JAX_PLATFORMS': 'cpu'}, 'flags'),
    ({'XLA_FLAGS': '--xla_dump_to='}, f'flags --xla_dump_to= {FLAG}'),
    ({'XLA_FLAGS': FLAG.replace('true', 'false')}, 'refused'),
    ({'started': True}, 'refused'),
    pytest.param({'plugin': False}, 'flags', marks=pytest.mark.slow),
    pytest.param({}, f'flags {FLAG}', marks=pytest.mark.slow),
    pytest.param(
      {'JAX_PLATFORMS': 'cuda,cpu', 'plugin': False},
      f'flags {FLAG}',
      marks=pytest.mark.slow,
    ),
    pytest.param(
      {'XLA_FLAGS': FLAG, 'started': True},
      f'flags {FLAG}',
      marks=pytest.mark.slow,
    ),
  ],
)
def test_flags_for_gpus_are_set_where_there_may_be_some(told, said, tmp_path):
  """And JAX starts with them: an unknown flag would end the process."""
  found = prepare(tmp_path, **told)
  assert found == said if said != 'refused' else found.startswith(said)
  if said == 'refused':
    assert 'XLA_FLAGS' in found


def test_devices_of_which_nothing_is_known(monkeypatch):
  determinism.check_backend()
  monkeypatch.setattr(jax, 'default_backend', lambda: 'METAL')
  with pytest.raises(UserError, match="deterministic=True.*'METAL'"):
    determinism.check_backend()
