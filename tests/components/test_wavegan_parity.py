"""WaveGAN beside PyTorch, with the same weights: values and gradients."""

import functools

import jax
import numpy as np

from gan_jax.models import wavegan
from tests.components.by_torch import F, compare, parameters, torch

SAME = (10, 11)  # moments that TensorFlow pads for 25 taps and a stride of 4


def shuffled(x, shift):
  """[C, T] later by `shift`, mirrored at the edge, as PyTorch pads."""
  pads = (shift, 0) if shift > 0 else (0, -shift)
  padded = F.pad(x[None], pads, mode='reflect')[0]
  return padded[:, : x.shape[1]] if shift > 0 else padded[:, -shift:]


def dense(p, x):
  return x @ p['kernel'] + p['bias']


def g_by_torch(p, z, *, base, widths):
  x = dense(p['start'], z)
  x = x.reshape(len(z), base, widths[0]).transpose(1, 2)  # [B, C, T]
  for i in range(len(widths)):
    own = p[f'up_{i}']
    # Ours does not mirror the kernel, theirs does.
    kernel = own['kernel'].flip(0)[:, 0].permute(1, 2, 0)  # [C, O, taps]
    x = F.conv_transpose1d(torch.relu(x), kernel, own['bias'], stride=4)
    x = x[:, :, SAME[0] : -SAME[1]]
  return torch.tanh(x).transpose(1, 2)


def d_by_torch(p, x, *, shifts):
  x = x.transpose(1, 2)
  for i in range(len(shifts) + 1):
    own = p[f'down_{i}']
    kernel = own['kernel'][:, 0].permute(2, 1, 0)  # [O, C, taps]
    x = F.conv1d(F.pad(x, SAME), kernel, own['bias'], stride=4)
    x = F.leaky_relu(x, 0.2)
    if i < len(shifts):
      moved = zip(x, shifts[i], strict=True)
      x = torch.stack([shuffled(one, int(s)) for one, s in moved])
  return dense(p['logits'], x.transpose(1, 2).flatten(1))[:, 0]


def test_a_generator_is_pytorchs():
  g = wavegan.Generator(shape=(1024, 1), widths=(12, 8, 6))
  z = np.random.default_rng(1).uniform(-1, 1, (3, 20)).astype(np.float32)
  params = parameters(g, z, scale=0.1)
  ours = lambda p, z: g.apply({'params': p}, z, train=False)
  theirs = functools.partial(g_by_torch, base=16, widths=(12, 8, 6))
  compare(ours, theirs, params, z)


def test_a_discriminator_is_pytorchs_with_its_shifts():
  d = wavegan.Discriminator(widths=(6, 8, 12))
  rng = np.random.default_rng(1)
  x = rng.uniform(-1, 1, (4, 1024, 1)).astype(np.float32)
  draws = rng.uniform(size=(4, 2, 16)).astype(np.float32)
  params = parameters(d, x, scale=0.1)
  ours = lambda p, x: d.apply({'params': p}, (x, draws), train=False)
  shifts = np.floor(5 * draws[:, 0, :2]).astype(int).T - 2  # [layers, B]
  of = functools.partial
  theirs = compare(ours, of(d_by_torch, shifts=shifts), params, x)
  p = jax.tree.map(torch.tensor, params)
  still = d_by_torch(p, torch.tensor(x), shifts=0 * shifts).numpy()
  assert np.abs(theirs - still).max() > 1e-3
