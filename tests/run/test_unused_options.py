"""An option that would do nothing beside the others is an error."""

import json
import pathlib

import pytest

from gan_jax import train
from gan_jax.run import command, setup, unused_options
from gan_jax.run.planning import described
from gan_jax.run.workdir import claims
from gan_jax.study import plan
from gan_jax.types import UserError
from tests.run.test_commands import RING, complaint
from tests.study.test_study_plan import write

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = sorted(p.stem for p in (ROOT / 'configs').glob('[!_]*.py'))
RECIPES.remove('common')


@pytest.fixture(autouse=True)
def clone(monkeypatch):
  monkeypatch.chdir(ROOT)


def check(changes, recipe='ring8'):
  config = command.load_config(f'configs/{recipe}.py:tiny', changes)
  unused_options.check_run(config)
  unused_options.check_training(config, setup.build(config))


SGD = {'name': 'sgd', 'learning_rate': 0.1}
COSINE = {'name': 'cosine_decay_schedule', 'decay_steps': 9}
WARM = {'name': 'warmup_cosine_decay_schedule', 'warmup_steps': 1}
WARM |= {'decay_steps': 9, 'init_value': 0.0}
GOAL = {'metric': 'modes', 'above': 3}
# What is refused, what is named; and nearly the same that is not.
PAIRS = {
  'protocol': (
    {'protocol': 'clean-10k-test', 'features': 'pixels'},
    "features='pixels' would be ignored: protocol=",
    {'features': 'pixels'},
  ),
  'rollback': (
    {'on_divergence': 'rollback', 'max_rollbacks': 0},
    "on_divergence='rollback' would be ignored: max_rollbacks=0",
    {'on_divergence': 'rollback'},
  ),
  'goal': (
    {'stop_when': GOAL, 'eval_every': 0},
    'stop_when=.* eval_every=0',
    {'stop_when': GOAL},
  ),
  'metric_options': (
    {'metrics': ('fid',), 'metric_options': {'prdc': {'k': 3}}},
    'metric_options.prdc.k would be ignored: metrics=fid does not take it',
    {'metrics': ('fid', 'coverage'), 'metric_options': {'prdc': {'k': 3}}},
  ),
  'coefficient': (
    {'penalties': {'r1': {'gamma': 0.0}}},
    'penalties.r1 would be ignored: gamma=0',
    {'penalties': {'r1': {'gamma': 1e-9}}},
  ),
  'variant': (
    {'penalties': {'dragan': {'c': 3.0}}},
    'penalties.dragan.c=3.0 would be ignored',
    {'penalties': {'dragan': {'c': 3.0, 'variant': 'paper'}}},
  ),
  'average': (
    {'ema': {'halflife_kimg': 0.0, 'rampup': 0.5}},
    'ema.rampup=0.5 would be ignored: halflife_kimg=0',
    {'ema': {'halflife_kimg': 0.0, 'rampup': 0.05}},
  ),
  'rate': (
    {'optim.g.schedule': {**COSINE, 'init_value': 0.5}},
    'optim.g.learning_rate=0.001 would be ignored: schedule.init_value=0.5',
    {'optim.g.schedule': COSINE},
  ),
  'peak': (
    {'optim.d.schedule': {**WARM, 'peak_value': 0.5}},
    'optim.d.learning_rate=0.001 would be ignored: schedule.peak_value=0.5',
    {'optim.d.schedule': WARM},
  ),
  'momentum': (
    {'optim.g': {**SGD, 'nesterov': True}},
    'optim.g.nesterov=True would be ignored: there is no momentum',
    {'optim.g': {**SGD, 'nesterov': True, 'momentum': 0.9}},
  ),
  'norm': (  # none on the layer that sees the sample
    {'model.d.hidden': (8,), 'model.d.norm': 'batch', 'penalties': {}},
    "model.d.norm='batch' would be ignored",
    {'model.d.hidden': (8, 8), 'model.d.norm': 'batch', 'penalties': {}},
  ),
  'activation': (
    {'model.g.hidden': (), 'model.g.activation': 'elu'},
    "model.g.activation='elu' would be ignored",
    {'model.g.hidden': (8,), 'model.g.activation': 'elu'},
  ),
}


@pytest.mark.parametrize('name', PAIRS)
def test_what_would_be_ignored_is_refused(name):
  changes, words, others = PAIRS[name]
  with pytest.raises(UserError, match=words) as error:
    check(changes)
  assert '\n' not in str(error.value)
  check(others)


OWN_MODEL = """
import flax.linen as nn
class Generator(nn.Module):
  shape: tuple
  @nn.compact
  def __call__(self, z, label=None, *, train): return nn.Dense(2)(z)
class Discriminator(nn.Module):
  slope: float = 1.0
  @nn.compact
  def __call__(self, x, label=None, *, train):
    return self.slope * nn.Dense(1)(x)[:, 0]
"""
SAYS_SO = """
def ignored(options):
  return 'd.slope' if options['d'].get('slope') == 2.0 else ''
"""


@pytest.fixture
def own_model(tmp_path, monkeypatch):
  monkeypatch.syspath_prepend(tmp_path)

  def write(name, more=''):
    (tmp_path / 'own_models').mkdir(exist_ok=True)
    path = tmp_path / 'own_models' / f'{name}.py'
    path.write_text(OWN_MODEL + more)
    return {'name': f'own_models.{name}', 'g': {}, 'd': {'slope': 2.0}}

  return write


def test_a_model_of_ones_own_says_what_it_ignores(own_model):
  check({'model': own_model('reads')})
  with pytest.raises(UserError, match=r'model.d.slope=2.0 would be ignored'):
    check({'model': own_model('ignores', SAYS_SO)})


def test_a_dtype_that_no_network_takes(own_model):
  model = own_model('narrow')
  with pytest.raises(UserError, match="dtype='bfloat16' would be ignored"):
    check({'model': model, 'dtype': 'bfloat16'})
  check({'dtype': 'bfloat16'})


def test_a_default_that_means_the_same_is_no_mistake():
  """() stands for the widths that suit the image: they may be given, too."""
  check({'model.g.widths': (128, 64), 'model.d.widths': (64, 128)}, 'digits')


@pytest.mark.parametrize('recipe', RECIPES)
def test_recipes_have_no_such_options(recipe):
  config = command.load_config(f'configs/{recipe}.py')
  unused_options.check_run(config)
  unused_options.check_training(config, described.setup(config))


def test_it_is_told_before_anything_is_written(tmp_path, capfd):
  workdir = tmp_path / 'run'
  argv = [RING, f'--workdir={workdir}', '--config.penalties.r1.gamma=0.']
  assert 'penalties.r1' in complaint(capfd, train.main, *argv)
  assert not workdir.exists()


def test_a_run_that_has_begun_with_it_goes_on(tmp_path):
  """By an earlier version: to refuse it would be to lose it."""
  changes = {'penalties': {'dragan': {'c': 3.0}}}
  config = command.load_config('configs/ring8.py:tiny', changes)
  built = setup.build(config)
  with pytest.raises(UserError, match='would be ignored'):
    claims.check_used(tmp_path, config, built)
  (tmp_path / 'config.json').write_text(json.dumps(config))
  claims.check_used(tmp_path, config, built)


def test_a_study_is_told_which_cell(tmp_path):
  factors = {'penalties.r1.gamma': (0.1, 0.0)}
  with pytest.raises(UserError, match="cell '.*': penalties.r1 would be"):
    plan.load(write(tmp_path / 'mine', factors=factors))
