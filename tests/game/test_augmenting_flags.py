"""Augmentations by flags: what the manual shows, what is refused."""

import jax
import jax.numpy as jnp
import pytest

from gan_jax.game import augmenting, rules
from gan_jax.run import command, setup, unused_options
from gan_jax.run.config import changes, recipe
from gan_jax.types import UserError
from tests.game import test_step_extras as lines

REAL, KEY, BATCH = lines.REAL, lines.KEY, lines.BATCH
NOISE = {'name': 'instance_noise', 'sigma': 1.0}
APA = {'name': 'apa', 'p': 1.0, 'adaptive': False}
LINE = {
  'name': 'linear_schedule',
  'init_value': 2.0,
  'end_value': 0.0,
  'transition_steps': 10,
}


def config_of(augment, **changed):
  """A config of ring8 with this augmentation."""
  changed = {'augment': augment} | changed
  return command.load_config('configs/ring8.py:tiny', changed)


def test_the_manual_s_flags():
  """A probability that rises by a line, and strengths of their own."""
  config = recipe.load('digits:tiny')
  rising = {**LINE, 'init_value': 0.0, 'end_value': 0.3}
  flags = {
    'augment.name': 'ada',
    'augment.adaptive': 'False',
    'augment.groups': 'blit,geom,color,cutout',
    'augment.p': str(rising),
    'augment.brightness': '.5',
  }
  changes.override(config, flags.items())()
  built = setup.build(config.to_dict())
  assert built.rules().game.augment.at is not None


def test_a_chain_by_flags():
  config = recipe.load('ring8:tiny')
  flags = {
    'augment.name': 'apa',
    'augment.p': '0.5',
    'augment.adaptive': 'False',
    'augment.then.name': 'instance_noise',
    'augment.then.sigma': '0.3',
  }
  changes.override(config, flags.items())()
  assert config.augment.then.to_dict() == {
    'name': 'instance_noise', 'sigma': 0.3,
  }  # fmt: skip
  setup.build(config.to_dict())
  late = {
    'augment.then.name': 'apa',
    'augment.p': str(LINE),
    'augment.synced': 'True',
  }
  lines_ = changes.override(config, late.items())()
  assert lines_ == ['augment.then.name=apa: left out sigma, which apa lacks']
  assert config.augment.p.name == 'linear_schedule'
  more = {'augment.p': '0.25', 'augment.name': 'instance_noise'}
  assert changes.override(config, more.items())() == [
    'augment.name=instance_noise: left out adaptive, which instance_noise lacks'
  ]
  assert config.augment.synced is True and config.augment.then.name == 'apa'


MISTAKES = {
  'no such file': ({'name': 'nois'}, "augment.name='nois'.*instance_noise"),
  'none that follows': (
    {**NOISE, 'then': {'name': 'adda'}}, "augment.then.name='adda'.*ada",
  ),
  'no group': ({**NOISE, 'then': 'ada'}, "augment.then='ada': .* a group"),
  'option': ({**NOISE, 'gama': 1.0}, 'augment.*gama: unknown.*sigma'),
  'of the next one': (
    {**NOISE, 'then': {'name': 'apa', 'hue': 1.0}},
    'augment.then apa.hue: unknown',
  ),
  'synced twice': (
    {**NOISE, 'then': {**NOISE, 'synced': True}}, 'augment.then.synced=True',
  ),
  'synced': ({**NOISE, 'synced': 1}, 'augment.synced=1: .*True or False'),
  'p above 1': ({'name': 'apa', 'p': 1.5}, r'augment.p=1.5: .* from 0 to 1'),
  'p of flips': ({'name': 'flip', 'p': -0.5}, 'augment.p=-0.5'),
  'p of the next one': (
    {**NOISE, 'then': {'name': 'ada', 'p': 2.0}}, 'augment.then.p=2.0',
  ),
  'schedule of the next one': (
    {**NOISE, 'then': {**APA, 'p': {'name': 'lin'}}}, 'augment.then.p.name=',
  ),
  'p of a schedule': (
    {'name': 'apa', 'adaptive': False, 'p': LINE}, r'augment.p=2.0: expected',
  ),
  'strength': (
    {'name': 'ada', 'hue': -1.0}, r'augment.hue=-1.0: expected at least 0',
  ),
  'target': ({'name': 'ada', 'target': 3.0}, r'augment.target=3.0: .* -1 to 1'),
  'kimg': ({'name': 'apa', 'kimg': 0.0}, 'augment.kimg=0.0: .* more than 0'),
  'interval': ({'name': 'apa', 'interval': 0}, 'augment.interval=0'),
  'mixture': ({'name': 'cutmix', 'p': 7.0}, 'augment.p=7.0'),
  'sigma': ({**NOISE, 'sigma': -0.1}, 'augment.sigma=-0.1'),
  'beta': ({'name': 'diffusion_noise', 'beta_end': 2.0}, 'augment.beta_end='),
  'hole': ({'name': 'diffaugment', 'cutout': 1.5}, 'augment.cutout=1.5'),
}  # fmt: skip


@pytest.mark.parametrize('name', MISTAKES)
def test_mistakes_are_one_line(name):
  augment, words = MISTAKES[name]
  given = rules.Given((2,), 0, jnp.float32, batch_size=8)
  with pytest.raises(UserError, match=words) as error:
    rules.make(rules.complete(config_of(augment)), given)
  assert '\n' not in str(error.value)


AT_ONCE = {
  'points': ({'name': 'ada'}, 'augment.name=ada: expected images'),
  'points of the next one': (
    {**NOISE, 'then': {'name': 'cutmix'}}, 'augment.then.name=cutmix: ex',
  ),
  'times': (
    {'name': 'diffusion_noise', 'times': 'late'},
    "augment.times='late': expected one of priority, uniform",
  ),
  'none is the largest': (
    {'name': 'diffusion_noise', 't_min': 2000}, 'augment.t_min=2000: .*t_max',
  ),
}  # fmt: skip


@pytest.mark.parametrize('name', AT_ONCE)
def test_what_samples_decide_is_told_before_the_training(name):
  augment, words = AT_ONCE[name]
  with pytest.raises(UserError, match=words) as error:
    setup.build(config_of(augment))
  assert '\n' not in str(error.value)


IMAGES = jnp.zeros((2, 4, 4, 5))


def test_colours_of_other_channels_are_refused_by_name():
  two = jax.random.split(KEY, 2)
  made = lambda **kw: augmenting.make({'name': 'ada', **kw})
  with pytest.raises(UserError, match=r'augment.groups=.*color .* 1 or 3 .* 5'):
    made().apply(IMAGES, made().init(), key=two)
  own = made(groups='blit,geom')
  assert (
    jax.eval_shape(lambda: own.apply(IMAGES, own.init(), key=two)).shape
    == IMAGES.shape
  )
  with pytest.raises(UserError, match="augment.groups='paint': expected some"):
    made(groups='paint').apply(IMAGES, made().init(), key=two)


UNUSED = {
  'target': ({**APA, 'target': 0.5}, 'augment.target=0.5', {**APA}),
  'schedule': (
    {'name': 'apa', 'p': {**LINE, 'init_value': 0.5}}, 'augment.p.name=',
    {'name': 'apa', 'p': 0.5},
  ),
  'of the next one': (
    {**NOISE, 'then': {**APA, 'kimg': 7.0}}, 'augment.then.kimg=7.0',
    {**NOISE, 'then': {**APA, 'kimg': 500.0}},
  ),
}  # fmt: skip


@pytest.mark.parametrize('name', UNUSED)
def test_what_would_be_ignored_is_refused(name):
  augment, words, other = UNUSED[name]

  def check(augment):
    config = config_of(augment)
    unused_options.check_training(config, setup.build(config))

  with pytest.raises(UserError, match=f'{words}.*would be ignored'):
    check(augment)
  check(other)
