"""WaveGAN: Donahue et al. 2019, https://arxiv.org/abs/1802.04208.

Convolutions of 25 taps and a stride of 4, padded as TensorFlow pads them.
"""

import torch
import torch.nn.functional as F

from experiments.benchmarks.torch_networks import layers

SAME = (10, 11)  # moments before and after
RADIUS = 2  # of the shuffle, in moments


def shuffled(x, shift):
  """[B, C, T] later by shift [B]; what is lacking is mirrored at the edge."""
  padded = F.pad(x, (RADIUS, RADIUS), mode='reflect')
  place = torch.arange(x.shape[2], device=x.device) + RADIUS
  index = (place - shift[:, None])[:, None].expand(-1, x.shape[1], -1)
  return padded.gather(2, index)


def generator(w, drawn, label, *, shape, widths):
  """Latents to sounds [B, C, T] in [-1, 1]."""
  z = layers.with_class(w, drawn['z'], label)
  x = layers.dense(w, 'start', z)
  base = -(-shape[0] // 4 ** len(widths))
  x = x.reshape(len(x), base, widths[0]).transpose(1, 2)  # [B, C, T]
  for i in range(len(widths)):
    own, bias = f'up_{i}', w.weight(f'up_{i}', 'bias')
    kernel = w.weight(own, layout='up_along')
    x = F.conv_transpose1d(torch.relu(x), kernel, bias, stride=4)
    x = x[:, :, SAME[0] : -SAME[1]]
  left = (x.shape[2] - shape[0]) // 2
  return torch.tanh(x[:, :, left : left + shape[0]])


def discriminator(w, x, label, drawn, *, shape, widths, norm='none'):
  """Sounds [B, C, T] to logits [B]; drawn['shift'] is [B, layers - 1]."""
  del shape, norm  # the weights say whether they are divided
  for i in range(len(widths)):
    own = f'down_{i}'
    kernel, bias = w.weight(own, layout='along'), w.weight(own, 'bias')
    x = F.conv1d(F.pad(x, SAME), kernel, bias, stride=4)
    x = F.leaky_relu(x, 0.2)
    if i < len(widths) - 1:
      x = shuffled(x, drawn['shift'][:, i])
  flat = x.transpose(1, 2).flatten(1)
  return layers.projected(w, flat, label, x.sum(2))
