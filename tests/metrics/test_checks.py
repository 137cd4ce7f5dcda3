"""What cannot be measured is refused in one line."""

import numpy as np
import pytest

from gan_jax.metrics import class_coverage as coverage_lib
from gan_jax.metrics import fid, prdc
from gan_jax.metrics import modes as modes_lib
from gan_jax.metrics.features import pixels
from gan_jax.types import UserError

GOOD = np.random.default_rng(4).normal(size=(9, 3))
NAN = np.where(np.arange(27).reshape(9, 3) == 5, np.nan, GOOD)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: fid.frechet_distance(GOOD, NAN), 'features_b: 1 of 9'),
    (lambda: fid.frechet_distance(GOOD, GOOD / 0), 'NaN or infinity'),
    (lambda: fid.frechet_distance(GOOD, GOOD[:1]), 'at least 2 .* got 1'),
    (lambda: fid.frechet_distance(GOOD, GOOD[:, :2]), '3 dim.* 2'),
    (lambda: fid.frechet_distance(GOOD[None], GOOD), r'\[1, 9, 3\]'),
    (lambda: fid.frechet_from_statistics([0], [[1]], [0], [1]), 'expected'),
    (
      lambda: fid.frechet_from_statistics([0], [[1]], [np.nan], [[1]]),
      'NaN',
    ),
    (lambda: prdc.prdc(GOOD, GOOD[:5], k=5), 'fake: at least 6 .* got 5'),
    (lambda: prdc.prdc(GOOD, GOOD, k=0), 'k of 1'),
    (lambda: prdc.prdc(NAN, GOOD), 'real: 1 of 9'),
    (lambda: prdc.prdc(GOOD, GOOD[:, 0]), r'\[N, D\], got \[9\]'),
    (
      lambda: modes_lib.modes(GOOD, GOOD[:, :2], 0.01),
      '3 dimensions, centers 2',
    ),
    (lambda: modes_lib.modes(NAN, GOOD, 0.01), 'samples: 1 of 9'),
    (lambda: modes_lib.modes(GOOD, GOOD, 0.0), 'std above 0'),
    (lambda: modes_lib.modes(GOOD[:0], GOOD, 1.0), 'at least 1'),
    (lambda: coverage_lib.class_coverage([0, 4], 4), 'from 0 to 4'),
    (lambda: coverage_lib.class_coverage(GOOD, 4), r'\[N, 4\]'),
    (lambda: coverage_lib.class_coverage(NAN, 3), 'NaN'),
    (lambda: coverage_lib.class_coverage([], 3), 'expected'),
    (lambda: pixels.extract(GOOD[0]), r'\[3\]'),
    (lambda: pixels.extract(np.zeros((1, 3, 3, 1)), shrink=2), 'shrunk by 2'),
  ],
)
@pytest.mark.filterwarnings('ignore:divide by zero')
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)
