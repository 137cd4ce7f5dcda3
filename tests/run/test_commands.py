"""A mistake is told in one line, with exit code 2; nothing is written."""

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
from gan_jax.run import command, signals, training
from gan_jax.run import setup as setup_lib
from tests import tiny_data

ROOT = pathlib.Path(__file__).resolve().parents[2]
RING, DIGITS = (
  '--config=configs/ring8.py:tiny',
  '--config=configs/digits.py:tiny',
)
WIDE = 'model.d.hidden'
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


def refused(capfd, tmp_path, *argv, words):
  """Refused by train, before anything is written."""
  workdir = tmp_path / 'run'
  line = complaint(capfd, train.main, f'--workdir={workdir}', *argv)
  for word in words:
    assert word in line
  assert not workdir.exists()


FLAGS = [
  ('--config.loss.name=foo', ("loss.name='foo'", 'hinge', 'wasserstein')),
  ('--config.loss.name=', ('loss.name', 'hinge')),
  ('--config.los.name=hinge', ('config.los', "did you mean 'loss'")),
  ('--config.batchsize=3', ('config.batchsize', "did you mean 'batch_size'")),
  ('--config.xyz=3', ('config.xyz', 'batch_size')),
  ('--config.loss.smothing=.1', ('smothing', 'takes smoothing')),
  ('--config.loss.smoothing=high', ('cross_entropy',)),
  ('--config.loss=hinge', ('loss',)),
  ('--config.batch_size=abc', ('batch_size', 'abc')),
  ('--config.batch_size=32.5', ('batch_size', '32.5')),
  ('--config.batch_size=0', ('batch_size=0', 'at least 1')),
  ('--config.batch_size=-8', ('batch_size=-8', 'at least 1')),
  ('--config.batch_size=12', ('batch_size=12', '8 devices')),
  ('--config.seed=-1', ('seed=-1', 'at least 0')),
  ('--config.num_seeds=0', ('num_seeds=0', 'at least 1')),
  ('--config.report_every=-1', ('report_every=-1',)),
  ('--config.conditional=maybe', ('conditional', 'maybe')),
  ('--config.dynamics=both', ("dynamics='both'", 'alternating, simultaneous')),
  ('--config.dtype=int8', ("dtype='int8'", 'bfloat16')),
  ('--config.parallel=xmap', ("parallel='xmap'", 'shard_map')),
  ('--config.data.name=nothere', ("data.name='nothere'", 'ring8', 'mnist')),
  ('--config.data.name=ring9', ("did you mean 'ring8'",)),
  ('--config.data.name=no.such.module', ('no.such.module', 'ring8')),
  ('--config.data.colour=3', ('data.colour', 'radius')),
  ('--config.data.size=-3', ('size',)),
  ('--config.data.memory_mb=lots', ('memory_mb', 'lots')),
  ('--config.data.flip=True', ('flip', 'images')),
  ('--config.model.name=foo', ("model.name='foo'", 'dcgan, mlp')),
  ('--config.model.name=dcgan', ('model',)),
  ('--config.model.width=3', ('model.width',)),
  ('--config.model.g.width=3', ('model.g.width', 'hidden')),
  ('--config.model.g.hidden=abc', ('hidden', 'abc')),
  ('--config.model.g.hidden=(0,)', ('model', 'expected at least 1')),
  ('--config.model.d.norm=foo', ('norm', 'foo', 'spectral')),
  ('--config.model.d.activation=foo', ('activation', 'foo')),
  ('--config.latent.name=foo', ("latent.name='foo'", 'sphere')),
  ('--config.latent.dim=0', ('latent.dim=0',)),
  ('--config.latent.size=3', ('latent.size', 'dim')),
  ('--config.penalties.foo.gamma=1', ("penalties='foo'", 'gradient_penalty')),
  ('--config.penalties.r1.gama=1', ('penalties.r1.gama', 'gamma')),
  ('--config.penalties.r1=3', ('penalties.r1',)),
  ('--config.penalties.r1.gamma=abc', ('penalties.r1',)),
  ('--config.optim.g.name=foo', ("optim.g.name='foo'",)),
  ('--config.optim.g.name=relu', ('optim.g',)),
  ('--config.optim.d.momentun=.9', ('optim.d', 'momentun', 'b1')),
  ('--config.optim.d.learning_rate=fast', ('optim.d.learning_rate', 'fast')),
  ('--config.optim.d.clip_norm=-1.', ('optim.d.clip_norm=-1',)),
  ('--config.optim.d.schedule.name=foo', ("optim.d.schedule.name='foo'",)),
  ('--config.optim.e.name=adam', ('optim.e',)),
  ('--config.ema.halflife_kimg=-1.', ('halflife_kimg=-1',)),
  ('--config.ema.halflife=1.', ('ema.halflife', 'halflife_kimg')),
  ("--config.metrics=('foo',)", ("metrics: 'foo'", 'modes')),
  ("--config.metrics=('class_coverage',)", ('class_coverage', 'classifier')),
  ('--config.stop_when.metric=modes', ('stop_when', 'below')),
  ('--config.stop_when.above=3', ('stop_when', 'metric')),
  ('config.steps=3', ('--name=value',)),
  ('--nope=3', ('--nope', '--config, --workdir')),
  ('--config.steps', ('config.steps',)),
]


@pytest.mark.parametrize('flag, words', FLAGS, ids=[f for f, _ in FLAGS])
def test_a_wrong_flag(flag, words, tmp_path, capfd):
  refused(capfd, tmp_path, RING, flag, words=words)


GOALS = [
  (('metric=foo', 'below=3.'), ("stop_when.metric='foo'", 'modes')),
  (('metric=modes', 'above=many'), ('stop_when.above', 'many')),
  (('metric=modes', 'over=3'), ('stop_when', "'below'")),
]


@pytest.mark.parametrize('goal, words', GOALS)
def test_a_goal_that_cannot_be_reached(goal, words, tmp_path, capfd):
  flags = [f'--config.stop_when.{g}' for g in goal]
  refused(capfd, tmp_path, RING, *flags, words=words)


def test_mistakes_that_take_two_flags(tmp_path, capfd):
  for flags, words in (
    (('dynamics=simultaneous', 'd_steps=2'), ('d_steps=2', 'simultaneous')),
    (('data.name=swissroll', 'conditional=True'), ('no labels', 'swissroll')),
    (
      ('penalties.r1.gamma=1.', 'model.d.norm=batch', f'{WIDE}=(8, 8)'),
      ('penalties.r1', 'batch norm', "'spectral'"),
    ),
    (
      ('optim.g.schedule.name=cosine_decay_schedule',),
      ('optim.g.schedule', 'decay_steps'),
    ),
  ):
    argv = [f'--config.{flag}' for flag in flags]
    refused(capfd, tmp_path, RING, *argv, words=words)


FILES = {
  'syntax': ('def get_config(:\n', 'SyntaxError'),
  'function': ('x = 1\n', 'get_config'),
  'import': ('import no_such_module\n', 'no_such_module'),
  'name': ('def get_config():\n  return x\n', "'x'"),
  'kind': ('def get_config():\n  return 3\n', 'file.py'),
  'keys': (
    'import ml_collections\n\n'
    'def get_config():\n  return ml_collections.ConfigDict({"steps": 3})\n',
    'batch_size',
  ),
}


@pytest.mark.parametrize('name', FILES)
def test_a_wrong_config_file(name, tmp_path, capfd):
  text, word = FILES[name]
  (tmp_path / 'file.py').write_text(text)
  flag = f'--config={tmp_path / "file.py"}'
  refused(capfd, tmp_path, flag, words=(word,))


@pytest.mark.parametrize(
  'config, words',
  [
    ('configs/nothere.py', ('configs/nothere.py', 'configs/ring8.py')),
    ('ring8', ('ring8', 'configs/ring8.py')),
    ('configs', ('configs/ring8.py',)),
    ('', ('--config is missing',)),
    ('configs/ring8.py:tinny', ('tinny', "'tiny'")),
  ],
)
def test_a_config_that_is_not_there(config, words, tmp_path, capfd):
  refused(capfd, tmp_path, f'--config={config}', words=words)


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


def data_cases(root):
  """Data flags for the digits recipe, and what the answer names."""
  (root / 'empty').mkdir()
  good = tiny_data.images(5)
  tiny_data.write_folder(root / 'corrupt', good)
  (root / 'corrupt' / '0002.png').write_bytes(b'no image')
  tiny_data.write_folder(root / 'mixed', good)
  odd = tiny_data.images(1, (9, 9, 3))
  (root / 'mixed' / '0003.png').write_bytes(tiny_data.png(odd[0]))
  tiny_data.write_folder(root / 'small', tiny_data.images(5, (6, 6, 3)))
  np.savez(root / 'wide.npz', x=tiny_data.images(5, (8, 16, 1)))
  (root / 'broken.npz').write_bytes(b'no file')
  prepare = ('download_and_prepare', 'data_dir=', str(root / 'empty'))
  return [
    (('mnist', f'dir={root / "empty"}'), prepare),
    (('mnist', f'dir={root / "absent"}'), ('download_and_prepare',)),
    (('folder',), ('data.dir',)),
    (('folder', f'dir={root / "empty"}'), ('no image',)),
    (('folder', f'dir={root / "absent"}'), ('no such folder',)),
    (('folder', f'dir={root / "corrupt"}'), ('0002.png', 'skip_corrupt')),
    (('folder', f'dir={root / "mixed"}'), ('0003.png', 'image_size')),
    (('folder', f'dir={root / "small"}'), ('(6, 6, 3)', 'from 8')),
    (('npz', f'path={root / "wide.npz"}'), ('(8, 16, 1)', 'square')),
    (('npz', f'path={root / "broken.npz"}'), ('broken.npz',)),
    (('npz', f'path={root / "absent.npz"}'), ('absent.npz', 'no such file')),
    (('ring8',), ('(2,)',)),
    (('digits', 'image_size=-1'), ('image_size',)),
  ]


def test_wrong_data(tmp_path, capfd):
  root = tmp_path / 'data'
  root.mkdir()
  for (name, *options), words in data_cases(root):
    flags = [f'--config.data.{o}' for o in (f'name={name}', *options)]
    refused(capfd, tmp_path, DIGITS, *flags, words=words)


def test_corrupt_images_are_skipped_if_told(tmp_path, capfd):
  folder = tiny_data.write_folder(tmp_path / 'images', tiny_data.images(5))
  (folder / '0002.png').write_bytes(b'no image')
  config = command.load_config(
    'configs/digits.py:tiny',
    {'data.name': 'folder', 'data.dir': str(folder)}
    | {'data.skip_corrupt': True},
  )
  assert training.setup_lib.build(config).dataset.size == 4
  assert '0002.png: skipped' in capfd.readouterr().err


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


@pytest.mark.parametrize('module', [training, sample, evaluate])
def test_help(module, capfd):
  for flag in ('--help', '-h', '--helpfull'):
    with pytest.raises(SystemExit) as leaving:
      command.run(module.main, ['', flag])
    assert leaving.value.code == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) <= 3 and not err
    assert '--workdir=DIR' in out


def test_a_penalty_from_outside_the_package_by_a_flag():
  """Its name has dots, as keys of groups have not."""
  flag = "--config.penalties={'tests.diverging': {'at': 3}}"
  flags = command.parse(
    ['x', '--config=configs/ring8.py:tiny', flag], help_lines=list, config=None
  )
  config = flags.config.to_dict()
  assert config['penalties'] == {'tests.diverging': {'at': 3}}
  assert setup_lib.build(config)
