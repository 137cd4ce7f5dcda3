"""A wrong flag, config or data set is told in one line; nothing is written."""

import numpy as np
import pytest

from gan_jax import train
from gan_jax.run import command, training
from tests import tiny_data
from tests.run import test_commands
from tests.run.test_commands import DIGITS, RING, complaint

clone = test_commands.clone


WIDE = 'model.d.hidden'


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
  ('--config.loss.smoothing=high', ("loss.smoothing='high'", 'a number')),
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
  (
    '--config.dynamics.name=both',
    ("dynamics.name='both'", 'alternating', 'simultaneous'),
  ),
  ('--config.dtype=int8', ("dtype='int8'", 'bfloat16')),
  ('--config.parallel=xmap', ("parallel='xmap'", 'shard_map')),
  ('--config.data.name=nothere', ("data.name='nothere'", 'ring8', 'mnist')),
  ('--config.data.name=ring9', ("did you mean 'ring8'",)),
  ('--config.data.name=no.such.module', ('no.such.module', 'ring8')),
  ('--config.data.colour=3', ('data.colour', 'radius')),
  ('--config.data.size=-3', ('size',)),
  ('--config.data.memory_mb=lots', ('memory_mb', 'lots')),
  ('--config.data.flip=True', ('flip', 'images')),
  ('--config.model.name=foo', ("model.name='foo'", 'dcgan', 'mlp')),
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
    (
      ('dynamics.name=simultaneous', 'd_steps=2'),
      ('d_steps=2', 'simultaneous'),
    ),
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
    'lacks data, model',
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
    ('configs/nothere.py', ('configs/nothere.py', 'recipes:', 'ring8')),
    ('rign8', ('rign8', 'recipes:', 'ring8')),
    ('configs', ('configs: no such', 'ring8')),
    ('', ('--config is missing',)),
    ('configs/ring8.py:tinny', ('tinny', "'tiny'")),
  ],
)
def test_a_config_that_is_not_there(config, words, tmp_path, capfd):
  refused(capfd, tmp_path, f'--config={config}', words=words)


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
