"""ALI: Dumoulin et al. 2017, https://arxiv.org/abs/1606.00704, Section 2.

The game of `bigan` with convolutions, and with an encoder that draws: of each
sample it gives a normal law of codes. D looks at the picture by convolutions,
at the code by dense layers, and at what both say by more of them. G is that of
`dcgan`; the paper's maxout and dropout in D are left out.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.models import dcgan
from gan_jax.models.dcgan import Generator  # noqa: F401
from gan_jax.models.layers import blocks, codes, parts, stages
from gan_jax.models.layers.pairs import both_sides as adversarial  # noqa: F401

KINDS = ('image',)  # of samples
ACT = parts.activation('leaky_relu')


def convolved(part: parts.Parts, x, widths: tuple[int, ...]):
  """Images [B, H, H, C] as features [B, F], halved once for each width."""
  widths = widths or dcgan.default_widths(x.shape[1])
  dcgan.base_size(x.shape[1:], len(widths))
  x = stages.shrunk(part, x, widths=widths)
  return x.reshape(x.shape[0], -1)


class Encoder(nn.Module):
  """Images to normal laws of codes; it knows no labels."""

  latent_size: int  # Z
  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the image
  norm: str = 'batch'
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    """Returns {'mean', 'log_variance'}, each [B, Z] float32."""
    part = parts.of_network(self, train=train, kernel_init=blocks.DCGAN_INIT)
    x = convolved(part, x, self.widths)
    return codes.law(part, x, self.latent_size)


class Discriminator(nn.Module):
  """Pairs of an image [B, H, H, C] and a code [B, Z] to logits."""

  widths: tuple[int, ...] = ()  # fine to coarse; () is sized to the image
  code_hidden: tuple[int, ...] = (512, 512)
  hidden: tuple[int, ...] = (1024, 1024)  # where both meet
  norm: str = 'none'
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, pair, label=None, *, train):
    """Returns the heads of pairs and label [B]."""
    x, code = pair
    label = parts.check_label(label, self.num_classes)
    part = parts.of_network(self, train=train, kernel_init=blocks.DCGAN_INIT)
    x = convolved(part, x, self.widths)
    for i, width in enumerate(self.code_hidden):
      code = ACT(part.dense(width, name=f'code_{i}')(code))
    both = jnp.concatenate([x, code], axis=-1)
    for i, width in enumerate(self.hidden):
      both = ACT(part.dense(width, name=f'hidden_{i}')(both))
    return parts.apply_head(self, part, both, label)


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown pairs; the codes of real images are drawn."""
  del net
  law = run('e', batch['x'])
  codes.check(law['mean'], latent)
  made = run('g', latent, batch.get('label'))
  code = codes.draw(law, batch['key'])
  return (batch['x'], code), (made, latent), latent, {'code': law}
