"""R3GAN2 beside PyTorch, by its description, with the same weights."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.conditioning import inner_product
from gan_jax.models import r3gan2
from tests.components.by_torch import F, compare, parameters, torch

LABEL = np.array([2, 0, 1])
SIZES = {'depth': 2, 'group': 4}
LEAK = 1 / math.sqrt((1 + 0.2**2 - (1 - 0.2) ** 2 / math.pi) / 2)


def unit(weight, centred=True):
  """[..., O] -> [O, ...], each output's centred and of length 1."""
  w = weight.movedim(-1, 0)
  rows = w.flatten(1)
  rows = rows - rows.mean(1, keepdim=True) if centred else rows
  count = rows.shape[1]
  rows = rows / (1e-4 + rows.norm(dim=1, keepdim=True) / math.sqrt(count))
  return (rows / math.sqrt(count)).reshape(w.shape)


def leaky(x):
  return LEAK * F.leaky_relu(x, 0.2)


def linear(p, x, *columns, centred=True):
  """[B, C, H, W], with channels of columns beside them."""
  ones = torch.ones_like(x[:, :1])
  x = torch.cat([x, *(column * ones for column in columns)], 1)
  weight = p['weight'] if centred else p['pixels']
  return F.conv2d(x, unit(weight, centred)[:, :, None, None])


def grouped(p, x, **kw):
  kernel = unit(p['weight']).permute(0, 3, 1, 2)
  return F.conv2d(x, kernel, groups=x.shape[1] // kernel.shape[1], **kw)


def stage(p, x, i, columns):
  variance = torch.ones(x.shape[1])
  for k in range(SIZES['depth']):
    own, part = p[f'block_{i}_{k}'], torch.tanh(p[f'block_{i}_{k}']['part'])
    y = x / torch.sqrt(variance)[:, None, None]
    y = leaky(linear(own['layer']['widen'], y, *columns(i, k)))
    y = leaky(grouped(own['layer']['grouped'], y, padding=1))
    x = x + part[:, None, None] * linear(own['layer']['narrow'], y)
    variance = variance + part**2
  return x / torch.sqrt(variance)[:, None, None]


def up(x, features):
  x = x.repeat_interleave(4 * features // x.shape[1], dim=1)
  return F.pixel_shuffle(x, 2)


def down(x, features):
  rows, columns = (2 * (n // 2) for n in x.shape[2:])
  x = F.pixel_unshuffle(x[:, :, :rows, :columns], 2)
  return x.unflatten(1, (features, -1)).mean(2)


def embedded(p, length):
  table = p['embed']['embedding']
  return length * math.sqrt(table.shape[1]) * unit(table.T, centred=False)


def g_by_torch(p, z, *, noise, widths, shape):
  count, grid = len(widths), [-(-n // 2 ** len(widths)) for n in shape[:2]]
  x = torch.cat([z, embedded(p, 1.0)[torch.from_numpy(LABEL)]], 1)
  x = leaky(linear(p['start_widen'], x[:, :, None, None], 1.0))
  # [group, places * C] -> [C in, C in a group, h, w] of a transposed one.
  kernel = unit(p['start_spread']['weight']).T
  groups = x.shape[1] // len(kernel)
  kernel = kernel.reshape(len(kernel), *grid, groups, -1)
  kernel = kernel.permute(3, 0, 4, 1, 2).flatten(0, 1)
  x = leaky(F.conv_transpose2d(x, kernel, groups=groups))
  x = linear(p['start_narrow'], x)
  for i in range(count):
    x = up(x, widths[i])
    x = stage(p, x, i, lambda i, k: (1.0, noise[i * SIZES['depth'] + k]))
  x = p['gain'] * linear(p['image'], x)
  top, left = (x.shape[2] - shape[0]) // 2, (x.shape[3] - shape[1]) // 2
  x = x[:, :, top : top + shape[0], left : left + shape[1]]
  return x.permute(0, 2, 3, 1)


def d_by_torch(p, x, *, widths):
  x = linear(p['image'], x.permute(0, 3, 1, 2), centred=False)
  for i, width in enumerate(widths):
    x = down(x, width) if i else x
    x = stage(p, x, i, lambda i, k: (1.0,))
  x = leaky(linear(p['end_widen'], down(x, widths[-1]), 1.0))
  x = leaky(grouped(p['end_gather'], x))[:, :, 0, 0]
  x = x @ unit(p['logits']['kernel']).T
  classes = embedded(p, 1.0)[torch.from_numpy(LABEL)]
  return (x * classes).sum(1) / math.sqrt(x.shape[1])


@pytest.mark.slow
def test_a_generator_and_its_gradients_are_pytorchs():
  shape, widths = (10, 19, 3), (8, 4)
  g = r3gan2.Generator(shape=shape, widths=widths, num_classes=3, **SIZES)
  z = np.random.default_rng(1).normal(size=(3, 6)).astype(np.float32)
  keys = np.array([[1, 2], [3, 4], [5, 6]], np.uint32)
  latent = lambda z: {'z': z, 'noise': jnp.asarray(keys)}
  params = parameters(g, latent(z), LABEL)
  ours = lambda p, z: g.apply({'params': p}, latent(z), LABEL, train=True)
  noise, first = [], [-(-n // 4) for n in shape[:2]]
  for i in range(4):
    size = tuple(n * 2 ** (1 + i // 2) for n in first)
    fold = lambda key, i=i: jax.random.fold_in(jax.random.wrap_key_data(key), i)
    own = [jax.random.normal(fold(key), size) for key in keys]
    noise.append(torch.tensor(np.stack(own))[:, None])
  theirs = functools.partial(
    g_by_torch, noise=noise, widths=widths, shape=shape
  )
  compare(ours, theirs, params, z)


@pytest.mark.slow
def test_a_discriminator_and_its_gradients_are_pytorchs():
  shape, widths = (11, 19, 3), (4, 8)
  head = functools.partial(inner_product.Head, dim=8)
  d = r3gan2.Discriminator(widths=widths, num_classes=3, head=head, **SIZES)
  x = np.random.default_rng(1).normal(size=(3, *shape)).astype(np.float32)
  params = parameters(d, x, LABEL)
  ours = lambda p, x: d.apply({'params': p}, x, LABEL, train=True)
  compare(ours, functools.partial(d_by_torch, widths=widths), params, x)
