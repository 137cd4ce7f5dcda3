"""Steps compiled for TPU slices that are not at hand: `pytest -m tpu`."""

import functools

import jax
import pytest

from experiments.zoo import games
from experiments.zoo.recipes import SLICES
from gan_jax import plan, recipes
from gan_jax.devices import chips, topologies
from gan_jax.run.planning import described, on_slice
from gan_jax.types import UserError
from tests.run.test_commands import complaint

pytestmark = [
  pytest.mark.tpu,
  pytest.mark.skipif(
    not topologies.available(), reason='libtpu, of the extra tpu'
  ),
]


@pytest.fixture(autouse=True)
def as_trained(monkeypatch, tmp_path):
  """Programs as they are for TPUs; no data are anywhere."""
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'nowhere'))
  jax.config.update('jax_disable_most_optimizations', False)
  yield
  jax.config.update('jax_disable_most_optimizations', True)  # see conftest


def of(name, slice_, **keys):
  config = recipes.load(name).to_dict() | keys
  setup_of = functools.partial(described.setup, **games.files(name))
  return on_slice.plan(setup_of, config, slice_)


@pytest.mark.parametrize('slice_', SLICES)
@pytest.mark.parametrize('name', recipes.names())
def test_every_recipe_is_compiled(name, slice_):
  """Or it is said with how many examples a step it would fit."""
  try:
    made = of(name, slice_)
  except UserError as e:
    assert 'batch_size=' in str(e) and f'fits on {slice_}' in str(e)
    return
  assert 0 < made['needed_per_chip'] <= made['memory_per_chip']
  assert made['flops_per_chip'] > 0
  assert bool(made['collectives']) == (made['chips'] > 1)


@pytest.mark.parametrize(
  'chip', [chip for chip in chips.CHIPS if chip.libtpu], ids=lambda c: c.name
)
def test_slices_of_every_generation(chip):
  for shape in ('1', '2'):
    name = f'{chip.name}:{"x".join([shape, shape, "1"][: chip.axes])}'
    where = topologies.find(name)
    assert where.chips == int(shape) ** 2
    assert len(where.devices) == where.per_chip * where.chips


@pytest.mark.parametrize('wrapper', ['jit', 'pmap', 'shard_map'])
@pytest.mark.parametrize('seeds', [1, 2, 4])
def test_shares(wrapper, seeds):
  made = of('ring8:tiny', 'v5e:2x2', parallel=wrapper, num_seeds=seeds)
  assert made['wrapper'] == wrapper
  share = made['seeds_per_chip'] * made['batch_per_chip']
  assert share == seeds * 8 / 4
  # Seeds apart tell each other nothing, but jit's partitioner one number.
  apart = made['seeds_per_chip'] == 1 and seeds == 4
  assert (made['collective_bytes'] <= 4) == apart


def test_what_does_not_fit(capfd):
  argv = '--config=ring8', '--config.batch_size=16777216'
  line = complaint(capfd, plan.main, *argv, '--topology=v5e:1x1')
  assert 'a chip has 16.0 GiB, the step needs' in line
  assert 'fits on v5e:1x1' in line and 'chips' in line


def test_a_batch_that_the_chips_cannot_split(capfd):
  argv = '--config=ring8', '--config.batch_size=6', '--topology=v5e:2x2'
  assert 'batch_size=6' in complaint(capfd, plan.main, *argv)
