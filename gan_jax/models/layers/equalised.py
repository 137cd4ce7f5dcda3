"""The equalised learning rate: weights of one size, scaled where they are used.

Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 4.1: Adam moves
every weight by about as much, so every weight begins as N(0, 1), and the
constant of He's initialiser is a gain of the layer.
"""

import functools
import math

import flax.linen as nn


def fields(rate: float = 1.0, *, bias: float = 0.0) -> dict:
  """The fields of a dense layer or a convolution that make it equalised.

  Args:
    rate: how fast it learns beside others: weights begin as N(0, 1 / rate),
      and the gains of weights and biases have the factor `rate`.
    bias: what biases begin as.
  """
  return {
    'kernel_init': nn.initializers.normal(1 / rate),
    'kernel_norm': functools.partial(_gain, rate),
    'bias_init': nn.initializers.constant(bias),
    'bias_norm': lambda bias: rate * bias,
  }


def _gain(rate, *, name):
  """The kernel's gain; it has no variables that would need its name."""
  del name
  return lambda kernel: kernel * (rate / math.sqrt(fan_in(kernel)))


def fan_in(kernel) -> int:
  """How many numbers a kernel [..., inputs, outputs] adds up."""
  return math.prod(kernel.shape[:-1])
