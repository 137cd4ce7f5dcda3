"""WaveGAN beside PyTorch, with the same weights: values and gradients."""

import jax
import numpy as np

from gan_jax.models import wavegan
from tests.components.by_torch import compare, networks, parameters, torch

theirs, Weights = networks('wavegan'), networks('weights').Weights


def g_by_torch(p, z):
  own = {'shape': (1024, 1), 'widths': (12, 8, 6)}
  return theirs.generator(Weights(p), {'z': z}, None, **own).transpose(1, 2)


def d_by_torch(p, x, shifts):
  own = {'shape': (1024, 1), 'widths': (6, 8, 12)}
  drawn = {'shift': torch.from_numpy(shifts)}
  w, x = Weights(p), x.transpose(1, 2)
  return theirs.discriminator(w, x, None, drawn, **own)


def test_a_generator_is_pytorchs():
  g = wavegan.Generator(shape=(1024, 1), widths=(12, 8, 6))
  z = np.random.default_rng(1).uniform(-1, 1, (3, 20)).astype(np.float32)
  params = parameters(g, z, scale=0.1)
  ours = lambda p, z: g.apply({'params': p}, z, train=False)
  compare(ours, g_by_torch, params, z)


def test_a_discriminator_is_pytorchs_with_its_shifts():
  d = wavegan.Discriminator(widths=(6, 8, 12))
  rng = np.random.default_rng(1)
  x = rng.uniform(-1, 1, (4, 1024, 1)).astype(np.float32)
  draws = rng.uniform(size=(4, 2, 16)).astype(np.float32)
  params = parameters(d, x, scale=0.1)
  ours = lambda p, x: d.apply({'params': p}, (x, draws), train=False)
  shifts = np.floor(5 * draws[:, 0, :2]).astype(int) - 2  # [B, layers]
  made = compare(ours, lambda p, x: d_by_torch(p, x, shifts), params, x)
  p = jax.tree.map(torch.tensor, params)
  still = d_by_torch(p, torch.tensor(x), 0 * shifts).numpy()
  assert np.abs(made - still).max() > 1e-3


def test_a_shift_is_later_and_mirrored_at_the_edge():
  x = torch.arange(5.0)[None, None].expand(3, 1, -1)
  made = theirs.shuffled(x, torch.tensor([1, -2, 0]))[:, 0].tolist()
  assert made == [[1, 0, 1, 2, 3], [2, 3, 4, 3, 2], [0, 1, 2, 3, 4]]
