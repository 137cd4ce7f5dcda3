"""R3GAN beside PyTorch, by the paper's description, with the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import r3gan
from gan_jax.models.layers import resampling
from tests.components.by_torch import F, compare, parameters, torch
from tests.components.compiled import close

LABEL = np.array([2, 0, 1])


def conv(p, x, **kw):
  kernel = p['kernel'].permute(3, 2, 0, 1)
  pad = kernel.shape[-1] // 2
  return F.conv2d(x, kernel, p.get('bias'), padding=pad, **kw)


def block(p, x, group):
  y = F.leaky_relu(conv(p['widen'], x), 0.2)
  groups = y.shape[1] // group
  y = F.leaky_relu(conv(p['grouped'], y, groups=groups), 0.2)
  return x + conv(p['narrow'], y)


def filtered(x, doubles):
  one = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
  kernel = torch.outer(one, one)[None, None].repeat(x.shape[1], 1, 1, 1)
  groups = {'stride': 2, 'padding': 1, 'groups': x.shape[1]}
  if doubles:
    return F.conv_transpose2d(x, 4 * kernel, **groups)
  return F.conv2d(x, kernel, **groups)


def one_hot(label, classes):
  return F.one_hot(torch.from_numpy(label), classes).float()


def g_by_torch(p, z, label, *, stages, depth, group, shape):
  classes = one_hot(label, len(p['embed']['embedding']))
  z = torch.cat([z, classes @ p['embed']['embedding']], dim=1)
  x = z @ p['start']['kernel']
  x = x[:, :, None, None] * p['basis'].permute(2, 0, 1)
  for i in range(stages):
    if f'to_{i}' in p:
      x = conv(p[f'to_{i}'], x)
    if i:
      x = filtered(x, doubles=True)
    for k in range(depth):
      x = block(p[f'block_{i}_{k}'], x, group)
  x = conv(p['image'], x)
  top, left = (x.shape[2] - shape[0]) // 2, (x.shape[3] - shape[1]) // 2
  x = x[:, :, top : top + shape[0], left : left + shape[1]]
  return x.permute(0, 2, 3, 1)


def d_by_torch(p, x, label, *, stages, depth, group):
  x = conv(p['image'], x.permute(0, 3, 1, 2))
  for i in range(stages):
    if i:
      x = filtered(x, doubles=False)
    if f'to_{i}' in p:
      x = conv(p[f'to_{i}'], x)
    for k in range(depth):
      x = block(p[f'block_{i}_{k}'], x, group)
  basis = p['basis'].permute(2, 0, 1)[:, None]
  x = F.conv2d(x, basis, groups=x.shape[1])[:, :, 0, 0]
  x = x @ p['logits']['kernel']
  classes = one_hot(label, len(p['embed']['embedding']))
  return (x * (classes @ p['embed']['embedding'])).sum(1)


@pytest.mark.parametrize('shape', [(16, 16, 3), (10, 19, 1)])
def test_a_generator_and_its_gradients_are_pytorchs(shape):
  sizes = {'depth': 2, 'group': 4}
  g = r3gan.Generator(shape=shape, widths=(8, 8, 4), num_classes=3, **sizes)
  z = np.random.default_rng(1).normal(size=(3, 6)).astype(np.float32)
  params = parameters(g, z, LABEL)
  ours = lambda p, z: g.apply({'params': p}, z, LABEL, train=True)
  theirs = lambda p, z: g_by_torch(p, z, LABEL, stages=3, shape=shape, **sizes)
  compare(ours, theirs, params, z)


@pytest.mark.parametrize('shape', [(16, 16, 3), (11, 19, 1)])
def test_a_discriminator_and_its_gradients_are_pytorchs(shape):
  sizes = {'depth': 2, 'group': 4}
  d = r3gan.Discriminator(widths=(4, 8, 8), num_classes=3, **sizes)
  x = np.random.default_rng(1).normal(size=(3, *shape)).astype(np.float32)
  params = parameters(d, x, LABEL)
  ours = lambda p, x: d.apply({'params': p}, x, LABEL, train=True)
  theirs = lambda p, x: d_by_torch(p, x, LABEL, stages=3, **sizes)
  compare(ours, theirs, params, x)


def test_a_grid_smoothly_doubled_and_halved_is_filtered():
  x = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype(np.float32)
  planes = torch.from_numpy(x).permute(0, 3, 1, 2)
  by_torch = lambda doubles: (
    filtered(planes, doubles).permute(0, 2, 3, 1).numpy()
  )
  close(resampling.smoothly_doubled(jnp.array(x)), by_torch(True))
  close(jax.jit(resampling.smoothly_halved)(x), by_torch(False))
