"""StyleGAN3: T. Karras et al., Alias-free generative adversarial networks.

2021, https://arxiv.org/abs/2106.12423. Features are continuous signals, and
grids hold them without aliases: what the image shows moves with the input's
Fourier features, by any fraction of a pixel (T), and turns with them (R). The
mapping network and the discriminator are StyleGAN2's.

The authors' code divides the styles of a batch by their mean square, and every
kernel by its own. Demodulation undoes both, so neither is done here: no example
depends on the others.
"""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.models import stylegan2
from gan_jax.models.layers import (
  bands,
  blocks,
  convolutions,
  equalised,
  leaky,
  modulated,
  running,
  styled,
)
from gan_jax.models.stylegan2 import Discriminator  # noqa: F401
from gan_jax.types import UserError

KINDS = ('image',)  # of samples
Band = bands.Band
HALF_LIFE = 20_000  # images, of the average magnitudes
SCALE = 0.25  # of the image
ZEROS = nn.initializers.zeros


class Input(nn.Module):
  """Fourier features of the plane, moved and turned as w says.

  Section 3.2: their frequencies fill the disc below the cutoff (collection
  'fourier', drawn once).
  """

  band: Band

  @nn.compact
  def __call__(self, w):
    """[B, W] -> [B, *grid, channels] float32."""
    band, count = self.band, self.band.channels
    draw = lambda make: make(self.make_rng('params'))
    keep = lambda name, make: self.variable('fourier', name, draw, make).value
    frequencies = keep('frequencies', self._frequencies)  # [C, 2]
    phases = keep('phases', lambda key: jax.random.uniform(key, (count,)) - 0.5)
    turn, move = self._transform(w)
    phases = phases[None] - jnp.einsum('ck,bkl,bl->bc', frequencies, turn, move)
    frequencies = jnp.einsum('ck,bkl->bcl', frequencies, turn)
    beyond = jnp.linalg.norm(frequencies, axis=-1) - band.cutoff
    amplitudes = jnp.clip(1 - beyond / (band.rate / 2 - band.cutoff), 0, 1)
    rows, columns = (
      (jnp.arange(n) - (n - 1) / 2) / band.rate for n in band.grid
    )
    along = lambda axis, places, name: jnp.einsum(
      f'bc,{name}->b{name}c', frequencies[..., axis], places
    )
    x = along(0, columns, 'w')[:, None] + along(1, rows, 'h')[:, :, None]
    x = jnp.sin(2 * jnp.pi * (x + phases[:, None, None]))
    mix = self.param('kernel', styled.NORMAL, (count, count), jnp.float32)
    return jnp.dot(x * amplitudes[:, None, None], mix / math.sqrt(count))

  def _frequencies(self, key):
    """A normal law's, drawn towards the origin until they fill the disc."""
    x = jax.random.normal(key, (self.band.channels, 2))
    square = jnp.square(x).sum(1, keepdims=True)
    return self.band.cutoff * x / jnp.sqrt(square * jnp.exp(square / 2))

  def _transform(self, w):
    """A rotation [B, 2, 2] and a translation [B, 2], in units of length."""
    own = {**equalised.fields(), 'kernel_init': ZEROS, 'bias_init': _still}
    t = blocks.Dense(4, name='affine', **own)(w.astype(jnp.float32))
    t /= jnp.linalg.norm(t[:, :2], axis=1, keepdims=True)
    cos, sin = t[:, 0], t[:, 1]
    turn = jnp.stack([jnp.stack([cos, -sin], 1), jnp.stack([sin, cos], 1)], 1)
    return turn, t[:, 2:]


def _still(key, shape, dtype=jnp.float32):
  """No rotation, no translation."""
  del key, shape
  return jnp.array([1, 0, 0, 0], dtype)


class Layer(nn.Module):
  """A modulated convolution, then a leaky ReLU without aliases.

  The last one, to colours, has a kernel of 1 and neither demodulation nor ReLU.
  """

  before: Band
  after: Band
  kernel: int
  radial: bool
  last: bool
  axis_name: str | None
  dtype: Any

  @nn.compact
  def __call__(self, x, w, *, train):
    """[B, *before.grid, C] -> [B, *after.grid, after.channels]."""
    x = x * self._gain(x, train).astype(x.dtype)
    inputs, features = x.shape[-1], self.after.channels
    shape = self.kernel, self.kernel, inputs, features
    kernel = self.param('kernel', styled.NORMAL, shape, jnp.float32)
    style = styled.style_of(w, inputs)
    if self.last:
      style /= math.sqrt(inputs)
    edge = self.kernel - 1
    full = lambda x, kernel: convolutions.conv(
      jnp.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0))),
      kernel,
      padding='VALID',
    )
    own = {'convolve': full, 'demodulate': not self.last}
    x = modulated.conv(x.astype(self.dtype), kernel, style, **own)
    bias = self.param('bias', ZEROS, (features,), jnp.float32)
    x += bias.astype(self.dtype)[None, None, None]
    bound = leaky.bound_of(self.dtype)
    if self.last:
      return leaky.clipped(x, bound)
    bends = bands.bends(
      self.before, self.after, kernel=self.kernel, radial=self.radial
    )
    return leaky.filtered_leaky_relu(x, bends, bound=bound)

  def _gain(self, x, train):
    """1 / root of the mean square that the input has had lately."""
    square = jnp.square(x.astype(jnp.float32)).mean()
    shared = train and self.axis_name
    images = len(x) * (jax.lax.axis_size(self.axis_name) if shared else 1)
    average = running.Running(1.0, self.axis_name, name='magnitude')
    decay = 0.5 ** (images / HALF_LIFE)
    return jax.lax.rsqrt(average(square, decay=decay, train=train))


class Synthesis(nn.Module):
  """Styles, one for each layer and the input, to images."""

  shape: tuple[int, ...]  # of a sample (H, W, C)
  bands: tuple[Band, ...]
  rotation: bool
  axis_name: str | None
  dtype: Any

  @property
  def styles(self) -> int:
    """How many styles it takes."""
    return 1 + len(self.bands)

  @nn.compact
  def __call__(self, ws, noise=None, *, train):
    """Returns images [B, H, W, C] float32.

    Args:
      ws: [B, styles, W].
      noise: there is none in it.
      train: whether average magnitudes are updated.
    """
    del noise
    x = Input(self.bands[0], name='input')(ws[:, 0])
    before, count = self.bands[0], len(self.bands) - 1
    for i, after in enumerate(self.bands):
      last, critical = i == count, i >= count - bands.CRITICAL
      layer = Layer(
        before,
        after,
        1 if self.rotation or last else 3,
        self.rotation and not critical,
        last,
        self.axis_name,
        self.dtype,
        name=f'layer_{i}',
      )
      x, before = layer(x, ws[:, i + 1], train=train), after
    return SCALE * x.astype(jnp.float32)


class Generator(stylegan2.Generator):
  """Latents to images, which lie in [-1, 1] as far as G has learned that."""

  mapping_layers: int = 2
  rotation: bool = False  # R: kernels of 1, round filters, twice the channels
  layers: int = 14
  margin: int = 10  # places that grids reach beyond the image

  def _synthesis(self):
    stylegan2.grids_of(self.shape)
    if self.layers <= bands.CRITICAL or self.margin < 0:
      raise UserError(
        f'model.g.layers={self.layers}, margin={self.margin}: expected'
        f' {bands.CRITICAL + 1} layers or more, and 0 or more.'
      )
    times = 2 if self.rotation else 1
    made = bands.bands(
      self.shape,
      layers=self.layers,
      margin=self.margin,
      base=times * self.channel_base,
      most=times * self.channel_max,
    )
    if min(band.channels for band in made) < 1:
      raise UserError(
        f'model.g.channel_base={self.channel_base}: a layer has none of them.'
      )
    own = self.rotation, self.axis_name, self.dtype
    return Synthesis(self.shape, tuple(made), *own)
