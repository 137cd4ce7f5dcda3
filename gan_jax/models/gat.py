"""GAT: Scalable GANs with transformers, https://arxiv.org/abs/2509.24935.

Both networks are transformers on patches of images, or of an autoencoder's
latents, with any number of channels. G begins from fixed waves of position;
the latent and the class scale its blocks. It makes an image at several depths,
`levels` of them, each added to those before: the last sum is its sample.

D sees all of these images stacked in channels, the earlier ones under more
noise: level i of n is mixed with a share t_i = 1 - (1/8)^(1 - i / (n - 1)) +
1/100 of it; of a real image it sees n copies under the same noise levels. So D
cannot tell by detail that the earlier images lack. The noise of one level is
built on that of the next, cleaner one. See `play`; D takes as many channels as
it is given, so it judges single images too, in a game of one's own.

Different from the authors' code (hse1032/GAT): D does not learn to foretell
features of DINOv2; G has no embedding of an image that is then multiplied by
zero; augmentations follow the noise, where there they precede it; penalties
are slopes at the noisy stack. The loss is `rpgan` with `r1` and `r2`.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning import inner_product
from gan_jax.models.layers import parts, positions, resnets, transformer
from gan_jax.types import UserError

KINDS = ('image',)  # of samples
LEAST_SIGNAL, LEAST_NOISE = 1 / 8, 1 / 100
HEAD = functools.partial(inner_product.Head, dim=2048, mapping=2)


class Size(NamedTuple):
  """Of both networks."""

  depth: int  # blocks
  width: int  # of tokens
  heads: int


SIZES = {
  's': Size(12, 384, 6),
  'b': Size(12, 768, 12),
  'l': Size(24, 1024, 16),
  'xl': Size(28, 1152, 16),
}


def size_of(net: nn.Module) -> Size:
  """The size of a network, by name and by what it has of its own.

  Raises:
    UserError: an unknown name, or heads that the width cannot be cut into.
  """
  if net.size not in SIZES:
    there = ', '.join(SIZES)
    raise UserError(f"size '{net.size}': expected one of {there}")
  own = {k: getattr(net, k) for k in Size._fields if getattr(net, k)}
  size = SIZES[net.size]._replace(**own)
  if min(size) < 1 or net.patch < 1 or size.width % (4 * size.heads):
    raise UserError(
      f'model gat: depth={size.depth}, width={size.width}, heads={size.heads},'
      f' patch={net.patch}; expected at least 1 of each, and a width that is a'
      ' multiple of four times the heads.'
    )
  return size


def layers(net: nn.Module, train) -> parts.Parts:
  """The layers of a network: Glorot's weights, classes of N(0, 0.02)."""
  return parts.of_network(
    net,
    train=train,
    kernel_init=resnets.GLOROT,
    embed_init=nn.initializers.normal(0.02),
    norm_fields={'spread': 0.0, 'epsilon': 1e-6},
  )


def blocks(part: parts.Parts, size: Size, grid) -> list[nn.Module]:
  """The blocks of a network, coarse to fine or fine to coarse alike."""
  turn = functools.partial(positions.turned, grid=grid)
  block = functools.partial(transformer.Block, part, size.heads, turn)
  return [block(name=f'block_{i}') for i in range(size.depth)]


class Image(nn.Module):
  """Tokens to an image: norm, scaled by a vector, and a linear map."""

  part: parts.Parts
  grid: tuple[int, int]
  patch: int
  channels: int

  @nn.compact
  def __call__(self, x, vector):
    """x [B, T, C], vector [B, V] -> [B, H, W, channels] float32."""
    x = self.part.norm(affine=False, name='norm')(x)
    scale = transformer.modulation(self.part, vector, x.shape[-1])
    features = self.patch**2 * self.channels
    x = self.part.dense(features, name='pixels')(x * (1 + scale[:, None]))
    x = transformer.unpatched(x, self.grid, self.patch)
    return x.astype(jnp.float32)


class Generator(nn.Module):
  """Latent vectors to images, which have no bounds."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  size: str = 's'  # see SIZES
  depth: int = 0  # blocks; 0, also below: as the size has it
  width: int = 0  # of tokens
  heads: int = 0
  patch: int = 2  # rows and columns of a patch
  levels: int = 4  # images, each added to those before
  norm: str = 'rms'
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None, *, train, every_level=False):
    """Images of z [B, Z] and label [B].

    Returns:
      [B, H, W, C] float32; if every level is asked for [B, levels, H, W, C].
    """
    size, grid = size_of(self), transformer.grid_of(self.shape, self.patch)
    if not 1 <= self.levels <= size.depth:
      raise UserError(
        f'levels={self.levels}: expected 1 to {size.depth}, the blocks that'
        ' there are'
      )
    label = parts.check_label(label, self.num_classes)
    part = layers(self, train)
    vector = _style(self, part, z, label, size.width)
    x = jnp.asarray(positions.waves(grid, size.width), self.dtype)[None]
    x = jnp.broadcast_to(x, (len(z), *x.shape[1:]))
    ends = [(i + 1) * size.depth // self.levels for i in range(self.levels)]
    image, images = 0.0, []
    for i, block in enumerate(blocks(part, size, grid)):
      x = block(x, vector)
      if i + 1 in ends:
        name = f'image_{len(images)}'
        end = Image(part, grid, self.patch, self.shape[-1], name=name)
        image += resnets.centre(end(x, vector), self.shape)
        images.append(image)
    return jnp.stack(images, axis=1) if every_level else image


def _style(net, part, z, label, width):
  """What scales G's blocks [B, width]: of the latent, and of the class."""
  both = [z]
  if label is not None:
    embed = part.embed(net.num_classes, z.shape[-1], name='embed')
    both = [embed(label), z]
  unit = lambda x: x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True) + 1e-8)
  vector = jnp.concatenate([unit(x.astype(jnp.float32)) for x in both], axis=-1)
  return inner_product.mapped(part.dense, vector, width, 2)


class Discriminator(nn.Module):
  """Stacked images to logits, by a token that looks at all the others."""

  size: str = 's'  # see SIZES
  depth: int = 0  # blocks; 0, also below: as the size has it
  width: int = 0  # of tokens
  heads: int = 0
  patch: int = 2  # rows and columns of a patch
  norm: str = 'rms'
  num_classes: int = 0
  head: Callable = HEAD  # see gan_jax/conditioning
  axis_name: str | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None, *, train):
    """Returns the heads of images [B, H, W, C] and label [B]."""
    size = size_of(self)
    grid = transformer.grid_of(sample.shape[1:], self.patch)
    label = parts.check_label(label, self.num_classes)
    part = layers(self, train)
    x = part.dense(size.width, name='patches')(
      transformer.patches(sample, self.patch)
    )
    x += jnp.asarray(positions.waves(grid, size.width), x.dtype)[None]
    small = nn.initializers.normal(0.02)
    first = self.param('class_token', small, (size.width,), jnp.float32)
    first = jnp.broadcast_to(first, (len(x), 1, size.width))
    x = jnp.concatenate([first.astype(x.dtype), x], axis=1)
    for block in blocks(part, size, grid):
      x = block(x)
    x = part.norm(name='norm')(x[:, 0])
    return parts.apply_head(self, part, x, label)


def noise_levels(levels: int) -> list[float]:
  """Shares of noise from the first image, the noisiest, to the last."""
  steps = max(levels - 1, 1)
  left = [(levels - 1 - i) / steps for i in range(levels)]
  return [1 - LEAST_SIGNAL**share + LEAST_NOISE for share in left]


def noisy(images, key):
  """One example's levels as D sees them, the noise of each built on the next's.

  Args:
    images: [levels, H, W, C].
    key: of the example.

  Returns:
    [H, W, levels * C].
  """
  shares = noise_levels(len(images))
  draws = jax.random.normal(key, images.shape)
  noise, before, seen = jnp.zeros_like(images[0]), 0.0, []
  for image, draw, t in list(zip(images, draws, shares, strict=True))[::-1]:
    kept = (1 - t) / (1 - before)  # so that its deviation becomes t
    noise = kept * noise + (t**2 - (kept * before) ** 2) ** 0.5 * draw
    seen.append((1 - t) * image + noise)
    before = t
  return jnp.concatenate(seen[::-1], axis=-1)


def play(run: Callable, net: Callable, batch: dict, latent) -> tuple:
  """D is shown G's images at all levels, and as many of each real image.

  Returns:
    real and fake, each [B, H, W, levels * C] and under noise of its own; the
    latent; and 'samples', what G ends with.
  """
  del net
  made = run('g', latent, batch.get('label'), every_level=True)
  real = jnp.broadcast_to(batch['x'][:, None], made.shape)
  keys = jax.vmap(lambda key: jax.random.split(key))(batch['key'])  # [B, 2]
  show = jax.vmap(noisy)
  real, fake = show(real, keys[:, 0]), show(made, keys[:, 1])
  return real, fake, latent, {'samples': made[:, -1]}
