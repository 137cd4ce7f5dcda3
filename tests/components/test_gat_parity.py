"""GAT beside PyTorch, by the paper's description, with the same weights."""

import functools
import math

import numpy as np
import pytest

from gan_jax.conditioning import inner_product
from gan_jax.models import gat
from tests.components.by_torch import F, compare, parameters, torch

LABEL = np.array([2, 0, 1])
SIZE = {'depth': 3, 'width': 16, 'heads': 2, 'patch': 2}


def linear(p, x):
  return F.linear(x, p['kernel'].T, p['bias'])


def rms(x, scale=None, eps=1e-6):
  return F.rms_norm(x, x.shape[-1:], scale, eps)


def positions(rows, columns, width):
  table = torch.zeros(rows * columns, width, dtype=torch.float64)
  quarter = width // 4
  for t in range(rows * columns):
    for i in range(quarter):
      rate = 10000 ** (-i / quarter)
      for k, place in enumerate((t % columns, t // columns)):
        at = 2 * k * quarter + i
        table[t, at] = math.sin(place * rate)
        table[t, at + quarter] = math.cos(place * rate)
  return table


def turned(x, rows, columns):
  """[B, heads, T, F]: pairs as complex numbers."""
  pairs = x.shape[-1] // 2
  rate = 10000.0 ** (-2 * torch.arange(pairs // 2) / pairs)
  place = torch.arange(rows * columns)
  angle = torch.cat(
    [(place // columns)[:, None] * rate, (place % columns)[:, None] * rate], 1
  )
  first, x = x[:, :, : -len(place)], x[:, :, -len(place) :].contiguous()
  z = torch.view_as_complex(x.reshape(*x.shape[:-1], pairs, 2))
  z = z * torch.polar(torch.ones_like(angle), angle)
  return torch.cat([first, torch.view_as_real(z).flatten(-2)], dim=2)


def attention(p, x, heads, grid):
  qkv = linear(p['qkv'], x)
  q, k, v = qkv.reshape(*x.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)
  q = turned(rms(q, p['query_norm']['scale'], 1e-7), *grid)
  k = turned(rms(k, p['key_norm']['scale'], 1e-7), *grid)
  y = F.scaled_dot_product_attention(q, k, v)
  return linear(p['output'], y.transpose(1, 2).flatten(2))


def swiglu(p, x):
  gate, units = linear(p['wide'], x).chunk(2, dim=-1)
  return linear(p['narrow'], F.silu(gate) * units)


def block(p, x, heads, grid, vector=None):
  if vector is None:
    norms = [p[f'norm_{i}']['rms']['scale'] for i in range(2)]
    y = rms(x, norms[0])
    x = x + p['attention_scale'] * attention(p['attention'], y, heads, grid)
    return x + p['units_scale'] * swiglu(p['units'], rms(x, norms[1]))
  four = linear(p['modulation'], F.silu(vector))[:, None].chunk(4, dim=-1)
  y = rms(x) * (1 + four[0])
  x = x + four[1] * attention(p['attention'], y, heads, grid)
  return x + four[3] * swiglu(p['units'], rms(x) * (1 + four[2]))


def mapped(p, x):
  x = linear(p['mapping_0'], x) / 100
  return linear(p['mapping_1'], F.silu(x)) / 100


def g_by_torch(p, z, *, shape, ends, patch, heads, depth, width):
  y = p['embed']['embedding'][torch.from_numpy(LABEL)]
  vector = mapped(p, torch.cat([rms(y, eps=1e-8), rms(z, eps=1e-8)], 1))
  grid = tuple(math.ceil(n / patch) for n in shape[:2])
  x = positions(*grid, width).expand(len(z), -1, -1)
  image, images = 0, []
  for i in range(depth):
    x = block(p[f'block_{i}'], x, heads, grid, vector)
    if i + 1 in ends:
      own = p[f'image_{len(images)}']
      scale = linear(own['modulation'], F.silu(vector))[:, None]
      pixels = linear(own['pixels'], rms(x) * (1 + scale))
      pixels = pixels.reshape(len(z), *grid, patch, patch, shape[2])
      pixels = torch.einsum('bhwpqc->bhpwqc', pixels).flatten(3, 4)
      image = image + pixels.flatten(1, 2)
      images.append(image)
  image = torch.stack(images, 1)
  top, left = ((image.shape[i + 2] - shape[i]) // 2 for i in range(2))
  return image[:, :, top : top + shape[0], left : left + shape[1]]


def d_by_torch(p, x, *, patch, heads, depth, width):
  grid = x.shape[1] // patch, x.shape[2] // patch
  kernel = p['patches']['kernel'].reshape(patch, patch, x.shape[3], width)
  x = F.conv2d(
    x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), p['patches']['bias'],
    stride=patch,
  )  # fmt: skip
  x = x.flatten(2).transpose(1, 2) + positions(*grid, width)
  x = torch.cat([p['class_token'].expand(len(x), 1, -1), x], dim=1)
  for i in range(depth):
    x = block(p[f'block_{i}'], x, heads, grid)
  x = linear(p['logits'], rms(x[:, 0], p['norm']['rms']['scale']))
  y = p['embed']['embedding'][torch.from_numpy(LABEL)]
  return (x * mapped(p, y)).sum(1)


@pytest.mark.parametrize('shape', [(6, 6, 4), (7, 10, 3)])
def test_a_generator_and_its_gradients_are_pytorchs(shape):
  g = gat.Generator(shape=shape, levels=2, num_classes=3, **SIZE)
  z = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
  params = parameters(g, z, LABEL)
  for name in ('mapping_0', 'mapping_1'):
    params[name] = {k: 100 * v for k, v in params[name].items()}
  ours = lambda p, z: g.apply(
    {'params': p}, z, LABEL, train=True, every_level=True
  )
  theirs = functools.partial(g_by_torch, shape=shape, ends=(1, 3), **SIZE)
  compare(ours, theirs, params, z)


def test_a_discriminator_and_its_gradients_are_pytorchs():
  head = functools.partial(inner_product.Head, dim=12, mapping=2)
  d = gat.Discriminator(num_classes=3, head=head, **SIZE)
  x = np.random.default_rng(1).normal(size=(3, 6, 8, 8)).astype(np.float32)
  params = parameters(d, x, LABEL)
  for name in ('mapping_0', 'mapping_1'):
    params[name] = {k: 100 * v for k, v in params[name].items()}
  ours = lambda p, x: d.apply({'params': p}, x, LABEL, train=True)
  compare(ours, functools.partial(d_by_torch, **SIZE), params, x)
