"""An LSTM that writes a text character by character, by the Gumbel-softmax.

M. Kusner and J. Hernández-Lobato, GANs for sequences of discrete elements with
the Gumbel-softmax distribution (2016), https://arxiv.org/abs/1611.04051;
E. Jang et al. (2017), https://arxiv.org/abs/1611.01144: with Gumbel noise g,
softmax((logits + g) / t) is a character drawn by the logits as the temperature
t falls.

The noise is part of the latent: a sample follows from its key alone. D is that
of char_gan.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.game import latents
from gan_jax.models import char_gan
from gan_jax.models.char_gan import Discriminator  # noqa: F401
from gan_jax.models.layers import blocks, parts
from gan_jax.types import G

KINDS = ('text',)  # of samples


def make_prior(shape, *, name: str = 'normal', dim: int = 64):
  """Returns prior(key) -> {'z': [dim], 'gumbel': [T, V]}, float32.

  Args:
    shape: of a sample, (T, V).
    name: of the prior of z, see game/latents.
    dim: length of z.

  Raises:
    UserError: see latents.make_prior.
  """
  of_code = latents.make_prior(name, dim=dim)

  def prior(key):
    ours, theirs = jax.random.split(key)
    return {
      'z': of_code(ours),
      'gumbel': jax.random.gumbel(theirs, shape),
    }

  return prior


def play(run, net, batch, latent):
  """The usual game; G knows how far the training is."""
  del net
  fake = run(G, latent, batch.get('label'), step=batch['step'])
  return batch['x'], fake, latent


class _Cell(nn.Module):
  """One character: what the LSTM remembers, and the next input."""

  features: int
  letters: int
  hard: bool
  dtype: Any

  @nn.compact
  def __call__(self, carry, noise, code, inverse):
    """(carry, last character [B, V]), noise [B, V] -> the next ones."""
    carry, last = carry
    cell = nn.OptimizedLSTMCell(self.features, dtype=self.dtype, name='lstm')
    seen = jnp.concatenate([last, code], axis=-1).astype(self.dtype)
    carry, y = cell(carry, seen)
    logits = nn.Dense(self.letters, dtype=self.dtype, name='letters')(y)
    soft = nn.softmax((logits.astype(jnp.float32) + noise) * inverse)
    made = _straight_through(soft) if self.hard else soft
    return (carry, made), made


def _straight_through(soft):
  """The most probable character, with the gradient of the soft one."""
  best = jax.nn.one_hot(soft.argmax(-1), soft.shape[-1], dtype=soft.dtype)
  return best + (soft - jax.lax.stop_gradient(soft))  # exactly one-hot


class Generator(nn.Module):
  """Latents to characters, each of what the LSTM has written before.

  In evaluation mode characters are drawn, one-hot; in training mode they are
  soft, at a temperature that falls from t0 to t1 over the first steps.
  """

  shape: tuple[int, ...]  # (T, V)
  features: int = 256  # of the LSTM
  hard: bool = False  # straight-through: D sees drawn characters in training
  t0: float = 1.0
  t1: float = 0.5
  anneal_steps: int = 10_000  # exponentially, as t0 (t1 / t0)^(step / steps)
  num_classes: int = 0
  axis_name: str | None = None
  dtype: Any = jnp.float32

  def temperature(self, step):
    """At a step [] int: a number []."""
    done = jnp.clip(step / max(self.anneal_steps, 1), 0.0, 1.0)
    return self.t0 * (self.t1 / self.t0) ** done

  @nn.compact
  def __call__(self, latent, label=None, *, train, step=None):
    """Returns samples [B, T, V] float32.

    Args:
      latent: {'z': [B, Z], 'gumbel': [B, T, V]}.
      label: [B], or None.
      train: whether characters are soft.
      step: [] int, of the training; None where it is over.
    """
    char_gan.check_shape(self.shape)
    label = parts.check_label(label, self.num_classes)
    code = parts.with_class(blocks.Embed, latent['z'], label, self.num_classes)
    letters = self.shape[-1]
    inverse = 1 / (self.t1 if step is None else self.temperature(step))
    begin = nn.Dense(2 * self.features, dtype=self.dtype, name='start')(code)
    carry = tuple(jnp.tanh(x) for x in jnp.split(begin, 2, axis=-1))
    # Of the code's own: under shard_map a constant would be of another type.
    zero = 0 * begin[:, :1].astype(jnp.float32)
    last = jnp.broadcast_to(zero, (len(code), letters))
    scan = nn.scan(
      _Cell,
      variable_broadcast='params',
      split_rngs={'params': False},
      in_axes=(1, nn.broadcast, nn.broadcast),
      out_axes=1,
    )
    hard = self.hard or not train
    cell = scan(self.features, letters, hard, self.dtype, name='cell')
    _, made = cell((carry, last), latent['gumbel'], code, inverse)
    return made
