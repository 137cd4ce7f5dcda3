"""Layers of the style-based networks in PyTorch, for tests beside ours.

They modulate kernels, one for each example, where ours modulate what they are
applied to.
"""

import math

import jax
import numpy as np

from tests.components import by_torch
from tests.components.by_torch import F, torch

CLASSES = 3
LEAK, GAIN = 0.2, math.sqrt(2)


def drawn(shapes):
  """Parameters; the slow layers' are as large as they are at first."""
  slow = lambda path: any(k.key.startswith('dense_') for k in path)
  return jax.tree_util.tree_map_with_path(
    lambda path, x: x * np.float32(100 if slow(path) else 1),
    by_torch.drawn(shapes, scale=1.0),
  )


def leaky(x, gain=GAIN):
  return gain * F.leaky_relu(x, LEAK)


def oihw(kernel):
  return kernel.permute(3, 2, 0, 1)


def linear(p, x, rate=1.0):
  gain = rate / math.sqrt(x.shape[1])
  return gain * x @ p['kernel'] + rate * p['bias']


def normalised(x):
  return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-8)


def mapped(p, label, z=None):
  one_hot = F.one_hot(torch.from_numpy(label), CLASSES).double()
  x = normalised(linear(p['embed'], one_hot))
  if z is not None:
    x = torch.cat([normalised(z), x], 1)
  for i in range(2):
    x = leaky(linear(p[f'dense_{i}'], x, 0.01))
  return x


def grouped(kernel, style, x, *, padding, demodulate=True):
  """As many convolutions as there are examples, as one by groups."""
  b, c, h, w = x.shape
  each = kernels(kernel, style, demodulate=demodulate)
  flat = each.reshape(-1, c, *each.shape[3:])
  y = F.conv2d(x.reshape(1, -1, h, w), flat, padding=padding, groups=b)
  return y.reshape(b, -1, *y.shape[2:])


def kernels(kernel, style, *, demodulate=True):
  """A kernel for each example: [B, O, I, h, w]."""
  each = oihw(kernel)[None] * style[:, None, :, None, None]
  if demodulate:
    each = each / torch.sqrt((each**2).sum((2, 3, 4), keepdim=True) + 1e-8)
  return each
