"""The leaky ReLU of StyleGAN: with a gain, and within bounds."""

import math

import flax.linen as nn
import jax.numpy as jnp

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
