"""How steps and seeds are arranged, and which devices share what."""

import functools

import jax
import numpy as np
import pytest

from gan_jax.devices import parallel
from tests import tiny
from tests.devices.test_parallel import APART, LOOP, TURNS


def test_layout_is_chosen_by_backend_and_model():
  z = np.zeros((1, 2), np.float32)
  for net, convolves in (
    (tiny.Discriminator(), False),
    (tiny.ConvDiscriminator(), True),
  ):
    init = functools.partial(net.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), z)
    apply = functools.partial(net.apply, train=False)
    assert parallel.has_convolution(apply, params, z) is convolves
  choose = parallel.choose_layout
  unrolled = APART._replace(unroll=True)
  assert choose(convolutions=True, backend='cpu') == unrolled
  assert choose(convolutions=False, backend='cpu') == TURNS
  assert choose(convolutions=True, backend='tpu') == LOOP


@pytest.mark.parametrize(
  'seeds, devices, wrapper, grid',
  [
    (1, 8, 'pmap', (1, 8)),
    (16, 8, 'pmap', (8, 1)),
    (4, 8, 'pmap', (1, 8)),
    (4, 8, 'shard_map', (4, 2)),
    (6, 8, 'jit', (2, 4)),
  ],
)
def test_seeds_are_split_first(seeds, devices, wrapper, grid):
  found = parallel.device_grid(seeds, devices, wrapper=wrapper, layout=LOOP)
  assert found == grid
  apart = parallel.device_grid(seeds, devices, wrapper=wrapper, layout=APART)
  assert apart == (1, devices)
  turns = parallel.device_grid(seeds, devices, wrapper=wrapper, layout=TURNS)
  assert turns == ((1, devices) if wrapper == 'jit' else grid)
