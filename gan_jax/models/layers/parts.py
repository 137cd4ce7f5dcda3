"""What architectures are built of, by name: layers under a norm, heads."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from gan_jax.models.layers import blocks, norms
from gan_jax.types import UserError

# 'spectral+batch' is both: of kernels and of activations.
NORMS = (
  'none',
  *norms.KINDS,
  'spectral',
  *(f'spectral+{kind}' for kind in norms.KINDS),
)
# How a generator's norms are told what to make, see `modulated`.
MODULATIONS = ('class', 'embedding', 'latent', 'none')
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
  plain_norm: Callable  # the same, of which no label or vector is told
  has_norm: (
    bool  # True where `norm` shifts, so that no bias need stand before it
  )

  def modulated(self, by: Callable | None) -> 'Parts':
    """The same layers, their norm scaled and shifted by a modulation."""
    if by is None or not self.has_norm:
      return self
    return self._replace(norm=functools.partial(self.plain_norm, by=by))


def normalises(norm: str) -> bool:
  """Whether a norm of that name is one of activations."""
  return norm.split('+')[-1] in norms.KINDS


def make_parts(
  norm: str,
  *,
  train,
  dtype,
  axis_name=None,
  norm_fields=None,
  embed_init=blocks.EMBED_INIT,
  **kw,
) -> Parts:
  """Resolves a norm's name; the only place that compares such names.

  Args:
    norm: one of NORMS: a norm of activations, 'spectral' of kernels, or both.
    train: whether statistics and power iterations are updated.
    dtype: of the computation.
    axis_name: mesh axis over which batch statistics are averaged.
    norm_fields: more fields of a norm of activations (spread, epsilon).
    embed_init: initialiser of embeddings of classes.
    **kw: more fields of every dense layer and convolution (kernel_init).

  Raises:
    UserError: unknown norm.
  """
  if norm not in NORMS:
    raise UserError(f"norm '{norm}': expected one of {', '.join(NORMS)}")
  names = norm.split('+')
  spectral = functools.partial(blocks.SpectralNorm, train=train)
  shared = {
    'dtype': dtype,
    'kernel_norm': spectral if 'spectral' in names else None,
  }
  make_norm, has_norm = lambda **_: lambda x: x, normalises(norm)
  if has_norm:
    own = {'train': train, 'axis_name': axis_name, 'dtype': dtype}
    own |= norm_fields or {}
    make_norm = functools.partial(norms.Norm, names[-1], **own)
  linear = [
    functools.partial(kind, **shared, **kw)
    for kind in (blocks.Dense, blocks.Conv, blocks.ConvTranspose)
  ]
  embed = functools.partial(blocks.Embed, init=embed_init, **shared)
  return Parts(*linear, embed, make_norm, make_norm, has_norm)


def of_network(net: nn.Module, *, train, label=None, **kw) -> Parts:
  """make_parts by a network's own fields `norm`, `dtype` and `axis_name`.

  Args:
    net: the network.
    train: as in make_parts.
    label: [B], or None; makes the norm conditional on net.num_classes.
    **kw: as in make_parts, in place of the network's own.
  """
  own = {'dtype': net.dtype, 'axis_name': net.axis_name}
  part = make_parts(net.norm, train=train, **own | kw)
  if label is None or not net.num_classes:
    return part
  table = functools.partial(blocks.Embed, dtype=net.dtype)
  return part.modulated(norms.by_class(table, label, net.num_classes))


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


def modulated(net: nn.Module, part: Parts, z, label) -> tuple[Parts, Array]:
  """Tells a generator the class, and its norms what to make, by name.

  By `net.modulation`: 'class', a scale and a shift for each class; 'embedding',
  scales and shifts linear in the class's embedding; 'latent', a small network
  of the latent, with the class's embedding beside it; 'none', norms of scales
  and shifts of their own. With 'latent' and 'none', and without a norm of
  activations, the class's embedding stands beside the latent vector.

  Args:
    net: has the fields `modulation`, `num_classes` and `dtype`; within its
      compact method.
    part: its layers.
    z: [B, Z].
    label: [B], or None.

  Returns:
    (layers, latents [B, Z] or [B, 2 Z]).

  Raises:
    UserError: unknown modulation.
  """
  how = net.modulation
  if how not in MODULATIONS:
    there = ', '.join(MODULATIONS)
    raise UserError(f"modulation '{how}': expected one of {there}")
  if label is not None and part.has_norm and how in ('class', 'embedding'):
    table = functools.partial(blocks.Embed, dtype=net.dtype)
    if how == 'class':
      by = norms.by_class(table, label, net.num_classes, spread=0.0)
    else:
      classes = table(net.num_classes, z.shape[-1], name='embed')(label)
      by = norms.by_vector(part.dense, classes)
    return part.modulated(by), z
  z = with_class(part.embed, z, label, net.num_classes)
  if how == 'latent':
    return part.modulated(norms.by_itself(part.dense, z)), z
  return part, z


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
  given = {'dense': part.dense, 'embed': part.embed, 'norm': part.plain_norm}
  takes = getattr(net.head, 'func', net.head).__dataclass_fields__
  own = {name: layer for name, layer in given.items() if name in takes}
  head = net.head(num_classes=net.num_classes, **own)
  nn.share_scope(net, head)
  heads = head(features, label, pooled)
  return heads if len(heads) > 1 else heads['logits']
