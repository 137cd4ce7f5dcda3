"""StyleGAN2: Karras et al. 2020, https://arxiv.org/abs/1912.04958.

As it is trained: styles scale what a convolution is applied to and what it
makes, so that all examples share a kernel. Without classes and mixed styles.
"""

import math

import torch
import torch.nn.functional as F

from experiments.benchmarks.torch_networks import layers

LEAK, GAIN, ROOT = 0.2, math.sqrt(2), math.sqrt(0.5)
DECAY = 0.998  # of the average w, with each update


def leaky(x, gain=GAIN):
  """A leaky ReLU that keeps the variance."""
  return gain * F.leaky_relu(x, LEAK)


def linear(w, path, x, rate=1.0):
  """An equalised dense layer."""
  gain = rate / math.sqrt(x.shape[1])
  kernel = gain * w.weight(path, layout='matrix')
  return F.linear(x, kernel, rate * w.weight(path, 'bias'))


def conv(w, path, x, **kw):
  """An equalised convolution."""
  kernel = w.weight(path, layout='conv')
  bias = w.weight(path, 'bias') if w.has(path, 'bias') else None
  gain = 1 / math.sqrt(math.prod(kernel.shape[1:]))
  return F.conv2d(x, gain * kernel, bias, **kw)


def modulated(w, path, x, style, *, doubles=False, demodulates=True, padding=0):
  """A convolution of features that count as much as a style [B, C] says."""
  style = style[:, :, None, None]
  kernel = w.weight(path, layout='up' if doubles else 'conv')
  x = x * style
  if doubles:
    x = F.conv_transpose2d(x, kernel, stride=2)
    x = layers.smooth(x, pads=1, gain=4.0)
  else:
    x = F.conv2d(x, kernel, padding=padding)
  if not demodulates:
    return x
  squares = kernel.square().sum((2, 3))  # [O, C], of an `up` kernel [C, O]
  squares = squares if doubles else squares.T
  power = style[:, :, 0, 0].square() @ squares  # [B, O]
  return x * torch.rsqrt(power + 1e-8)[:, :, None, None]


def styled(w, path, x, style, noise, *, doubles=False):
  """A modulated 3 x 3 convolution, noise, a bias, a leaky ReLU."""
  scale = linear(w, f'{path}/affine', style)
  x = modulated(w, path, x, scale, doubles=doubles, padding=1)
  x = x + w.weight(path, 'noise_strength') * noise[:, None]
  return leaky(x + w.weight(path, 'bias')[:, None, None])


def to_image(w, path, x, style):
  """Colours of features."""
  scale = linear(w, f'{path}/affine', style) / math.sqrt(x.shape[1])
  x = modulated(w, path, x, scale, demodulates=False)
  return x + w.weight(path, 'bias')[:, None, None]


def mapped(w, z, count):
  """Latents [B, Z] to styles [B, W]."""
  x = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
  for i in range(count):
    x = leaky(linear(w, f'mapping/dense_{i}', x, 0.01))
  return x


def generator(w, drawn, label, *, shape, mapping_layers, **widths):
  """Latents and noise to images."""
  del widths
  assert label is None
  style, noise = mapped(w, drawn['z'], mapping_layers), drawn['noise']
  w.remember('average', style.mean(0), DECAY)
  x = w.weight('synthesis', 'constant').permute(0, 3, 1, 2)
  x = x.expand(len(style), -1, -1, -1)
  at = 'synthesis/'
  x = styled(w, at + 'conv_0', x, style, noise[0])
  image = to_image(w, at + 'image_0', x, style)
  for i in range(1, 1 + len(noise) // 2):
    own = noise[2 * i - 1 : 2 * i + 1]
    x = styled(w, at + f'up_{i}', x, style, own[0], doubles=True)
    x = styled(w, at + f'conv_{i}', x, style, own[1])
    last = to_image(w, at + f'image_{i}', x, style)
    image = layers.smooth(image, doubles=True) + last
  return image[:, :, : shape[0], : shape[1]]


def with_deviation(x, group):
  """One more channel: how much neighbours in the batch differ."""
  size = math.gcd(group, len(x))
  groups = x.reshape(-1, size, *x.shape[1:])
  spread = torch.sqrt(groups.var(1, unbiased=False) + 1e-8).mean((1, 2, 3))
  each = spread.repeat_interleave(size)[:, None, None, None]
  return torch.cat([x, each.expand(-1, 1, *x.shape[2:])], 1)


def discriminator(
  w, x, label, drawn, *, shape, group, mapping_layers, **widths
):
  """Images to logits [B], by residual blocks."""
  del drawn, widths, mapping_layers
  assert label is None
  x = leaky(conv(w, 'image_0', x))
  for i in range(1, 1 + math.ceil(math.log2(min(shape[:2]) / 4))):
    path, before = f'down_{i}', x
    x = leaky(conv(w, f'{path}/conv_0', x, padding=1))
    x = layers.smooth(x, pads=2)
    x = leaky(conv(w, f'{path}/conv_1', x, stride=2))
    short = conv(w, f'{path}/shortcut', layers.smooth(before))
    x = ROOT * (x + short)
  x = leaky(conv(w, 'conv', with_deviation(x, group), padding=1))
  x = leaky(linear(w, 'dense', layers.flat(x)))
  return linear(w, 'logits', x)[:, 0]
