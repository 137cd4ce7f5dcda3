"""The character model of WGAN-GP: residual convolutions along a text.

Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, section 5.5.
"""

import torch

from experiments.benchmarks.torch_networks import layers

SCALE = 0.3  # of what a block adds


def _blocks(w, x, count):
  for i in range(count):
    y = x
    for k in (0, 1):
      y = layers.along(w, f'block_{i}_{k}', torch.relu(y))
    x = x + SCALE * y
  return x


def generator(w, drawn, label, *, shape, dim, blocks):
  """Latents to distributions over characters [B, V, T]."""
  assert label is None
  x = layers.dense(w, 'start', drawn['z'])
  x = x.reshape(len(x), shape[0], dim).transpose(1, 2)  # [B, C, T]
  return torch.softmax(layers.along(w, 'letters', _blocks(w, x, blocks)), 1)


def discriminator(w, x, label, drawn, *, shape, dim, blocks):
  """Characters [B, V, T] to logits [B]."""
  del drawn, shape, dim
  x = _blocks(w, layers.along(w, 'letters', x), blocks)
  return layers.projected(w, x.transpose(1, 2).flatten(1), label)
