"""DCGAN: Radford et al. 2016, https://arxiv.org/abs/1511.06434, section 3."""

import torch
import torch.nn.functional as F

from experiments.benchmarks.torch_networks import layers

EPSILON = 1e-5


def generator(w, drawn, label, *, shape, widths, norm):
  """Latents to images in [-1, 1]; batch norm throughout."""
  assert norm == 'batch' and label is None
  base = shape[0] // 2 ** len(widths)
  x = layers.grid(layers.dense(w, 'start', drawn['z']), base, base)
  for i in range(len(widths)):
    x = F.relu(layers.batch_norm(w, f'norm_{i}', x, EPSILON), inplace=True)
    x = layers.doubling(w, f'up_{i}', x)
  return torch.tanh(x)


def discriminator(w, x, label, drawn, *, shape, widths, norm):
  """Images to logits [B]; batch norm but in the first stage."""
  del drawn, shape
  for i in range(len(widths)):
    x = layers.halving(w, f'down_{i}', x)
    if norm == 'batch' and i:
      x = layers.batch_norm(w, f'norm_{i}', x, EPSILON)
    x = F.leaky_relu(x, 0.2, inplace=True)
  return layers.projected(w, layers.flat(x), label, x.sum((2, 3)))
