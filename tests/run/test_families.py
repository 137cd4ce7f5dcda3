"""Recipes that come in variants: each is a game of the published networks."""

import importlib

import jax
import jax.numpy as jnp
import pytest

from gan_jax.game import beginning, rules
from gan_jax.run.config import library, recipe
from gan_jax.types import UserError
from tests.components import golden

SIZES = {
  'mnist': (28, 10),
  'cifar10': (32, 10),
  'celeb_a': (0, 0),
  'imagenet2012': (0, 1000),
}
# What G and D learn at the published sizes. Those of golden.CASES are from
# their authors' code, the others are ours by the same rule.
COUNTS = {
  'biggan:cifar10': (9_416_196, 2_415_170),
  'biggan:imagenet64': (70_377_348, 45_511_970),
  'biggan:imagenet128': (70_433_988, 87_982_370),
  'biggan:imagenet256': (82_235_844, 99_225_890),
  'biggan_deep:cifar10': (7_762_948, 2_908_930),
  'biggan_deep:imagenet64': (32_935_812, 20_951_554),
  'biggan_deep:imagenet128': (50_244_484, 34_590_210),
  'biggan_deep:imagenet256': (55_736_708, 38_247_426),
  'dcgan:cifar10': (1_183_619, 663_361),
  'infogan:mnist': (6_645_121, 6_691_021),
  'sagan:cifar10': (4_386_308, 1_075_586),
  'sagan:imagenet128': (42_078_852, 30_062_338),
  'sngan:cifar10': (4_276_739, 1_053_825),
  'sngan:cifar10_conditional': (4_304_387, 1_055_105),
  'sngan:stl10': (4_878_083, 10_141_441),
  'sngan:celeba64': (12_220_675, 10_141_441),
  'sngan:imagenet128': (41_996_931, 30_041_857),
  'wgan_gp:cifar10': (1_204_483, 1_053_825),
  'wgan_gp:lsun64': (8_540_483, 7_491_841),
}


def families():
  """{name: its module} of the recipes with variants."""
  library.make_importable(library.folder() / 'common.py')
  files = {n: importlib.import_module(f'configs.{n}') for n in library.names()}
  return {n: file for n, file in files.items() if hasattr(file, 'VARIANTS')}


VARIANTS = [f'{n}:{v}' for n, file in families().items() for v in file.VARIANTS]


def given(config):
  """What the data set of a recipe, which is not at hand, would be like."""
  size, classes = SIZES.get(config.data.name, (0, 0))
  size = config.data.get('image_size', size)
  classes = classes if config.conditional else 0
  channels = 1 if config.data.name == 'mnist' else 3
  return rules.Given(
    (size, size, channels), classes, jnp.float32, config.batch_size
  )


def begun(name):
  """The shapes of a recipe's first state."""
  config = recipe.load(name)
  like = given(config)
  made = rules.make(rules.complete(config.to_dict()), like)
  one = {'x': jnp.zeros((1, *like.shape)), 'index': jnp.zeros(1, int)}
  if like.num_classes:
    one['label'] = jnp.zeros(1, int)
  init = lambda key: beginning.init(made.game, key, one)
  return jax.eval_shape(init, jax.random.key(0))


def test_every_variant_has_its_counts():
  assert set(COUNTS) == set(VARIANTS)


@pytest.mark.parametrize('name', VARIANTS)
def test_published_networks(name):
  players = begun(name).players
  count = lambda p: sum(x.size for x in jax.tree.leaves(players[p].params))
  assert (count('g'), count('d')) == COUNTS[name]


def test_published_counts_are_among_the_golden_ones():
  ours = {counts for name, counts in COUNTS.items()}
  theirs = {case.counts for case in golden.CASES if case.source != 'here'}
  assert len(ours & theirs) >= 10


@pytest.mark.parametrize('name', VARIANTS)
def test_a_tiny_variant_is_thin_and_short(name):
  config, whole = recipe.load(f'{name}:tiny'), recipe.load(name)
  assert config.steps < whole.steps
  assert config.data == whole.data and config.loss == whole.loss
  assert config.model.name == whole.model.name


@pytest.mark.parametrize('name', families())
def test_the_first_variant_is_the_usual_one(name):
  first, *_ = families()[name].VARIANTS
  assert recipe.load(name) == recipe.load(f'{name}:{first}')
  assert recipe.load(f'{name}:tiny') == recipe.load(f'{name}:{first}:tiny')


def test_an_unknown_variant_is_refused_with_those_that_there_are():
  for wrong in ('cifar', 'cifar10:small', 'tiny:tiny', 'tiny:cifar10'):
    with pytest.raises(
      UserError, match="there are cifar10, .*each with ':tiny"
    ):
      recipe.load(f'sngan:{wrong}')
