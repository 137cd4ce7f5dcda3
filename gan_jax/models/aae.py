"""Adversarial autoencoder: Makhzani et al. 2016, arXiv 1511.05644, Section 2.

Here the code is what is real or fake: D tells latents of the prior from the
codes of samples, and the encoder is what in another GAN would be the generator.
The player g is the decoder, as it makes samples of latents in every model: it
is what is sampled, averaged and scored. Both move along the sum of their
losses. What is called g's adversarial loss is of D's logits of the codes, so
that it moves E alone; the decoder learns by the reconstruction alone, which is
a term and has to be there:

  penalties={'reconstruction': {}}
"""

from collections.abc import Callable

from gan_jax.models import bigan, mlp
from gan_jax.models.layers import codes

KINDS = ('image', 'point')  # of samples
WIDE = 1000, 1000  # hidden layers, as the paper's of MNIST


class Generator(mlp.Generator):
  """The decoder: latents [B, Z] to samples [B, *shape], as that of `mlp`."""

  hidden: tuple[int, ...] = WIDE


class Encoder(bigan.Encoder):
  """Samples to codes [B, Z], as that of `bigan`."""

  hidden: tuple[int, ...] = WIDE
  activation: str = 'relu'
  norm: str = 'none'


class Discriminator(mlp.Discriminator):
  """Codes [B, Z] to logits."""

  hidden: tuple[int, ...] = WIDE


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown latents and codes; the decoder rebuilds."""
  del net
  code = run('e', batch['x'])
  codes.check(code, latent)
  rebuilt = run('g', code, batch.get('label'))
  return latent, code, latent, {'code': code, 'rebuilt': rebuilt}
