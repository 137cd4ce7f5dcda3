"""RCGAN: Esteban et al. 2017, https://arxiv.org/abs/1706.02633, section 3.

An LSTM makes a series of fresh noise at every moment; another gives a logit at
every moment, and the loss is the mean over them. The label is repeated beside
the noise; D uses it as `config.conditioning` says, at every moment.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning import projection
from gan_jax.game import latents
from gan_jax.models.layers import blocks, parts, recurrent
from gan_jax.types import UserError

KINDS = ('series',)  # of samples
INIT = nn.initializers.glorot_uniform()
OUTPUTS = ('tanh', 'linear')


def make_prior(
  shape: tuple[int, ...],
  *,
  name: str = 'normal',
  dim: int = 5,
  constant: int = 0,
  before: int = 0,
) -> Callable:
  """Returns prior(key []) -> z [before + T, dim], float32.

  Args:
    shape: of a sample, (T, C).
    name: the prior of each moment, as latents.maker takes it.
    dim: numbers at each moment.
    constant: of these, how many are the same at all moments; the paper has
      none.
    before: moments of noise before the series, in which G's state can become
      one of its usual ones; the paper has none.

  Raises:
    UserError: an option out of range, or an unknown name.
  """
  steps, _ = recurrent.check_shape(shape, 'rcgan')
  if not 0 <= constant <= dim:
    raise UserError(
      f'latent.constant={constant}: expected 0 to latent.dim={dim}.'
    )
  if before < 0:
    raise UserError(f'latent.before={before}: expected at least 0.')
  own = latents.maker(name)(dim=dim)

  def prior(key):
    z = jax.vmap(own)(jax.random.split(key, before + steps))
    return z.at[:, :constant].set(z[:1, :constant])

  return prior


def ignored(options: dict) -> str:
  """The option of config.model that has no effect beside the others, or ''."""
  own = options.get('g', {})
  is_linear = own.get('output', 'tanh') == 'linear'
  return 'g.scale' if is_linear and own.get('scale', 1.0) != 1.0 else ''


class Generator(nn.Module):
  """Noise at every moment to series."""

  shape: tuple[int, ...]  # of a sample, (T, C)
  hidden: tuple[int, ...] = (100,)  # units of each LSTM
  output: str = 'tanh'  # or 'linear'
  scale: float = 1.0  # by which the tanh is multiplied
  num_classes: int = 0
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z, label=None):
    """Returns series [B, T, C] of z [B, before + T, Z] and label [B]."""
    steps, channels = recurrent.check_shape(self.shape, 'rcgan')
    label = parts.check_label(label, self.num_classes)
    x = with_class(z, label, self.num_classes)
    for i, width in enumerate(self.hidden):
      x = recurrent.LSTM(width, self.dtype, name=f'lstm_{i}')(x)
    dense = functools.partial(blocks.Dense, kernel_init=INIT)
    x = dense(channels, dtype=self.dtype, name='sample')(x)
    x = x[:, -steps:].astype(jnp.float32)
    return outputs(x, self.output, self.scale)


def with_class(z, label, num_classes: int):
  """z [B, T, Z] beside a label, 1 of num_classes or a vector of so many."""
  if label is None:
    return z
  classes = blocks.as_vector(label, num_classes)[:, None]  # [B, 1, K]
  classes = jnp.broadcast_to(classes, (*z.shape[:2], num_classes))
  return jnp.concatenate([z, classes.astype(z.dtype)], axis=-1)


def outputs(x, name: str, scale):
  """The last layer of a generator: scale * tanh(x), or x as it is.

  Raises:
    UserError: another name.
  """
  if name not in OUTPUTS:
    raise UserError(
      f'model.g.output={name!r}: expected {" or ".join(OUTPUTS)}.'
    )
  return scale * jnp.tanh(x) if name == 'tanh' else x


class Discriminator(nn.Module):
  """Series to a logit at each moment."""

  hidden: tuple[int, ...] = (100,)  # units of each LSTM
  num_classes: int = 0
  head: Callable = projection.Head  # see gan_jax/conditioning
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, sample, label=None):
    """Returns {'parts': [B, T]} of series [B, T, C] and label [B].

    Other heads than the logits, if there are any, are means over the moments.
    """
    label = parts.check_label(label, self.num_classes)
    part = parts.make_parts(
      'none', train=False, dtype=self.dtype, kernel_init=INIT
    )
    x = sample
    for i, width in enumerate(self.hidden):
      x = recurrent.LSTM(width, self.dtype, name=f'lstm_{i}')(x)
    return recurrent.head_at_each(self, part, x, label)
