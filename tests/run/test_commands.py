"""A mistake is told in one line, with exit code 2; answers come at once."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from gan_jax import evaluate, sample, train
from gan_jax.run import command, signals
from gan_jax.run import setup as setup_lib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RING, DIGITS = (
  '--config=configs/ring8.py:tiny',
  '--config=configs/digits.py:tiny',
)
TIMES = 4  # what importing JAX takes; measured: 2


@pytest.fixture(autouse=True)
def clone(monkeypatch):
  """In the root of a clone; a run leaves no signal handler behind."""
  monkeypatch.chdir(ROOT)
  before = [signal.getsignal(s) for s in signals.STOP_SIGNALS]
  yield
  assert [signal.getsignal(s) for s in signals.STOP_SIGNALS] == before


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """The workdir of a finished tiny run."""
  workdir = tmp_path_factory.mktemp('ring8') / 'run'
  command.run(train.main, ['train', small('ring8'), f'--workdir={workdir}'])
  return workdir


def small(name):
  return f'--config={ROOT / "configs" / name}.py:tiny'


def contents(folder):
  """What lies in a folder, {} if there is none."""
  files = [p for p in folder.rglob('*') if p.is_file()]
  return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in files}


def complaint(capfd, main, *argv):
  """The one line on stderr with which a command refuses."""
  capfd.readouterr()
  with pytest.raises(SystemExit) as leaving:
    command.run(main, ['command', *map(str, argv)])
  out, err = capfd.readouterr()
  assert leaving.value.code == 2, err
  assert 'Traceback' not in err
  errors = [line for line in err.splitlines() if line.startswith('error: ')]
  assert len(errors) == 1 and err.splitlines()[-1] == errors[0]
  assert len((out + err).splitlines()) <= 3
  return errors[0]


def test_missing_flags(tmp_path, capfd):
  for main, argv, word in (
    (train.main, [RING], '--workdir'),
    (train.main, [f'--workdir={tmp_path / "run"}'], '--config'),
    (train.main, [RING, '--workdir='], '--workdir'),
    (sample.main, [f'--workdir={tmp_path}'], '--out'),
    (evaluate.main, [], '--workdir'),
  ):
    assert word in complaint(capfd, main, *argv)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('below', ['file', 'file/run', 'file/a/run'])
def test_a_workdir_that_cannot_be_made(below, tmp_path, capfd):
  (tmp_path / 'file').write_text('mine')
  workdir = tmp_path / below
  line = complaint(capfd, train.main, RING, f'--workdir={workdir}')
  assert f'--workdir={workdir}' in line
  assert (tmp_path / 'file').read_text() == 'mine'


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_workdir_that_may_not_be_written(tmp_path, capfd):
  tmp_path.chmod(0o500)
  for workdir in (tmp_path, tmp_path / 'run'):
    assert f'--workdir={workdir}' in complaint(
      capfd, train.main, RING, f'--workdir={workdir}'
    )


RESUMES = [
  ('loss.name=hinge', "loss.name 'cross_entropy' -> 'hinge'"),
  ('loss.smoothing=.1', "loss.smoothing 'absent' -> 0.1"),
  ('batch_size=16', 'batch_size 8 -> 16'),
  ('model.g.hidden=(8,)', 'model.g.hidden [16] -> [8]'),
  ('optim.d.learning_rate=.1', 'optim.d.learning_rate 0.001 -> 0.1'),
  ('penalties.r1.gamma=1.', 'penalties'),
  ('seed=1', 'seed 0 -> 1'),
  ('num_seeds=2', 'num_seeds 1 -> 2'),
  ('steps=7', 'has done 8 already'),
]


@pytest.mark.parametrize('flag, words', RESUMES)
def test_resuming_another_run(flag, words, run, capfd):
  before = contents(run)
  line = complaint(
    capfd, train.main, RING, f'--workdir={run}', f'--config.{flag}'
  )
  assert words in line and str(run) in line
  assert contents(run) == before


@pytest.mark.parametrize('main', [sample.main, evaluate.main])
def test_a_workdir_without_a_run(main, tmp_path, capfd):
  out = [f'--out={tmp_path / "x.png"}'] if main is sample.main else []
  for workdir in (tmp_path, tmp_path / 'absent'):
    line = complaint(capfd, main, f'--workdir={workdir}', *out)
    assert f'--workdir={workdir}' in line and 'no run' in line
  # One that was stopped before its first checkpoint.
  config = command.load_config('configs/ring8.py:tiny')
  (tmp_path / 'config.json').write_text(json.dumps(config))
  assert 'no checkpoint' in complaint(
    capfd, main, f'--workdir={tmp_path}', *out
  )
  (tmp_path / 'config.json').write_text('{')
  assert 'config.json' in complaint(capfd, main, f'--workdir={tmp_path}', *out)
  assert [p.name for p in tmp_path.iterdir()] == ['config.json']


USES = [
  (sample.main, ('--out={}/x.jpg',), ('x.jpg', '.png .webp .npz')),
  (sample.main, ('--out={}/x',), ('.png .webp .npz',)),
  (sample.main, ('--out={}/absent/x.png',), ('absent',)),
  (sample.main, ('--out={}/x.png', '--num=0'), ('--num=0',)),
  (sample.main, ('--out={}/x.png', '--num=abc'), ('num', 'abc')),
  (sample.main, ('--out={}/x.png', '--seed=-1'), ('--seed=-1',)),
  (sample.main, ('--out={}/x.png', '--checkpoint=99'), ('99', 'there: 4, 8')),
  (sample.main, ('--out={}/x.png', '--checkpoint=new'), ("'new'", 'best')),
  (sample.main, ('--out={}/x.png', '--size=3'), ('--size', '--checkpoint')),
  (evaluate.main, ('--metrics=foo',), ("'foo'", 'modes')),
  (evaluate.main, ('--metrics=class_coverage',), ('class_coverage',)),
  (evaluate.main, ('--features=foo',), ("'foo'", 'pixels')),
  (evaluate.main, ('--features=classifier',), ('classifier',)),
  (evaluate.main, ('--num=-1',), ('--num=-1',)),
  (evaluate.main, ('--num=abc',), ('num', 'abc')),
  (evaluate.main, ('--draws=0',), ('--draws=0',)),
  (evaluate.main, ('--protocol=fid',), ('--protocol=fid', 'clean-10k-test')),
  (evaluate.main, ('--protocol=clean-10k-test', '--num=9'), ('--num', 'fixed')),
  (evaluate.main, ('--features=inception',), ('inception', 'no images')),
  (evaluate.main, ('--resize=tf',), ('resize', 'inception')),
  (evaluate.main, ('--split=test',), ('split', 'ring8')),
  (evaluate.main, ('--samples=x.npz',), ('one of', '--samples')),
  (evaluate.main, ('--data=mnist',), ('--data', '--workdir')),
  (evaluate.main, ('--checkpoint=99',), ('99', 'there: 4, 8')),
]


@pytest.mark.parametrize('main, argv, words', USES)
def test_wrong_use_of_a_run(main, argv, words, run, tmp_path, capfd):
  before = contents(run)
  flags = [flag.format(tmp_path) for flag in argv]
  line = complaint(capfd, main, f'--workdir={run}', *flags)
  for word in words:
    assert word in line
  assert contents(run) == before
  assert not list(tmp_path.iterdir())


def test_sample_and_evaluate_use_a_run(run, tmp_path, capfd):
  for name in ('a.png', 'b.webp', 'c.npz', 'd.npz'):
    sample.main(['', f'--workdir={run}', f'--out={tmp_path / name}'])
  assert '64 samples of step 8' in capfd.readouterr().out
  c, d = (np.load(tmp_path / f'{n}.npz')['samples'] for n in 'cd')
  assert c.shape == (64, 2) and (c == d).all() and len(np.unique(c, axis=0)) > 9
  other = tmp_path / 'e.npz'
  sample.main(['', f'--workdir={run}', f'--out={other}', '--seed=1'])
  assert (np.load(other)['samples'] != c).any()

  before = json.loads((run / 'scores.json').read_text())
  for _ in range(2):  # the same protocol again replaces its records
    evaluate.main(['', f'--workdir={run}', '--metrics=modes', '--num=100'])
  after = json.loads((run / 'scores.json').read_text())
  assert after[: len(before)] == before and len(after) == len(before) + 1
  assert after[-1]['metric'] == 'modes' and after[-1]['n_fake'] == 100


TIMED = {
  'help': (['--help'], 0, 'hinge'),
  'flag': ([RING, '--nope=1'], 2, '--config, --workdir'),
  'loss': ([RING, '--config.loss.name=foo'], 2, 'hinge'),
}


def processor_seconds(line):
  """What a process takes, whatever else the machine does; and its end."""
  used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
  before = used()
  done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
  return used() - before, done


@pytest.fixture(scope='module')
def importing_jax():
  line = [sys.executable, '-c', 'import jax']
  return min(processor_seconds(line)[0] for _ in range(3))


@pytest.mark.parametrize('name', TIMED)
def test_answers_come_at_once(name, tmp_path, importing_jax):
  argv, code, word = TIMED[name]
  line = [sys.executable, '-m', 'gan_jax.train']
  line += [f'--workdir={tmp_path / "run"}', *argv]
  seconds = []
  for _ in range(2):
    took, done = processor_seconds(line)
    seconds.append(took)
    text = done.stdout + done.stderr
    assert done.returncode == code and word in text
    assert len(text.splitlines()) <= 3
    assert bool(done.stderr) == bool(code)
  assert min(seconds) < TIMES * importing_jax
  assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('module', [train, sample, evaluate])
def test_help(module, capfd):
  for flag in ('--help', '-h', '--helpfull'):
    with pytest.raises(SystemExit) as leaving:
      command.run(module.main, ['', flag])
    assert leaving.value.code == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) <= 6 and not err
    assert '--workdir=DIR' in out


PRINTS = "from gan_jax.run import command; command.run(lambda argv: print('x'))"


@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_nobody_reads_on(unbuffered):
  """As after `head`, which leaves early."""
  end, stdout = os.pipe()
  os.close(end)
  done = subprocess.run(
    [sys.executable, '-c', PRINTS],
    cwd=ROOT,
    env=os.environ | {'PYTHONUNBUFFERED': unbuffered},
    stdout=stdout,
    stderr=subprocess.PIPE,
    text=True,
  )
  os.close(stdout)
  assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, '')


def test_a_penalty_from_outside_the_package_by_a_flag():
  """Its name has dots, as keys of groups have not."""
  flag = "--config.penalties={'tests.diverging': {'at': 3}}"
  flags = command.parse(
    ['x', '--config=configs/ring8.py:tiny', flag], help_lines=list, config=None
  )
  config = flags.config.to_dict()
  assert config['penalties'] == {'tests.diverging': {'at': 3}}
  assert setup_lib.build(config)
