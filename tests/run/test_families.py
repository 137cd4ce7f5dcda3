"""Recipes that come in variants: each is a game of the published networks."""

import importlib
import json

import jax
import jax.numpy as jnp
import pytest

from gan_jax.game import beginning, rules
from gan_jax.run.config import library, recipe
from gan_jax.types import UserError
from tests.bad_input import ROOT
from tests.components import golden

SIZES = {
  'digits': (8, 10),
  'mnist': (28, 10),
  'cifar10': (32, 10),
  'celeb_a': (0, 0),
  'imagenet2012': (0, 1000),
}
# What G and D learn at the published sizes. Those of golden.CASES are from
# their authors' code, the others are ours by the same rule.
COUNTS = {
  'biggan:cifar10': (9_416_196, 2_415_170),
  'biggan:digits': (55_522, 49_314),
  'biggan:imagenet64': (70_377_348, 45_511_970),
  'biggan:imagenet128': (70_433_988, 87_982_370),
  'biggan:imagenet256': (82_235_844, 99_225_890),
  'biggan_deep:cifar10': (7_762_948, 2_908_930),
  'biggan_deep:digits': (125_634, 33_538),
  'biggan_deep:imagenet64': (32_935_812, 20_951_554),
  'biggan_deep:imagenet128': (50_244_484, 34_590_210),
  'biggan_deep:imagenet256': (55_736_708, 38_247_426),
  'dcgan:cifar10': (1_183_619, 663_361),
  'gat:digits': (75_576, 62_664),
  'gat:s': (29_256_512, 32_556_160),
  'gat:b': (116_545_088, 97_135_360),
  'gat:l': (408_469_024, 314_904_544),
  'gat:xl': (601_936_640, 459_252_544),
  'infogan:mnist': (6_645_121, 6_691_021),
  'infogan:mnist_thin': (450_753, 453_549),
  'r3gan:cifar10': (20_781_952, 21_280_512),
  'r3gan:digits': (59_040, 55_648),
  'r3gan:ffhq64': (22_429_824, 22_381_440),
  'r3gan:ffhq256': (23_057_952, 23_009_568),
  'r3gan:imagenet32': (82_914_304, 86_548_992),
  'r3gan:imagenet64': (103_570_432, 107_205_120),
  'r3gan2:cifar10': (17_335_425, 17_720_832),
  'r3gan2:ffhq64': (22_653_441, 22_572_544),
  'r3gan2:ffhq256': (24_855_425, 24_771_456),
  'r3gan2:imagenet32': (60_947_969, 63_718_400),
  'r3gan2:imagenet64': (80_104_961, 82_867_200),
  'sagan:cifar10': (4_386_308, 1_075_586),
  'sagan:digits': (47_522, 49_314),
  'sagan:imagenet128': (42_078_852, 30_062_338),
  'sngan:cifar10': (4_276_739, 1_053_825),
  'sngan:cifar10_conditional': (4_304_387, 1_055_105),
  'sngan:digits': (46_241, 48_033),
  'sngan:stl10': (4_878_083, 10_141_441),
  'sngan:celeba64': (12_220_675, 10_141_441),
  'sngan:imagenet128': (41_996_931, 30_041_857),
  'stylegan2:cifar10': (20_215_315, 23_089_664),
  'stylegan2:digits': (37_093, 49_056),
  'stylegan2:ffhq64': (23_819_544, 23_407_361),
  'stylegan2:ffhq256': (24_767_458, 24_001_089),
  'stylegan2:ffhq512': (30_276_583, 28_982_849),
  'stylegan2:ffhq1024': (30_370_060, 29_012_513),
  'stylegan3:digits': (67_557, 49_056),
  'stylegan3:t256': (28_472_133, 28_864_129),
  'stylegan3:t512': (24_873_519, 28_982_849),
  'stylegan3:t1024': (22_313_167, 29_012_513),
  'stylegan3:r256': (18_816_387, 28_864_129),
  'stylegan3:r512': (16_665_594, 28_982_849),
  'stylegan3:r1024': (15_093_151, 29_012_513),
  'wgan_gp:cifar10': (1_204_483, 1_053_825),
  'wgan_gp:digits': (46_241, 48_033),
  'wgan_gp:lsun64': (8_540_483, 7_491_841),
}


def families():
  """{name: its module} of the recipes with variants."""
  library.make_importable(library.folder() / 'common.py')
  files = {n: importlib.import_module(f'configs.{n}') for n in library.names()}
  return {n: file for n, file in files.items() if hasattr(file, 'VARIANTS')}


RECORDS = [
  json.loads(line)
  for line in (ROOT / 'experiments/recipes/results.jsonl')
  .read_text()
  .splitlines()
]
VARIANTS = [f'{n}:{v}' for n, file in families().items() for v in file.VARIANTS]


def given(config):
  """What the data set of a recipe, which is not at hand, would be like."""
  if 'shape' in config.data:
    shape, classes = config.data.shape, config.data.classes
    return rules.Given(shape, classes, jnp.float32, config.batch_size)
  size, classes = SIZES.get(config.data.name, (0, 0))
  size = config.data.get('image_size', size)
  classes = classes if config.conditional else 0
  channels = 1 if config.data.name in ('digits', 'mnist') else 3
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


def own_scores(name):
  """What the header of a variant's file has in the column 'our own'."""
  file, _, variant = name.partition(':')
  rows = [
    [cell.strip() for cell in line.strip('| ').split('|')]
    for line in families()[file].__doc__.splitlines()
    if line.startswith('| ')
  ]
  (cell,) = [own for names, _, own in rows if variant in names.split(', ')]
  return cell


@pytest.mark.parametrize('name', VARIANTS)
def test_own_scores_are_those_on_record(name):
  records = [r for r in RECORDS if r['recipe'] == name]
  cell = own_scores(name)
  assert bool(records) != cell.startswith('unverified')
  for r in records:
    assert r['step'] == recipe.load(name).steps
    assert f'{r["metric"]} {r["value"]:.3g}' in cell


@pytest.mark.parametrize('name', VARIANTS)
def test_a_tiny_variant_is_thin_and_short(name):
  config, whole = recipe.load(f'{name}:tiny'), recipe.load(name)
  assert config.steps < whole.steps
  assert config.loss == whole.loss
  assert config.data == recipe.load('digits').data
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
