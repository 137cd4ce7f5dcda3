"""Flags of every command that are wrong: refused, nothing written."""

import os
import subprocess
import sys

import pytest

from gan_jax import ablate, checkpoint, evaluate, manifest, sample, train
from gan_jax.study import worker
from tests import odd_archives, odd_pictures
from tests.bad_input import RING, ROOT, check_line, finished_run, refused, tree
from tests.study.test_study_plan import write


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
  """In an empty folder: what a command leaves there is seen."""
  monkeypatch.chdir(tmp_path)
  return tmp_path


# Flags of every command

RUN, STUDY = '--workdir={}/run', '--study={}/mine/study.py'
COMMANDS = [
  (train, (RING, '--workdir={}/a\0b'), '--workdir'),
  (train, (RING, '--workdir={}/a\nb'), '--workdir'),
  (train, (RING, '--workdir={}/a\udcffb'), '--workdir'),
  (train, (RING, '--workdir={}/\x1b[31m'), '--workdir'),
  (train, (RING, '--workdir={}/' + 'x' * 300), '--workdir'),
  (train, (RING, '--workdir={}/loop/run'), '--workdir'),
  (train, (RING, '--workdir={}/dangling'), '--workdir'),
  (train, (RING, '--workdir=/dev/null'), '--workdir'),
  (train, (RING, '--workdir=/proc/run'), '--workdir'),
  (train, (RING, RUN, '--config.data.dir={}/a\0b'), 'config.data.dir'),
  (train, (RING, RUN, '--workdir'), 'workdir'),
  (train, (RING, RUN, '-x'), ''),
  (train, (RING, RUN, ''), ''),
  (sample, ('--workdir=', '--out=x.png'), '--workdir'),
  (sample, (RUN, '--out='), '--out'),
  (sample, ('--workdir={}/file', '--out=x.png'), 'no run here'),
  (sample, ('--workdir={}/loop', '--out=x.png'), 'no run here'),
  (sample, ('--workdir={}/a\0b', '--out=x.png'), '--workdir'),
  (sample, ('--workdir={}/' + 'x' * 300, '--out=x.png'), '--workdir'),
  (sample, (RUN, '--out={}/folder.png'), 'folder.png'),
  (sample, (RUN, '--out={}/file/x.png'), 'file'),
  (sample, (RUN, '--out={}/a\nb.png'), '--out'),
  (sample, (RUN, '--out={}/.png'), '--out'),
  (sample, (RUN, '--out={}/x.PNG.exe'), '--out'),
  (sample, (RUN, '--out=x.png', '--num=-1'), '--num=-1'),
  (sample, (RUN, '--out=x.npz', '--reconstruct=x'), 'has no encoder'),
  (sample, (RUN, '--out=x.npz', '--interpolate=x'), 'has no encoder'),
  (sample, (RUN, '--out=x.npz', '--reconstruct='), '--reconstruct=: exp'),
  (sample, (RUN, '--out=x.npz', '--interpolate='), '--interpolate=: exp'),
  (sample, (RUN, '--out=x.png', '--num=1e3'), 'num'),
  (sample, (RUN, '--out=x.png', '--num=True'), 'num'),
  (sample, (RUN, '--out=x.png', '--num=nan'), 'num'),
  (sample, (RUN, '--out=x.png', '--num='), 'num'),
  (sample, (RUN, '--out=x.png', '--num=999999999999999'), '--num'),
  (sample, (RUN, '--out=x.png', '--seed=99999999999999999999'), '--seed'),
  (sample, (RUN, '--out=x.png', '--seed=0.5'), 'seed'),
  (sample, (RUN, '--out=x.png', '--checkpoint=-1'), '-1'),
  (sample, (RUN, '--out=x.png', '--checkpoint=²'), 'checkpoint'),
  (evaluate, ('--workdir={}/file',), 'no run here'),
  (evaluate, ('--workdir={}/a\0b',), '--workdir'),
  (evaluate, ('--workdir={}/' + 'x' * 300,), '--workdir'),
  (evaluate, ('--samples={}/a\0b', '--data=digits'), '--samples'),
  (evaluate, ('--samples={}/' + 'x' * 300, '--data=digits'), '--samples'),
  (evaluate, ('--samples={}/a\udcff', '--data=digits'), '--samples'),
  (evaluate, ('--samples={}/file', '--data=digits'), '--samples'),
  (evaluate, ('--samples={}/loop', '--data=digits'), '--samples'),
  (evaluate, ('--samples={}/folder.png', '--data={}/x\ny'), '--data'),
  (evaluate, ('--compare=,',), '--compare'),
  (evaluate, ('--compare={}/file,{}/file',), 'file'),
  (evaluate, ('--compare={}/loop,{}/loop',), 'loop'),
  (evaluate, ('--compare={}/folder.png,{}/run',), 'folder.png'),
  (evaluate, (RUN, '--statistics={}/file'), ''),
  (evaluate, (RUN, '--num=99999999999999999999'), 'num'),
  (evaluate, (RUN, '--draws=-1'), '--draws=-1'),
  (evaluate, (RUN, '--draws=nan'), 'draws'),
  (ablate, (STUDY, '--workdir={}/a\0b'), '--workdir'),
  (ablate, (STUDY, '--workdir={}/' + 'x' * 300), '--workdir'),
  (ablate, (STUDY, '--workdir={}/loop/x'), '--workdir'),
  (ablate, (STUDY, '--workdir=/dev/null'), '--workdir'),
  (ablate, ('--study={}/folder.png', '--workdir={}/w'), '--study'),
  (ablate, ('--study={}/loop', '--workdir={}/w'), '--study'),
  (ablate, ('--study={}/a\0b', '--workdir={}/w'), '--study'),
  (ablate, (STUDY, '--workdir={}/w', '--workers=nan'), 'workers'),
  (ablate, (STUDY, '--workdir={}/w', '--memory_mb=1e9'), 'memory_mb'),
  (ablate, (STUDY, '--workdir={}/w', '--engine='), '--engine'),
  (ablate, (STUDY, '--workdir={}/w', '--engine=os.path'), '--engine'),
  (ablate, (STUDY, '--workdir={}/w', '--options==1'), '--options'),
  (ablate, (STUDY, '--workdir={}/w', '--options=workers=3'), '--options'),
  (ablate, ('--compare={}/file,{}/file', '--workdir={}/w'), 'file'),
  (ablate, ('--compare={}/loop,{}/loop', '--workdir={}/w'), 'loop'),
  (worker, (STUDY, '--workdir={}/absent'), 'no plan'),
  (worker, (STUDY, '--workdir={}/file'), 'no plan'),
  (worker, (STUDY, '--workdir={}/loop'), 'no plan'),
  (worker, (STUDY, '--workdir={}/a\0b'), '--workdir'),
  (worker, (STUDY, '--workdir={}/study', '--cores=all'), '--cores'),
  (worker, (STUDY, '--workdir={}/study', '--cores=-1'), '--cores'),
  (worker, (STUDY, '--workdir={}/study', '--cores=99999'), '--cores'),
  (worker, (STUDY, '--workdir={}/study', '--cores=0,,1'), '--cores'),
  (worker, ('--study=', '--workdir={}/study'), '--study'),
  (worker, ('--study={}/absent.py', '--workdir={}/study'), '--study'),
  (manifest, (), 'diff A B'),
  (manifest, ('diff',), 'two runs'),
  (manifest, ('differ', '{}/run', '{}/run'), 'differ'),
  (manifest, ('diff', '{}/run'), 'two runs'),
  (manifest, ('diff', '{}/run', '{}/run', '{}/run'), 'two runs'),
  (manifest, ('diff', '{}/run', '{}/absent'), 'no run here'),
  (manifest, ('diff', '{}/folder.png', '{}/run'), 'no run here'),
  (manifest, ('diff', '{}/run', '{}/file'), 'not a manifest'),
  (checkpoint, (), 'verify DIR'),
  (checkpoint, ('verify',), 'verify DIR'),
  (checkpoint, ('check', '{}/run'), 'check'),
  (checkpoint, ('verify', '{}/run', '{}/run'), 'verify DIR'),
  (checkpoint, ('verify', '{}/absent'), 'absent'),
  (checkpoint, ('verify', '{}/file'), 'file'),
  (checkpoint, ('verify', '{}/folder.png'), 'folder.png'),
]


def ids(cases):
  """Names of the cases: the command, and its last argument."""
  told = [
    (m.__name__[8:], [*argv, ''][-2 if argv else 0]) for m, argv, _ in cases
  ]
  return [ascii(f'{name} {last[:40]}') for name, last in told]


@pytest.fixture
def place(here):
  """A run, a study and what is neither."""
  (here / 'run').symlink_to(finished_run())
  (here / 'file').write_text('mine')
  (here / 'folder.png').mkdir()
  (here / 'loop').symlink_to(here / 'loop')
  (here / 'dangling').symlink_to(here / 'absent' / 'absent')
  write(here / 'mine', base=f'{ROOT}/configs/ring8.py:tiny')
  (here / 'study').mkdir()
  (here / 'study' / 'plan.json').write_text('{"jobs": []}')
  return here


@pytest.mark.parametrize('module, argv, word', COMMANDS, ids=ids(COMMANDS))
def test_refused_flags(module, argv, word, place, capfd):
  argv = [flag.replace('{}', str(place)) for flag in argv]
  refused(capfd, module.main, argv, word, root=place)


# As processes: no warning, no trace of anything reaches stderr.

PROCESSES = {
  'a rate that is no number': (
    'gan_jax.train', (RING, '--workdir=run', '--config.data.std=1e999'),
  ),
  'a config that exits': (
    'gan_jax.train', ('--config=exits.py', '--workdir=run'),
  ),
  'a bomb': ('gan_jax.evaluate', ('--samples=bomb', '--data=bomb')),
  'a pickle': ('gan_jax.evaluate', ('--samples=x.npz', '--data=ring8')),
  'a name that is not UTF-8': (
    'gan_jax.evaluate', (b'--samples=\xff', '--data=digits'),
  ),
  'a study that raises': (
    'gan_jax.ablate', ('--study=exits.py', '--workdir=w'),
  ),
}  # fmt: skip


@pytest.mark.parametrize('name', PROCESSES)
def test_refused_by_a_process(name, here):
  (here / 'exits.py').write_text('raise SystemExit(0)')
  (here / 'bomb').mkdir()
  for one in ('large.png', 'profile_bomb.png'):
    (here / 'bomb' / one).write_bytes(odd_pictures.broken()[one])
  (here / 'x.npz').write_bytes(odd_archives.HOSTILE['objects'][0])
  module, argv = PROCESSES[name]
  before = tree(here)
  done = subprocess.run(
    [sys.executable, '-m', module, *argv],
    cwd=here,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
    capture_output=True,
    check=False,
  )
  assert done.returncode == 2 and not done.stdout, done
  assert done.stderr.count(b'\n') == 1
  check_line(done.stderr.decode())
  assert tree(here) == before
