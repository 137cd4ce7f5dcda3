"""Parameters of published networks, counted from their authors' code."""

import functools
import importlib
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.conditioning import inner_product

# Where a figure is from: the authors' modules, or a well-known library's.
SNP = 'pfnet-research/sngan_projection'
WGP = 'igul222/improved_wgan_training'
MIMICRY = 'kwotsin/mimicry'
STUDIO = 'POSTECH-CVLab/PyTorch-StudioGAN'
BIGGAN = 'ajbrock/BigGAN-PyTorch'
R3 = 'brownvc/R3GAN'
R32 = 'IFeelBloated/R3GAN2'
GAT = 'hse1032/GAT'
NVLABS = 'NVlabs/stylegan3'


class Case(NamedTuple):
  """A configuration, and how many scalars G and D learn."""

  model: str
  source: str
  shape: tuple[int, ...]  # of a sample
  latent: int
  counts: tuple[int, int]
  num_classes: int = 0
  g: dict = {}
  d: dict = {}
  levels: int = 1  # images that D sees at once, stacked in channels


def square(size: int) -> tuple[int, int, int]:
  """Of pictures of three colours."""
  return size, size, 3


LATENTS = 32, 32, 4  # of an autoencoder of pictures of 256 pixels


def embedded(width: int) -> int:
  """Scalars of GAT's layer from patches of 2 x 2 latents to tokens."""
  return (2 * 2 * 4 + 1) * width


def foretold(width: int) -> int:
  """Scalars of its perceptron from tokens to DINOv2's 768 features."""
  sizes = width, 2048, 2048, 768
  return sum((n + 1) * m for n, m in itertools.pairwise(sizes))


def of(width: int) -> dict:
  """A head that compares vectors of that width."""
  return {'head': functools.partial(inner_product.Head, dim=width)}


CALM = {'attention': (0,)}
UNSHARED = {'unit': 64, 'shared': 0, 'hierarchical': False}
THIN = {'unit': 48}
LEARNED = {'learned_shortcut': True}
WIDER = {'widths': (1536,) * 5, 'group': 32}
FLAT = {'mapping_layers': 2}
ORIG = {'architecture': 'orig'}
TURNING = {'rotation': True}
HALF = {'channel_base': 16384}
WGP_D = {'norm': 'none', 'pool': 'mean'}
CASES = [
  Case(
    'sndcgan', STUDIO, square(32), 128, (3_812_355, 2_931_009),
    d={'norm': 'batch'},
  ),
  Case('sngan', SNP, square(32), 128, (4_276_739, 1_053_825)),
  Case('sngan', SNP, square(32), 128, (4_304_387, 1_055_105), 10),
  Case('sngan', SNP, square(32), 128, (4_580_867, 1_066_625), 100),
  Case('sngan', SNP, square(32), 128, (7_345_667, 1_181_825), 1000),
  Case('sngan', SNP, square(64), 128, (12_220_675, 10_141_441)),
  Case('sngan', SNP, square(128), 128, (32_150_787, 29_017_857)),
  Case('sngan', SNP, square(128), 128, (41_996_931, 30_041_857), 1000),
  Case(
    'sngan', WGP, square(32), 128, (1_204_483, 1_053_825),
    g={'widths': (128,) * 4}, d=WGP_D,
  ),
  Case(  # their critic ends with an auxiliary classifier, not by projection
    'sngan', WGP, square(32), 128, (1_218_307, 1_055_105), 10,
    {'widths': (128,) * 4}, WGP_D,
  ),
  Case('sagan', MIMICRY, square(32), 128, (4_386_308, 1_075_586), 10),
  Case(
    'biggan', STUDIO, square(32), 80, (9_416_196, 2_415_170), 10, d=THIN
  ),
  Case('biggan', STUDIO, square(32), 80, (8_825_092, 2_413_250), d=THIN),
  Case(
    'biggan', BIGGAN, square(32), 128, (4_304_387, 4_207_361), 10,
    UNSHARED | CALM, CALM | {'unit': 64},
  ),
  Case('biggan', BIGGAN, square(128), 120, (70_433_988, 87_982_370), 1000),
  Case('biggan', BIGGAN, square(256), 140, (82_235_844, 99_225_890), 1000),
  Case(
    'biggan_deep', BIGGAN, square(32), 128, (7_435_267, 2_581_249), 10,
    CALM, CALM,
  ),
  Case('biggan_deep', STUDIO, square(32), 128, (7_762_948, 2_908_930), 10),
  Case(
    'biggan_deep', STUDIO, square(32), 128, (9_338_884, 3_177_730), 10,
    LEARNED, LEARNED | {'widths': (1, 4, 4, 4)},
  ),
  Case('biggan_deep', BIGGAN, square(128), 128, (50_244_484, 34_590_210), 1000),
  Case('r3gan', R3, square(32), 64, (20_732_160, 20_683_776)),
  Case('r3gan', R3, square(32), 64, (20_781_952, 21_280_512), 10),
  Case('r3gan', R3, square(256), 64, (23_057_952, 23_009_568)),
  Case(
    'r3gan', R3, square(64), 64, (103_570_432, 107_205_120), 1000, WIDER, WIDER
  ),
  Case('r3gan2', R32, square(32), 64, (17_335_425, 17_720_832), 10, d=of(512)),
  Case('r3gan2', R32, square(64), 64, (22_653_441, 22_572_544)),
  Case('r3gan2', R32, square(256), 64, (24_855_425, 24_771_456)),
  Case(
    'r3gan2', R32, square(32), 64, (60_947_969, 63_718_400), 1000,
    {'widths': (1024,) * 3}, {'widths': (1024,) * 3} | of(1024),
  ),
  Case(
    'r3gan2', R32, square(64), 64, (80_104_961, 82_867_200), 1000,
    {'widths': (1024,) * 4}, {'widths': (1024,) * 4} | of(1024),
  ),
  # Theirs have an embedding of patches in G, whose output is multiplied by 0,
  # and a head of DINOv2's features in D; of both we have none.
  Case(
    'gat', GAT, LATENTS, 64,
    (29_263_040 - embedded(384), 39_114_624 - foretold(384)), 1000, levels=4,
  ),
  Case(
    'gat', GAT, LATENTS, 64,
    (601_956_224 - embedded(1152), 467_383_872 - foretold(1152)),
    1000, {'size': 'xl'}, {'size': 'xl'}, levels=4,
  ),
  Case('stylegan2', NVLABS, square(32), 512, (19_947_539, 21_507_073), g=FLAT),
  Case(
    'stylegan2', NVLABS, square(32), 512, (20_215_315, 23_876_096), 10, FLAT
  ),
  Case(
    'stylegan2', NVLABS, square(32), 512, (19_947_539, 20_720_641),
    g=FLAT, d=ORIG,
  ),
  Case(
    'stylegan2', NVLABS, square(32), 512, (20_215_315, 23_089_664), 10,
    FLAT, ORIG,
  ),
  Case('stylegan2', NVLABS, square(256), 512, (30_034_338, 28_864_129)),
  Case('stylegan2', NVLABS, square(1024), 512, (30_370_060, 29_012_513)),
  Case(
    'stylegan2', NVLABS, square(256), 512, (24_767_458, 24_001_089),
    g=HALF, d=HALF,
  ),
  Case('stylegan3', NVLABS, square(256), 512, (28_472_133, 28_864_129)),
  Case('stylegan3', NVLABS, square(1024), 512, (22_313_167, 29_012_513)),
  Case(
    'stylegan3', NVLABS, square(256), 512, (18_816_387, 28_864_129), g=TURNING
  ),
  Case(
    'stylegan3', NVLABS, square(1024), 512, (15_093_151, 29_012_513), g=TURNING
  ),
  Case(
    'stylegan3', STUDIO, square(32), 512, (38_035_975, 23_089_664), 10, d=ORIG
  ),
  Case(
    'stylegan3', STUDIO, square(32), 512, (24_420_871, 23_089_664), 10,
    TURNING, ORIG,
  ),
]  # fmt: skip
# By hand: of 62 numbers and 12 of codes to 1024, 7 x 7 x 128, 64, 1.
CASES.append(Case('infogan', 'here', (28, 28, 1), 74, (6_645_121, 6_558_017)))
# Ours: square images, latents of 64 numbers, default options.
OURS = {
  'dcgan': {
    8: (167_299, 134_977),
    28: (535_939, 140_737),
    32: (921_475, 663_361),
    64: (3_281_795, 2_765_633),
    128: (7_477_123, 6_960_961),
  },
  'mlp': {
    8: (49_600, 41_345),
    28: (328_240, 317_825),
    32: (421_120, 409_985),
    64: (1_609_984, 1_589_633),
    128: (6_365_440, 6_308_225),
  },
}
CASES += [
  Case(name, 'here', square(size), 64, counts)
  for name, sizes in OURS.items()
  for size, counts in sizes.items()
]


def networks(case: Case, **common):
  """(G, D) of a case."""
  module = importlib.import_module(f'gan_jax.models.{case.model}')
  common |= {'num_classes': case.num_classes}
  return (
    module.Generator(shape=case.shape, **case.g, **common),
    module.Discriminator(**case.d, **common),
  )


def shapes(pair, latent, label=None, levels=1):
  """((samples, G's variables), (logits, D's variables)) of two samples.

  D is shown each sample so many times, stacked in channels.
  """
  g, d = pair

  def run(key):
    z = jnp.ones((2, latent))
    sample = g.init_with_output(key, z, label, train=True)
    shown = jnp.concatenate([sample[0]] * levels, axis=-1)
    return sample, d.init_with_output(key, shown, label, train=True)

  return jax.eval_shape(run, jax.random.key(0))


def count(variables) -> int:
  """Of the scalars that are learnt."""
  return sum(a.size for a in jax.tree.leaves(variables['params']))
