"""R3GAN beside PyTorch, by the paper's description, with the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import r3gan
from gan_jax.models.layers import resampling
from tests.components.by_torch import compare, networks, parameters, torch
from tests.components.compiled import close

theirs, Weights = networks('r3gan'), networks('weights').Weights
LABEL = np.array([2, 0, 1])
SIZES = {'depth': 2, 'group': 4}


def g_by_torch(p, z, *, shape):
  own = {'shape': shape, 'widths': (8, 8, 4), **SIZES}
  label = torch.from_numpy(LABEL)
  x = theirs.generator(Weights(p), {'z': z}, label, **own)
  return x.permute(0, 2, 3, 1)


def d_by_torch(p, x, *, shape):
  own = {'shape': shape, 'widths': (4, 8, 8), **SIZES}
  w, x, label = Weights(p), x.permute(0, 3, 1, 2), torch.from_numpy(LABEL)
  return theirs.discriminator(w, x, label, None, **own)


@pytest.mark.parametrize('shape', [(16, 16, 3), (10, 19, 1)])
def test_a_generator_and_its_gradients_are_pytorchs(shape):
  g = r3gan.Generator(shape=shape, widths=(8, 8, 4), num_classes=3, **SIZES)
  z = np.random.default_rng(1).normal(size=(3, 6)).astype(np.float32)
  params = parameters(g, z, LABEL)
  ours = lambda p, z: g.apply({'params': p}, z, LABEL, train=True)
  compare(ours, lambda p, z: g_by_torch(p, z, shape=shape), params, z)


@pytest.mark.parametrize('shape', [(16, 16, 3), (11, 19, 1)])
def test_a_discriminator_and_its_gradients_are_pytorchs(shape):
  d = r3gan.Discriminator(widths=(4, 8, 8), num_classes=3, **SIZES)
  x = np.random.default_rng(1).normal(size=(3, *shape)).astype(np.float32)
  params = parameters(d, x, LABEL)
  ours = lambda p, x: d.apply({'params': p}, x, LABEL, train=True)
  compare(ours, lambda p, x: d_by_torch(p, x, shape=shape), params, x)


def test_a_grid_smoothly_doubled_and_halved_is_filtered():
  x = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype(np.float32)
  smooth = networks('layers').smooth
  planes = torch.from_numpy(x).permute(0, 3, 1, 2)
  by_torch = lambda doubles: (
    smooth(planes, doubles=doubles).permute(0, 2, 3, 1).numpy()
  )
  close(resampling.smoothly_doubled(jnp.array(x)), by_torch(True))
  close(jax.jit(resampling.smoothly_halved)(x), by_torch(False))
