"""What architectures are built of, by name: layers under a norm, heads."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import blocks
from gan_jax.types import UserError

NORMS = ('batch', 'spectral', 'none')
ACTIVATIONS = {
  'relu': nn.relu,
  'leaky_relu': functools.partial(nn.leaky_relu, negative_slope=0.2),
  'elu': nn.elu,
  'gelu': nn.gelu,
  'silu': nn.silu,
  'softplus': nn.softplus,
  'tanh': jnp.tanh,
}


def activation(name: str) -> Callable:
  """Returns the activation of that name; UserError lists what exists."""
  if name not in ACTIVATIONS:
    raise UserError(
      f"activation '{name}': expected one of {_list(ACTIVATIONS)}"
    )
  return ACTIVATIONS[name]


def _list(names) -> str:
  return ', '.join(sorted(names))


class Parts(NamedTuple):
  """The layers of a model under one norm: partials that blocks are built of."""

  dense: Callable
  conv: Callable
  conv_transpose: Callable
  embed: Callable
  norm: Callable  # makes a module, or the identity, of no arguments
  has_norm: bool  # True where a bias before `norm` would be without effect


def make_parts(
  norm: str, *, train, dtype, axis_name=None, label=None, num_classes=0, **kw
) -> Parts:
  """Resolves a norm's name; the only place that compares such names.

  Args:
    norm: 'batch', 'spectral' or 'none'.
    train: whether statistics and power iterations are updated.
    dtype: of the computation.
    axis_name: mesh axis over which batch statistics are averaged.
    label: [B] int; with num_classes makes the batch norm class-conditional.
    num_classes: number of classes, 0 if unconditional.
    **kw: more fields of every dense layer and convolution (kernel_init).

  Raises:
    UserError: unknown norm.
  """
  if norm not in NORMS:
    raise UserError(f"norm '{norm}': expected one of {_list(NORMS)}")
  spectral = functools.partial(blocks.SpectralNorm, train=train)
  shared = {
    'dtype': dtype,
    'kernel_norm': spectral if norm == 'spectral' else None,
  }
  make_norm = lambda **_: lambda x: x
  if norm == 'batch':
    cond = {'label': label, 'num_classes': num_classes} if num_classes else {}
    kind = blocks.ConditionalBatchNorm if num_classes else blocks.BatchNorm
    make_norm = functools.partial(
      kind, train=train, axis_name=axis_name, dtype=dtype, **cond
    )
  linear = [
    functools.partial(kind, **shared, **kw)
    for kind in (blocks.Dense, blocks.Conv, blocks.ConvTranspose)
  ]
  embed = functools.partial(blocks.Embed, **shared)
  return Parts(*linear, embed, make_norm, norm == 'batch')


def of_network(net: nn.Module, *, train, label=None, **kw) -> Parts:
  """make_parts by a network's own fields `norm`, `dtype` and `axis_name`.

  Args:
    net: the network.
    train: as in make_parts.
    label: [B], or None; makes the batch norm conditional on net.num_classes.
    **kw: as in make_parts.
  """
  own = {'dtype': net.dtype, 'axis_name': net.axis_name}
  if label is not None:
    own |= {'label': label, 'num_classes': net.num_classes}
  return make_parts(net.norm, train=train, **own, **kw)


def check_label(label, num_classes: int):
  """Returns the label, None if unconditional; ValueError where it lacks."""
  if not num_classes:
    return None
  if label is None:
    raise ValueError(f'a model of {num_classes} classes needs labels [B]')
  return label


def with_class(embed: Callable, z, label, num_classes: int):
  """Tells a generator the class: its embedding beside every latent vector.

  Args:
    embed: makes the embedding, blocks.Embed or a partial of it.
    z: [B, ..., Z].
    label: [B], or None.
    num_classes: of the labels.

  Returns:
    [B, ..., 2 Z]; without a label z as it is.
  """
  if label is None:
    return z
  classes = embed(num_classes, z.shape[-1], name='embed')(label)  # [B, Z]
  each = jnp.expand_dims(classes, tuple(range(1, z.ndim - 1)))
  each = jnp.broadcast_to(each, z.shape).astype(z.dtype)
  return jnp.concatenate([z, each], axis=-1)


def apply_head(net: nn.Module, part: Parts, features, label, pooled=None):
  """Ends a discriminator by its head, a module of gan_jax/conditioning.

  The head's parameters lie beside those of the network, under names of their
  own ('logits', 'embed', ...).

  Args:
    net: has the fields `head` and `num_classes`; within its compact method.
    part: the layers of the network.
    features: [B, F].
    label: [B], or None.
    pooled: [B, C], features without positions, where these differ.

  Returns:
    logits [B] float32; of a head with more than these {'logits': [B], ...}.
  """
  head = net.head(
    dense=part.dense, embed=part.embed, num_classes=net.num_classes
  )
  nn.share_scope(net, head)
  heads = head(features, label, pooled)
  return heads if len(heads) > 1 else heads['logits']
