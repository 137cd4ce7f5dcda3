"""What looks at more than an example: the same on any number of devices."""

import pytest

from tests import tiny
from tests.devices.test_parallel import ran


@pytest.mark.parametrize(
  'wrapper', ['shard_map', pytest.param('pmap', marks=pytest.mark.slow)]
)
@pytest.mark.parametrize('shrink', [2, 4])
def test_the_average_length_is_that_of_the_global_batch(wrapper, shrink):
  """Of two examples to a device, one counts, or at each second device one."""
  own = {'weight': 0.1, 'decay': 0.5, 'shrink': shrink, 'space': 'z'}
  game = {'penalties': {'path_length': own | {'every': 2}}}
  one, _ = ran('jit', 1, **game)
  many, _ = ran(wrapper, 8, **game)
  assert one.memo['g/path_length'] > 0.1
  assert tiny.distance(one, many) < 1e-6
