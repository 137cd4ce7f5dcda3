"""Residual networks beside PyTorch's, with the same weights and gradients."""

import functools

import pytest

from tests.components import by_torch, frozen
from tests.components.by_torch import F, torch

layers, resnets = by_torch.networks('layers'), by_torch.networks('resnets')
conv, dense, by_vector = layers.conv, layers.dense, resnets.by_vector
relu, doubled, halved = resnets.relu, resnets.doubled, resnets.halved


def by_itself(w, latent):
  """Linear in one hidden layer of a latent."""
  hidden = lambda path: relu(dense(w, f'{path}/hidden', latent))
  return lambda path: by_vector(w, hidden(path))(path)


# ----------------------------------------------------------- blocks of four


def narrow_up(w, path, x, norm, *, doubles):
  resized = doubled if doubles else lambda x: x
  act = lambda k, y: relu(norm(f'{path}/norm_{k}', y))
  y = conv(w, f'{path}/conv_0', act(0, x))
  y = conv(w, f'{path}/conv_1', resized(act(1, y)))
  y = conv(w, f'{path}/conv_2', act(2, y))
  y = conv(w, f'{path}/conv_3', act(3, y))
  return resized(x[:, : y.shape[1]]) + y


def narrow_down(w, path, x, *, halves):
  resized = halved if halves else lambda x: x
  y = x
  for k in range(3):
    y = conv(w, f'{path}/conv_{k}', relu(y))
  y = conv(w, f'{path}/conv_3', resized(relu(y)))
  x = resized(x)
  if w.has(f'{path}/shortcut'):
    x = torch.cat([x, conv(w, f'{path}/shortcut', x)], 1)
  return x + y


# ------------------------------------------------------------------ networks


def sngan_g(w, z, label, *, blocks, base, modulation='class', **kw):
  if modulation == 'class':
    by = layers.by_class(w, label)
  elif modulation == 'embedding':
    by = by_vector(w, w.weight('embed', 'embedding')[label])
  else:
    z = torch.cat([z, w.weight('embed', 'embedding')[label]], 1)
    by = by_itself(w, z)
  return resnets.grown(w, z, [by] * blocks, base=base, epsilon=2e-5, **kw)


def wgan_gp_d(w, x, label):
  def norm(path, x):
    x = F.layer_norm(x, x.shape[1:], eps=2e-5)
    return layers.scaled(w, f'{path}/layer', x)

  x = conv(w, 'stem', x)
  for i in range(2):
    x = resnets.down(w, f'block_{i}', x, norm, first=False, halves=True)
  return layers.projected(w, layers.flat(x), label)


def biggan_deep_g(w, z, label):
  y = torch.cat([w.weight('embed', 'embedding')[label], z], 1)
  norm = resnets.batch_norms(w, 1e-5, by_vector(w, y))
  x = layers.grid(dense(w, 'start', y), 2, 3)
  for i in range(2):
    for k in range(2):
      x = narrow_up(w, f'block_{i}_{k}', x, norm, doubles=k == 1)
  return resnets.pictures(w, x, 1e-5)


def biggan_deep_d(w, x, label):
  x = conv(w, 'stem', x)
  for i in range(2):
    for k in range(2):
      x = narrow_down(w, f'block_{i}_{k}', x, halves=i == 0 and k == 0)
  return layers.projected(w, relu(x).sum((2, 3)), label)


of = functools.partial
small = of(sngan_g, blocks=1, base=(4, 6))
NETWORKS = {
  'sngan_g': of(sngan_g, blocks=2, base=(2, 3)),
  'sngan_d': of(resnets.critic, blocks=4, halvings=2),
  'wgan_gp_d': wgan_gp_d,
  'self_modulated_g': of(small, modulation='latent'),
  'embedded_g': of(small, modulation='embedding'),
  'sagan_g': of(sngan_g, blocks=2, base=(2, 3), attends=(0,)),
  'sagan_d': of(resnets.critic, blocks=3, halvings=2, attends=(0,)),
  # A latent of 10 is cut into 3 times 3, and 1.
  'biggan_g': of(resnets.biggan, parts=[4, 3, 3], base=(2, 3), attends=(0,)),
  'biggan_d': of(resnets.critic, blocks=3, halvings=2, attends=(0,)),
  'biggan_deep_g': biggan_deep_g,
  'biggan_deep_d': biggan_deep_d,
}


def test_every_frozen_network_is_among_them():
  assert set(NETWORKS) == set(frozen.RESNETS)


@pytest.mark.parametrize('name', NETWORKS)
def test_values_and_slopes(name):
  by_torch.compare_frozen(frozen.CASES[name], NETWORKS[name])
