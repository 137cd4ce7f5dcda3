"""Norms, and what scales and shifts them: a class, a vector, the latent itself.

A norm has a kind, what its mean and deviation are taken over: 'batch' (of the
batch and all places, over all devices), 'instance' (of one example's places)
or 'layer' (of one example's places and channels; its scales are one a channel).
'rms' divides each place's channels by their root mean square, and shifts none.
A modulation is a function, features C -> (scale, shift), each [B, C]; it is
called within the norm, whose layers it makes.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.types import UserError

SPREAD = 0.02  # of DCGAN's first scales about 1


class Norm(nn.Module):
  """Normalises x [B, ..., C], in float32; then scales and shifts it.

  Ioffe and Szegedy 2015 (https://arxiv.org/abs/1502.03167), algorithm 1;
  Ulyanov et al. 2016 (https://arxiv.org/abs/1607.08022), equation 1; Ba et al.
  2016 (https://arxiv.org/abs/1607.06450), equation 3; Zhang and Sennrich 2019
  (https://arxiv.org/abs/1910.07467), equation 4.
  """

  kind: str = 'batch'  # see KINDS
  train: bool = False
  axis_name: str | None = None  # of the mesh, over which batches are averaged
  dtype: Any = jnp.float32
  by: Callable | None = None  # a modulation; None learns a scale and a shift
  affine: bool = True
  spread: float = SPREAD  # deviation of the first scales about 1
  epsilon: float = 1e-5  # added to the variance

  @nn.compact
  def __call__(self, x):
    """[B, ..., C] -> the same shape."""
    x = KINDS[self.kind](self, x.ndim)(x)
    if self.by is None:
      return x
    scale, shift = self.by(x.shape[-1])  # [B, C]
    middle = tuple(range(1, x.ndim - 1))
    expand = lambda y: jnp.expand_dims(y, middle).astype(x.dtype)  # [B, 1, C]
    return x * expand(scale) + expand(shift)

  def fields(self):
    """Those that flax's norms have in common."""
    learns = self.affine and self.by is None
    return {
      'epsilon': self.epsilon,
      'dtype': self.dtype,
      'use_bias': learns,
      'use_scale': learns,
      'scale_init': near_one(self.spread),
      'name': self.kind,
    }


def near_one(spread: float) -> Callable:
  """Initialiser of scales: N(1, spread)."""
  return lambda key, shape, dtype=jnp.float32: (
    1 + nn.initializers.normal(spread)(key, shape, dtype)
  )


def _batch(norm, ndim):
  del ndim
  return nn.BatchNorm(
    use_running_average=not norm.train,
    axis_name=norm.axis_name,
    momentum=0.9,
    **norm.fields(),
  )


def _instance(norm, ndim):
  if ndim < 3:
    raise UserError(
      "norm 'instance': a vector has no places to take a mean over; expected"
      " another, say 'layer'."
    )
  return nn.InstanceNorm(**norm.fields())


def _layer(norm, ndim):
  return nn.LayerNorm(reduction_axes=range(1, ndim), **norm.fields())


def _rms(norm, ndim):
  del ndim
  fields = norm.fields()
  fields.pop('use_bias')
  return nn.RMSNorm(**fields)


KINDS = {
  'batch': _batch, 'instance': _instance, 'layer': _layer, 'rms': _rms,
}  # fmt: skip


def by_class(
  embed: Callable, label, num_classes: int, *, spread: float = SPREAD
) -> Callable:
  """A modulation with a scale and a shift for each class.

  De Vries et al. 2017, "Modulating early visual processing by language",
  https://arxiv.org/abs/1707.00683. The scale is 1 + an embedding.

  Args:
    embed: blocks.Embed or a partial of it.
    label: [B] int.
    num_classes: of the labels.
    spread: deviation of the first scales about 1.
  """

  def modulation(features):
    row = lambda init, name: embed(num_classes, features, init=init, name=name)
    scale = 1 + row(nn.initializers.normal(spread), 'gamma')(label)
    return scale, row(nn.initializers.zeros, 'beta')(label)

  return modulation


def by_vector(dense: Callable, vector) -> Callable:
  """A modulation whose scale and shift are linear in a vector of each example.

  Brock et al. 2019 (https://arxiv.org/abs/1809.11096), appendix B: of a class's
  embedding and a part of the latent; over instances it is Huang and Belongie's
  AdaIN (https://arxiv.org/abs/1703.06868), equation 8. The scale is 1 + W y,
  the shift V y.

  Args:
    dense: blocks.Dense or a partial of it.
    vector: [B, Y].
  """

  def modulation(features):
    linear = lambda name: dense(features, use_bias=False, name=name)(vector)
    return 1 + linear('gain'), linear('bias')

  return modulation


def by_itself(dense: Callable, latent, *, hidden: int = 32) -> Callable:
  """A modulation by a small network of the latent: self-modulation.

  Chen et al. 2019, https://arxiv.org/abs/1810.01365, equation 4 and section 3:
  one hidden layer of 32. The scale starts near 1.

  Args:
    dense: blocks.Dense or a partial of it.
    latent: [B, Z], with the class's embedding beside it where there are labels.
    hidden: units.
  """

  def modulation(features):
    h = nn.relu(dense(hidden, name='hidden')(latent))
    return 1 + dense(features, name='gain')(h), dense(features, name='bias')(h)

  return modulation
