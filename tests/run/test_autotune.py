"""Kernels that a GPU chose: kept with the run, and handed to XLA again."""

import os
import pathlib
import subprocess
import sys

import pytest

from gan_jax.run import autotune, determinism
from gan_jax.run.workdir import differences
from gan_jax.storage import autotune as storage

RESULTS = 'version: 3\nresults { device: "é" hlo: "fusion" }\n'


@pytest.fixture
def gpu(monkeypatch, tmp_path):
  """As where a GPU is expected and JAX has not started."""
  monkeypatch.setattr(determinism, 'expects_gpu', lambda: True)
  monkeypatch.setattr(determinism, 'has_started', lambda: False)
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))
  monkeypatch.setenv('XLA_FLAGS', '--xla_dump_to=')


def flags():
  return differences.xla_flags(os.environ['XLA_FLAGS'])


def chosen():
  """Plays XLA, which writes its choices whenever it has compiled."""
  pathlib.Path(flags()[autotune.DUMP]).write_text(RESULTS)


def test_a_run_keeps_its_kernels_and_has_them_again(
  gpu, tmp_path, monkeypatch, capfd
):
  workdir = tmp_path / 'runs' / 'one'
  autotune.prepare(workdir)
  # The first time there is nothing to be loaded, and nothing has been written.
  assert set(flags()) == {'xla_dump_to', autotune.DUMP}
  assert not workdir.exists() and autotune.loaded() == ''
  first = os.environ['XLA_FLAGS']
  chosen()
  workdir.mkdir(parents=True)
  autotune.keep(workdir)
  assert storage.read(workdir) == RESULTS
  # The next start loads them; what is chosen beside them goes where it went.
  monkeypatch.setenv('XLA_FLAGS', '--xla_dump_to=')
  autotune.prepare(workdir)
  own = str(workdir / storage.NAME)
  assert flags()[autotune.LOAD] == own
  assert flags()[autotune.DUMP] == differences.xla_flags(first)[autotune.DUMP]
  assert os.environ['XLA_FLAGS'].startswith('--xla_dump_to= --')
  assert len(autotune.loaded()) == 12
  assert capfd.readouterr() == ('', '')


def test_runs_have_a_place_each(gpu, tmp_path, monkeypatch):
  places = set()
  for name in ('a', 'b'):
    monkeypatch.setenv('XLA_FLAGS', '')
    autotune.prepare(tmp_path / name)
    places.add(flags()[autotune.DUMP])
  chosen()
  assert len(places) == 2
  (tmp_path / 'a').mkdir()
  autotune.keep(tmp_path / 'a')  # what is written down is not of this run
  assert not (tmp_path / 'a' / storage.NAME).exists()


def test_what_is_there_is_not_written_again(gpu, tmp_path):
  autotune.prepare(tmp_path)
  autotune.keep(tmp_path)  # nothing has been compiled
  assert not (tmp_path / storage.NAME).exists()
  chosen()
  autotune.keep(tmp_path)
  before = (tmp_path / storage.NAME).stat()
  autotune.keep(tmp_path)
  assert (tmp_path / storage.NAME).stat().st_ino == before.st_ino


DAMAGES = {
  'cut': lambda text: text[:-9],
  'changed': lambda text: text.replace('fusion', 'Fusion'),
  'no head': lambda text: text[text.index('\n') + 1 :],
  'empty': lambda text: '',
}


@pytest.mark.parametrize('how', DAMAGES)
def test_a_damaged_file_is_ignored_in_a_line(how, gpu, tmp_path, capfd):
  storage.write(tmp_path, RESULTS)
  path = tmp_path / storage.NAME
  path.write_text(DAMAGES[how](path.read_text()))
  autotune.prepare(tmp_path)
  assert autotune.LOAD not in flags() and autotune.DUMP in flags()
  said = capfd.readouterr().err
  assert said == f'kernels are chosen anew: {path} is damaged\n'


def test_bytes_that_are_no_text(gpu, tmp_path, capfd):
  (tmp_path / storage.NAME).write_bytes(b'\xff\xfe')
  autotune.prepare(tmp_path)
  assert autotune.LOAD not in flags()
  assert capfd.readouterr().err.count('\n') == 1


def test_another_version_of_jaxlib_chooses_anew(gpu, tmp_path, monkeypatch):
  """It may not read these, and XLA compiles nothing then."""
  with monkeypatch.context() as patch:
    patch.setattr(storage, 'version', lambda: '0.1')
    storage.write(tmp_path, RESULTS)
  assert storage.read(tmp_path) == ''
  autotune.prepare(tmp_path)
  assert autotune.LOAD not in flags()


@pytest.mark.parametrize('flag', [autotune.LOAD, autotune.DUMP])
def test_what_the_user_says_has_the_last_word(flag, gpu, tmp_path, monkeypatch):
  storage.write(tmp_path, RESULTS)
  monkeypatch.setenv('XLA_FLAGS', f'--{flag}=mine')
  autotune.prepare(tmp_path)
  autotune.keep(tmp_path)
  assert os.environ['XLA_FLAGS'] == f'--{flag}=mine'


def test_nothing_is_said_to_xla_where_it_would_be_in_vain(
  gpu, tmp_path, monkeypatch
):
  for name, value in (('expects_gpu', False), ('has_started', True)):
    with monkeypatch.context() as patch:
      patch.setattr(determinism, name, lambda value=value: value)
      autotune.prepare(tmp_path)
  with monkeypatch.context() as patch:
    patch.setattr(autotune.multihost, 'several', lambda: True)
    autotune.prepare(tmp_path)
  assert os.environ['XLA_FLAGS'] == '--xla_dump_to='


def test_a_full_cache_and_names_with_spaces(gpu, tmp_path, monkeypatch):
  """XLA does not compile what it cannot write the choices of."""
  workdir = tmp_path / 'two words'
  workdir.mkdir()
  storage.write(workdir, RESULTS)
  monkeypatch.setattr(
    autotune.shutil, 'disk_usage', lambda path: type('U', (), {'free': 0})
  )
  autotune.prepare(workdir)
  assert os.environ['XLA_FLAGS'] == '--xla_dump_to='


def test_these_flags_decide_no_numbers():
  before = {'xla_flags': '', 'backend': 'gpu'}
  own = f'--{autotune.LOAD}=/a --{autotune.DUMP}=/b'
  now = {'xla_flags': own, 'backend': 'gpu', 'autotuned': 'abc'}
  assert not any(d.decides for d in differences.records(before, now))
  assert differences.missing(before, now) == []


def test_xla_knows_the_flags(tmp_path):
  """An unknown one would end the process."""
  own = f'--{autotune.LOAD}=/none --{autotune.DUMP}=/none'
  script = 'import jax; assert float(jax.jit(lambda x: x + 1)(1.)) == 2'
  env = dict(os.environ, XLA_FLAGS=own, JAX_ENABLE_COMPILATION_CACHE='0')
  subprocess.run([sys.executable, '-c', script], env=env, check=True)
