"""R3GAN: Huang et al. 2024, https://arxiv.org/abs/2501.05441, section 3.2."""

import torch.nn.functional as F

from experiments.benchmarks.torch_networks import layers
from experiments.benchmarks.torch_networks.layers import conv, dense


def block(w, path, x, group):
  """1 x 1 widens, 3 x 3 in groups, 1 x 1 narrows; added to what came in."""
  y = F.leaky_relu(conv(w, f'{path}/widen', x), 0.2)
  own = f'{path}/grouped'
  groups = y.shape[1] // group
  y = F.conv2d(
    y, w.weight(own, layout='conv'), w.weight(own, 'bias'),
    padding=1, groups=groups,
  )  # fmt: skip
  return x + conv(w, f'{path}/narrow', F.leaky_relu(y, 0.2))


def _stage(w, x, i, depth, group):
  for k in range(depth):
    x = block(w, f'block_{i}_{k}', x, group)
  return x


def generator(w, drawn, label, *, shape, widths, group=16, depth=2):
  """Latents to images; a class's embedding stands beside the latent."""
  z = layers.with_class(w, drawn['z'], label)
  x = dense(w, 'start', z)[:, :, None, None]
  x = x * w.weight('', 'basis').permute(2, 0, 1)
  for i in range(len(widths)):
    if w.has(f'to_{i}'):
      x = conv(w, f'to_{i}', x)
    if i:
      x = layers.smooth(x, doubles=True)
    x = _stage(w, x, i, depth, group)
  x = conv(w, 'image', x)
  top, left = (x.shape[2] - shape[0]) // 2, (x.shape[3] - shape[1]) // 2
  return x[:, :, top : top + shape[0], left : left + shape[1]]


def discriminator(w, x, label, drawn, *, shape, widths, group=16, depth=2):
  """Images to logits [B]; the inner product with the class's embedding."""
  del drawn, shape
  x = conv(w, 'image', x)
  for i in range(len(widths)):
    if i:
      x = layers.smooth(x)
    if w.has(f'to_{i}'):
      x = conv(w, f'to_{i}', x)
    x = _stage(w, x, i, depth, group)
  x = (x * w.weight('', 'basis').permute(2, 0, 1)).sum((2, 3))
  x = dense(w, 'logits', x)
  if label is None:
    return x[:, 0]
  return (x * F.embedding(label, w.weight('embed', 'embedding'))).sum(1)
