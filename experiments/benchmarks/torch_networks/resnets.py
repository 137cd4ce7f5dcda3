"""Residual blocks of two convolutions, and networks of them.

Gulrajani et al. 2017 (https://arxiv.org/abs/1704.00028), appendix F; Miyato et
al. 2018 (https://arxiv.org/abs/1802.05957), appendix B.4; Brock et al. 2019
(https://arxiv.org/abs/1809.11096), appendix B.
"""

import functools

import torch
import torch.nn.functional as F

from experiments.benchmarks.torch_networks import layers
from experiments.benchmarks.torch_networks.layers import conv, dense

relu = torch.relu
doubled = functools.partial(F.interpolate, scale_factor=2, mode='nearest')
halved = functools.partial(F.avg_pool2d, kernel_size=2)


def by_vector(w, vector):
  """A modulation that is linear in a vector."""
  linear = lambda path, name: dense(w, f'{path}/{name}', vector)
  return lambda path: (1 + linear(path, 'gain'), linear(path, 'bias'))


def up(w, path, x, norm):
  """G's: doubled before the first convolution."""
  y = conv(w, f'{path}/conv_0', doubled(relu(norm(f'{path}/norm_0', x))))
  y = conv(w, f'{path}/conv_1', relu(norm(f'{path}/norm_1', y)))
  return y + conv(w, f'{path}/shortcut', doubled(x))


def down(w, path, x, norm, *, first, halves):
  """D's: halved after the second convolution."""
  y = conv(w, f'{path}/conv_0', x if first else relu(norm(f'{path}/norm_0', x)))
  y = conv(w, f'{path}/conv_1', relu(norm(f'{path}/norm_1', y)))
  if first:  # here the shortcut is made smaller first, else last
    return halved(y) + conv(w, f'{path}/shortcut', halved(x))
  if w.has(f'{path}/shortcut'):
    x = conv(w, f'{path}/shortcut', x)
  return halved(x + y) if halves else x + y


def batch_norms(w, epsilon, by):
  """Batch norms by their paths."""
  return lambda path, x: layers.batch_norm(w, path, x, epsilon, by)


def grown(w, z, bys, *, base, epsilon, attends=()):
  """Latents to images [B, C, H, W], with a modulation for each block."""
  x = layers.grid(dense(w, 'start', z), *base)
  for i, by in enumerate(bys):
    x = up(w, f'block_{i}', x, batch_norms(w, epsilon, by))
    if i in attends:
      x = layers.attention(w, f'attention_{i}', x)
  return pictures(w, x, epsilon)


def pictures(w, x, epsilon):
  """The last grid to images in [-1, 1]."""
  x = relu(layers.batch_norm(w, 'norm', x, epsilon))
  return torch.tanh(conv(w, 'image', x))


def critic(w, x, label, *, blocks, halvings, attends=()):
  """Images to logits, by the sum over pixels."""
  for i in range(blocks):
    own = {'first': i == 0, 'halves': i < halvings}
    x = down(w, f'block_{i}', x, lambda _, x: x, **own)
    if i in attends:
      x = layers.attention(w, f'attention_{i}', x)
  return layers.projected(w, relu(x).sum((2, 3)), label)


def biggan(w, z, label, *, parts, base, attends=()):
  """BigGAN's G: a part of the latent, and the class, for each block.

  Args:
    w: the weights.
    z: [B, Z].
    label: [B].
    parts: lengths of the first grid's part and of each block's.
    base: rows and columns of the first grid.
    attends: blocks that attention follows.
  """
  first, *each = z.split(parts, dim=1)
  classes = F.embedding(label, w.weight('embed', 'embedding'))
  bys = [by_vector(w, torch.cat([classes, part], 1)) for part in each]
  return grown(w, first, bys, base=base, epsilon=1e-5, attends=attends)
