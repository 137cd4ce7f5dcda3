"""The leaky ReLU of StyleGAN: with a gain, within bounds, without aliases."""

import math
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from gan_jax.models.layers import filters

SLOPE = 0.2
GAIN = math.sqrt(2)  # keeps the mean square of N(0, 1), nearly
BOUND = 256.0  # of what a convolution gives, in half precision


def bound_of(dtype) -> float | None:
  """The bound of activations that are computed in a dtype; None is no bound."""
  return None if dtype == jnp.float32 else BOUND


def leaky_relu(x, *, gain: float = GAIN, bound: float | None = None):
  """gain * leaky_relu(x), of x of any shape; clipped to +-bound."""
  return clipped(gain * nn.leaky_relu(x, SLOPE), bound)


def clipped(x, bound: float | None):
  """x within +-bound, or as it is if there is none."""
  return x if bound is None else jnp.clip(x, -bound, bound)


class Bends(NamedTuple):
  """Where a leaky ReLU without aliases is computed: on a finer grid."""

  up: int  # times as fine as its input
  down: int  # times as fine as its output
  up_taps: np.ndarray  # of the filters, see layers/filters
  down_taps: np.ndarray
  pads: tuple  # of the finer grid's rows and columns, before the filters


def filtered_leaky_relu(x, bends: Bends, *, bound: float | None = None):
  """Leaky ReLU of a finer grid, so that what it adds beyond the grid's band
  can be filtered away.

  Karras et al. 2021, https://arxiv.org/abs/2106.12423, section 3.2.

  Args:
    x: [B, H, W, C].
    bends: the finer grid.
    bound: of the values on it.

  Returns:
    [B, H', W', C].
  """
  # Zeros between the places take power away that the filter gives back.
  gain = bends.up if bends.up_taps.ndim == 1 else bends.up**2
  own = {'up': bends.up, 'pads': bends.pads}
  x = filters.upfirdn(x, gain * bends.up_taps, **own)
  x = leaky_relu(x, bound=bound)
  return filters.upfirdn(x, bends.down_taps, down=bends.down)
