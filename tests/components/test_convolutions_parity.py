"""SNGAN's convolutions and InfoGAN's networks beside PyTorch's, with slopes."""

import functools

import pytest

from tests.components import by_torch, frozen
from tests.components.by_torch import F, torch

layers = by_torch.networks('layers')
conv, dense = layers.conv, layers.dense
doubling, halving = layers.doubling, layers.halving
EPSILON = 1e-5
leaky = functools.partial(F.leaky_relu, negative_slope=0.1)


def norms(w, label=None):
  """Batch norms by their paths, scaled and shifted by the class if any."""
  by = None if label is None else layers.by_class(w, label)
  return lambda path, x: layers.batch_norm(w, path, x, EPSILON, by)


def sndcgan_g(w, z, label):
  norm = norms(w, label)
  x = layers.grid(dense(w, 'start', z), 2, 3)
  for i in range(2):
    x = torch.relu(norm(f'norm_{i}', doubling(w, f'up_{i}', x)))
  return torch.tanh(conv(w, 'image', x))


def sndcgan_d(w, x, label):
  for i in range(2):
    x = leaky(conv(w, f'same_{i}', x))
    x = leaky(halving(w, f'down_{i}', x))
  x = leaky(conv(w, 'last', x))
  return layers.projected(w, x.sum((2, 3)), label)


def infogan_g(w, z, label):
  norm, x = norms(w, label), z
  for i in range(2):
    x = torch.relu(norm(f'norm_dense_{i}', dense(w, f'dense_{i}', x)))
  x = layers.grid(x, 2, 3)
  x = torch.relu(norm('norm_0', doubling(w, 'up_0', x)))
  return torch.tanh(doubling(w, 'image', x))


def infogan_d(w, x, label):
  norm = norms(w)
  x = leaky(halving(w, 'down_0', x))
  x = leaky(norm('norm_1', halving(w, 'down_1', x)))
  x = dense(w, 'dense_0', layers.flat(x))
  x = leaky(norm('norm_dense_0', x))
  return layers.projected(w, x, label)


NETWORKS = {
  'sndcgan_g': sndcgan_g,
  'sndcgan_d': sndcgan_d,
  'infogan_g': infogan_g,
  'infogan_d': infogan_d,
}


def test_every_frozen_network_is_among_them():
  assert set(NETWORKS) == set(frozen.CONVOLUTIONS)


@pytest.mark.parametrize('name', NETWORKS)
def test_values_and_slopes(name):
  by_torch.compare_frozen(frozen.CASES[name], NETWORKS[name])
