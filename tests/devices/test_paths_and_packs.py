"""What looks at more than an example: the same on any number of devices."""

import pytest

from gan_jax import select
from gan_jax.game import objectives
from tests import tiny
from tests.devices.test_parallel import ran

LENGTH = {'weight': 0.1, 'decay': 0.5, 'space': 'z', 'every': 2}
WAYS = ['shard_map', pytest.param('pmap', marks=pytest.mark.slow)]


@pytest.mark.parametrize('wrapper', WAYS)
@pytest.mark.parametrize('shrink', [2, 4])
def test_the_average_length_is_that_of_the_global_batch(wrapper, shrink):
  """Of two examples to a device, one counts, or at each second device one."""
  game = {'penalties': {'path_length': LENGTH | {'shrink': shrink}}}
  one, _ = ran('jit', 1, **game)
  many, _ = ran(wrapper, 8, **game)
  assert one.memo['g/path_length'] > 0.1
  assert tiny.distance(one, many) < 1e-6


def test_the_average_length_goes_on_where_a_run_is_cut():
  game = {'penalties': {'path_length': LENGTH}}
  whole, parts = (ran('jit', 1, cuts=cuts, **game) for cuts in ((4,), (1, 3)))
  assert tiny.distance(whole, parts) == 0


@pytest.mark.parametrize('wrapper', WAYS)
def test_packs_are_those_of_the_global_batch(wrapper):
  game = {'pack': 2, 'penalties': {'gradient_penalty': {'weight': 0.1}}}
  one, _ = ran('jit', 1, **game)
  many, _ = ran(wrapper, 8, **game)
  assert one.players['d'].params['Dense_1']['kernel'].shape == (1, 4, 6)
  assert tiny.distance(one, many) < 1e-6


@pytest.mark.parametrize('wrapper', WAYS)
def test_each_example_s_latent_moves_by_itself(wrapper):
  penalties = {'logan': select.penalty('logan', rate=0.5, weight=0.2)}
  game = {'penalties': penalties, 'moves': objectives.moves_of(penalties)}
  one, _ = ran('jit', 1, **game)
  many, _ = ran(wrapper, 8, **game)
  still, _ = ran('jit', 1)
  assert tiny.distance(one.players, still.players) > 1e-3
  assert tiny.distance(one, many) < 1e-6
