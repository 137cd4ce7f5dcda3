"""What is compiled is kept for the next process; nobody else is disturbed."""

import os
import pathlib
import subprocess
import sys
import time
from importlib import util

import jax
import pytest

from gan_jax.run import compile_cache
from tests.storage.disks import disk  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = """
import hashlib
from gan_jax.run import compile_cache
import jax, jax.numpy as jnp
hits = []
jax.monitoring.register_event_listener(
  lambda event, **_: hits.append(event) if 'cache_hits' in event else None)
compile_cache.use()
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.)
draw = jax.jit(lambda key: jnp.tanh(jax.random.normal(key, (64, 64))).sum(0))
x = draw(jax.random.key(0))
print(jax.config.jax_compilation_cache_dir)
print(jax.config.jax_compilation_cache_max_size)
print(hashlib.sha256(bytes(memoryview(x))).hexdigest())
print(len(hits))
"""


def drive(**env):
  """(folder, limit, hash of the result, programs that were there, stderr)."""
  clean = {k: v for k, v in os.environ.items() if 'CACHE' not in k}
  done = subprocess.run(
    [sys.executable, '-c', SCRIPT],
    cwd=ROOT, env=clean | env, capture_output=True, text=True, check=True,
  )  # fmt: skip
  return *done.stdout.splitlines(), done.stderr


def test_a_second_process_finds_what_the_first_compiled(tmp_path):
  """The same bits, and not a word: no warning of XLA's either."""
  first = drive(XDG_CACHE_HOME=str(tmp_path))
  again = drive(XDG_CACHE_HOME=str(tmp_path))
  folder = pathlib.Path(first[0])
  assert folder.parent == tmp_path / 'gan_jax' / 'compiled'
  assert folder.stat().st_mode & 0o077 == 0  # nobody else may write programs
  limit = compile_cache.MAX_BYTES if util.find_spec('filelock') else -1
  assert first[1] == again[1] == str(limit)
  assert first[3] == '0' and int(again[3]) >= 1
  assert again[2] == first[2]
  assert first[4] == again[4] == ''


def test_the_place_can_be_moved_and_the_cache_turned_off(tmp_path):
  mine = str(tmp_path / 'mine')
  folder, limit, *_ = drive(JAX_COMPILATION_CACHE_DIR=mine)
  assert (folder, limit) == (mine, '-1')  # all that concerns it is JAX's
  folder, *_ = drive(GAN_JAX_CACHE=mine)
  assert pathlib.Path(folder).parent == tmp_path / 'mine' / 'compiled'
  off = drive(XDG_CACHE_HOME=str(tmp_path), JAX_ENABLE_COMPILATION_CACHE='0')
  assert off[0] == 'None' and not (tmp_path / 'gan_jax').exists()


def test_tests_have_a_cache_of_their_own():
  before = jax.config.jax_compilation_cache_dir
  compile_cache.use.__wrapped__()
  assert jax.config.jax_compilation_cache_dir == before
  assert before == os.environ['JAX_COMPILATION_CACHE_DIR']


@pytest.fixture
def without(monkeypatch):
  """In a process that has no cache; what is set is undone."""
  values, told = {'jax_enable_compilation_cache': True}, {}
  values |= {'jax_compilation_cache_dir': None}

  class Config:
    def __getattr__(self, name):
      return {**values, **told}.get(name, -1)

    def update(self, name, value):
      told[name] = value

  monkeypatch.setattr(compile_cache.jax, 'config', Config())
  return told


@pytest.mark.parametrize('how', ['full', 'read_only'])
def test_a_disk_that_refuses_costs_a_line(
  how, disk, without, monkeypatch, capfd  # noqa: F811
):  # fmt: skip
  monkeypatch.setenv('GAN_JAX_CACHE', str(disk.path))
  compile_cache.folder().mkdir(parents=True)
  {'full': disk.fill, 'read_only': disk.read_only}[how]()
  compile_cache.use.__wrapped__()
  assert without == {}
  said = capfd.readouterr()
  words = {'full': 'No space left', 'read_only': 'Read-only file system'}[how]
  assert said.out == '' and said.err.count('\n') == 1
  assert said.err.startswith(f'what is compiled is not kept: {disk.path}')
  assert words in said.err


def test_a_home_of_nobody_costs_a_line(without, monkeypatch, capfd):
  monkeypatch.setenv('GAN_JAX_CACHE', '~nobody_at_all/cache')
  compile_cache.use.__wrapped__()
  assert without == {} and capfd.readouterr().err.count('\n') == 1


def test_without_filelock_there_is_no_limit(without, monkeypatch, tmp_path):
  """JAX would refuse to keep anything."""
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path))
  monkeypatch.setattr(compile_cache.util, 'find_spec', lambda name: None)
  compile_cache.use.__wrapped__()
  assert 'jax_compilation_cache_max_size' not in without
  assert without['jax_compilation_cache_dir'].startswith(str(tmp_path))


def test_what_a_killed_process_left_is_cleared_up(tmp_path):
  """Else JAX could never make room again: it looks for both files of each."""
  long_ago = time.time() - 10 * compile_cache.OWN_TIME
  for name in ('a-cache', 'a-atime', 'b-cache', 'c-atime', 'new-cache', 'x'):
    (tmp_path / name).write_bytes(b'1')
    if name != 'new-cache':
      os.utime(tmp_path / name, (long_ago, long_ago))
  compile_cache._make(tmp_path)
  there = sorted(path.name for path in tmp_path.iterdir())
  assert there == ['a-atime', 'a-cache', 'new-cache', 'x']


def test_a_damaged_program_is_compiled_again_in_silence(tmp_path):
  first = drive(XDG_CACHE_HOME=str(tmp_path))
  for path in pathlib.Path(first[0]).glob('*-cache'):
    path.write_bytes(path.read_bytes()[:50])
  again = drive(XDG_CACHE_HOME=str(tmp_path))
  assert again[2] == first[2] and again[3] == '0' and again[4] == ''


def test_processors_have_a_folder_each(monkeypatch):
  here = compile_cache.folder()
  other = {'model': 'other', 'instructions': 'sse'}
  monkeypatch.setattr(compile_cache.provenance, 'cpu', lambda: other)
  assert compile_cache.folder().parent == here.parent
  assert compile_cache.folder() != here
