"""python -m gan_jax.checkpoint verify: what lies there, read and told."""

import shutil
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import checkpoint
from gan_jax.run import command
from gan_jax.storage import verify
from gan_jax.storage.checkpoints import Checkpoints
from tests.storage import damaging
from tests.storage.damaging import (
  FILES,
  HARMLESS,
  NAMED,
  NEWEST,
  ROOT,
  STEPS,
  as_anybody,
  do_harm,
  each_harm,
  flip,
  save,
  state,
  tree,
  write_note,
)

saved, damaged = damaging.saved, damaging.damaged  # fixtures


def lines_of(capsys, *argv):
  """(exit code, lines on stdout, text on stderr) of the command."""
  capsys.readouterr()
  code = 0
  try:
    command.run(checkpoint.main, ['', *map(str, argv)])
  except SystemExit as e:
    code = e.code or 0
  told = capsys.readouterr()
  return code, told.out.splitlines(), told.err


@pytest.fixture(autouse=True)
def quick(monkeypatch):
  monkeypatch.setattr(verify, 'SECONDS', 0.0)


@each_harm
@pytest.mark.parametrize('file', ['values', 'note', 'arrays'])
def test_verify_says_the_same(damaged, capsys, file, harm):
  do_harm(damaged, file, harm)
  before = tree(damaged)
  with as_anybody():
    code, lines, _ = lines_of(capsys, 'verify', damaged)
  assert len(lines) == 2 and lines[0].endswith('  fid 10  ok')
  if (file, harm) in HARMLESS:
    assert code == 0 and lines[1].endswith('  fid 20  ok')
  else:
    assert code == 1
    head, _, told = lines[1].partition('  damaged: ')
    assert told.startswith(NAMED[file]) and head.startswith(f'{damaged}/20  ')
  assert tree(damaged) == before


@pytest.mark.parametrize('name', ['swapped_leaves', 'another_step', 'no_state'])
def test_verify_sees_damaged_steps(damaged, capsys, name):
  harm, words = STEPS[name]
  harm(damaged / str(NEWEST))
  code, lines, _ = lines_of(capsys, 'verify', damaged / str(NEWEST))
  assert code == 1 and len(lines) == 1 and f'damaged: {words}' in lines[0]


def test_verify_takes_checkpoints_of_an_earlier_version(damaged, capsys):
  """Their bytes are as good as ever, though no run goes on from them."""
  write_note(damaged / str(NEWEST), lambda note: {**note, 'format': 1})
  code, lines, _ = lines_of(capsys, 'verify', damaged)
  assert code == 0 and lines[1].endswith('  fid 20  ok')
  flip(FILES['values'](damaged / str(NEWEST)))
  code, lines, _ = lines_of(capsys, 'verify', damaged)
  assert code == 1 and 'damaged: wrong checksum of ' in lines[1]


def test_verify_needs_no_like(tmp_path, capsys):
  """Leaves of all kinds; those of another state are as good."""
  mixed = {
    'key': jax.random.split(jax.random.key(1), 3),
    'rbg': jax.random.key(1, impl='rbg'),
    'numpy': np.arange(3, dtype=np.int8),
    'half': jnp.ones((2, 3), jnp.bfloat16),
    'int': 7,
    'float': 0.25,
    'none': None,
    'nothing': jnp.zeros((0, 3)),
    'double': np.random.default_rng(0).normal(size=5),
  }
  save(tmp_path, 3, mixed)
  code, lines, _ = lines_of(capsys, 'verify', tmp_path)
  assert code == 0 and '8 leaves  fid 3  ok' in lines[0]


def test_verify_takes_runs_studies_and_steps(saved, tmp_path, capsys):
  for cell in ('a', '7'):
    shutil.copytree(saved, tmp_path / 'study' / cell / 'checkpoints')
  study = tmp_path / 'study'
  total = {}
  for name, path, count in (
    ('study', study, 4),
    ('workdir', study / 'a', 2),
    ('checkpoints', study / 'a' / 'checkpoints', 2),
    ('step', study / 'a' / 'checkpoints' / '10', 1),
  ):
    code, total[name], _ = lines_of(capsys, 'verify', path)
    assert code == 0 and len(total[name]) == count
    assert all(line.endswith('ok') for line in total[name])
  assert total['workdir'] == total['checkpoints'] == total['study'][2:]
  assert total['step'] == total['workdir'][:1]
  size = sum(p.stat().st_size for p in (saved / '10').rglob('*') if p.is_file())
  assert f'  {size:,} bytes  3 leaves  fid 10  ok' in total['step'][0]
  (study / 'a' / 'checkpoints' / '30').mkdir()
  code, lines, _ = lines_of(capsys, 'verify', study)
  assert code == 0 and sum('  unfinished: ' in line for line in lines) == 1
  for step in ('10', '20'):
    shutil.rmtree(study / 'a' / 'checkpoints' / step)
  assert lines_of(capsys, 'verify', study / 'a')[0] == 1


@pytest.mark.parametrize(
  'argv, words',
  [
    (('verify', 'nowhere'), 'nowhere: no such folder'),
    (('verify', '.'), 'there is no checkpoint'),
    (('verfy', '.'), 'expected verify DIR, got verfy .'),
    (('verify',), 'expected verify DIR, got verify'),
    ((), 'expected verify DIR, got nothing'),
    (('verify', '.', '.'), 'expected verify DIR'),
  ],
)
def test_verify_of_a_mistake(tmp_path, monkeypatch, capsys, argv, words):
  monkeypatch.chdir(tmp_path)
  code, lines, told = lines_of(capsys, *argv)
  assert code == 2 and not lines and told.count('\n') == 1 and words in told


def test_verify_while_a_run_saves(saved, tmp_path):
  directory = tmp_path / 'checkpoints'
  shutil.copytree(saved, directory)
  over = threading.Event()

  def train_on():
    with Checkpoints(directory, keep_last=2, keep_best=0) as c:
      step = NEWEST
      while not over.is_set():
        step += 1
        c.save(step, state(step, rows=100), {})

  thread = threading.Thread(target=train_on)
  thread.start()
  seen = []
  try:
    while len({one.path for one in seen if one.state == 'ok'}) < 8:
      seen += verify.verdicts(directory)
  finally:
    over.set()
    thread.join()
  assert not [one for one in seen if one.state == 'damaged']


def test_verify_by_its_name(damaged):
  flip(FILES['values'](damaged / '20'))
  call = [sys.executable, '-m', 'gan_jax.checkpoint']
  done = subprocess.run(
    [*call, 'verify', damaged], cwd=ROOT, capture_output=True, text=True
  )
  assert done.returncode == 1 and not done.stderr
  first, second = done.stdout.splitlines()
  assert first.endswith('ok') and 'damaged: wrong checksum of ' in second
  done = subprocess.run(
    [*call, '--help'], cwd=ROOT, capture_output=True, text=True
  )
  assert done.returncode == 0 and 'exit code: 0 if' in done.stdout
