"""Dense networks, of points and vectors."""

import math

from torch import nn

from experiments.benchmarks.torch_networks import layers

ACTIVATIONS = {'relu': nn.functional.relu}


def _hidden(w, x, hidden, activation):
  for i in range(len(hidden)):
    x = ACTIVATIONS[activation](layers.dense(w, f'hidden_{i}', x))
  return x


def generator(w, drawn, label, *, shape, hidden, activation, norm):
  """Latents to points [B, N]."""
  assert label is None and norm == 'none'
  x = layers.dense(w, 'sample', _hidden(w, drawn['z'], hidden, activation))
  assert x.shape[1] == math.prod(shape)
  return x


def discriminator(w, x, label, drawn, *, shape, hidden, activation, norm):
  """Points to logits [B]."""
  del drawn, shape
  assert norm == 'none'
  return layers.projected(w, _hidden(w, x, hidden, activation), label)
