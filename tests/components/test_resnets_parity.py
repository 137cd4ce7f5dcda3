"""Residual networks beside PyTorch's, with the same weights and gradients."""

import functools

import pytest

from tests.components import by_torch, frozen
from tests.components.by_torch import by_class, conv, dense, torch

relu = torch.relu
doubled = functools.partial(
  torch.nn.functional.interpolate, scale_factor=2, mode='nearest'
)
halved = functools.partial(torch.nn.functional.avg_pool2d, kernel_size=2)


# Of what scales and shifts are made: a function of a norm's path.


def by_vector(w, vector):
  """Linear in a vector."""
  linear = lambda path, name: dense(w, f'{path}/{name}', vector)
  return lambda path: (1 + linear(path, 'gain'), linear(path, 'bias'))


def by_itself(w, latent):
  """Linear in one hidden layer of a latent."""
  hidden = lambda path: relu(dense(w, f'{path}/hidden', latent))
  return lambda path: by_vector(w, hidden(path))(path)


# ---------------------------------------------------- blocks of two and four


def up(w, path, x, norm):
  y = conv(w, f'{path}/conv_0', doubled(relu(norm(f'{path}/norm_0', x))))
  y = conv(w, f'{path}/conv_1', relu(norm(f'{path}/norm_1', y)))
  return y + conv(w, f'{path}/shortcut', doubled(x))


def down(w, path, x, norm, *, first, halves):
  y = conv(w, f'{path}/conv_0', x if first else relu(norm(f'{path}/norm_0', x)))
  y = conv(w, f'{path}/conv_1', relu(norm(f'{path}/norm_1', y)))
  if first:  # here the shortcut is made smaller first, else last
    return halved(y) + conv(w, f'{path}/shortcut', halved(x))
  if w.has(f'{path}/shortcut'):
    x = conv(w, f'{path}/shortcut', x)
  return halved(x + y) if halves else x + y


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


def batch_norms(w, epsilon, by):
  return lambda path, x: by_torch.batch_norm(w, path, x, epsilon, by)


def generator(w, z, bys, *, base, epsilon, attends=()):
  """A modulation for each block."""
  x = by_torch.grid(dense(w, 'start', z), *base)
  for i, by in enumerate(bys):
    x = up(w, f'block_{i}', x, batch_norms(w, epsilon, by))
    if i in attends:
      x = by_torch.attention(w, f'attention_{i}', x)
  return pictures(w, x, epsilon)


def pictures(w, x, epsilon):
  x = relu(by_torch.batch_norm(w, 'norm', x, epsilon))
  return torch.tanh(conv(w, 'image', x))


def sngan_g(w, z, label, *, blocks, base, modulation='class', **kw):
  if modulation == 'class':
    by = by_class(w, label)
  elif modulation == 'embedding':
    by = by_vector(w, w('embed', 'embedding')[label])
  else:
    z = torch.cat([z, w('embed', 'embedding')[label]], 1)
    by = by_itself(w, z)
  return generator(w, z, [by] * blocks, base=base, epsilon=2e-5, **kw)


def critic(w, x, label, *, blocks, halvings, attends=()):
  for i in range(blocks):
    own = {'first': i == 0, 'halves': i < halvings}
    x = down(w, f'block_{i}', x, lambda _, x: x, **own)
    if i in attends:
      x = by_torch.attention(w, f'attention_{i}', x)
  return by_torch.projected(w, relu(x).sum((2, 3)), label)


def wgan_gp_d(w, x, label):
  def norm(path, x):
    x = torch.nn.functional.layer_norm(x, x.shape[1:], eps=2e-5)
    return by_torch.scaled(w, f'{path}/layer', x)

  x = conv(w, 'stem', x)
  for i in range(2):
    x = down(w, f'block_{i}', x, norm, first=False, halves=True)
  return by_torch.projected(w, by_torch.flat(x), label)


def biggan_g(w, z, label):
  first, *each = z.split([4, 3, 3], dim=1)  # 10 is 3 times 3, and 1
  classes = w('embed', 'embedding')[label]
  bys = [by_vector(w, torch.cat([classes, part], 1)) for part in each]
  return generator(w, first, bys, base=(2, 3), epsilon=1e-5, attends=(0,))


def biggan_deep_g(w, z, label):
  y = torch.cat([w('embed', 'embedding')[label], z], 1)
  norm = batch_norms(w, 1e-5, by_vector(w, y))
  x = by_torch.grid(dense(w, 'start', y), 2, 3)
  for i in range(2):
    for k in range(2):
      x = narrow_up(w, f'block_{i}_{k}', x, norm, doubles=k == 1)
  return pictures(w, x, 1e-5)


def biggan_deep_d(w, x, label):
  x = conv(w, 'stem', x)
  for i in range(2):
    for k in range(2):
      x = narrow_down(w, f'block_{i}_{k}', x, halves=i == 0 and k == 0)
  return by_torch.projected(w, relu(x).sum((2, 3)), label)


of = functools.partial
small = of(sngan_g, blocks=1, base=(4, 6))
NETWORKS = {
  'sngan_g': of(sngan_g, blocks=2, base=(2, 3)),
  'sngan_d': of(critic, blocks=4, halvings=2),
  'wgan_gp_d': wgan_gp_d,
  'self_modulated_g': of(small, modulation='latent'),
  'embedded_g': of(small, modulation='embedding'),
  'sagan_g': of(sngan_g, blocks=2, base=(2, 3), attends=(0,)),
  'sagan_d': of(critic, blocks=3, halvings=2, attends=(0,)),
  'biggan_g': biggan_g,
  'biggan_d': of(critic, blocks=3, halvings=2, attends=(0,)),
  'biggan_deep_g': biggan_deep_g,
  'biggan_deep_d': biggan_deep_d,
}


def test_every_frozen_network_is_among_them():
  assert set(NETWORKS) == set(frozen.RESNETS)


@pytest.mark.parametrize('name', NETWORKS)
def test_values_and_slopes(name):
  by_torch.compare_frozen(frozen.CASES[name], NETWORKS[name])
