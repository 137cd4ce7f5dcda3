"""A run that is killed goes on with the very p that its augmentation had."""

import signal

import numpy as np
import pytest

from tests.run.test_resume import (
  arguments,
  assert_same,
  drive,
  leaves,
  reported,
  saved,
  stop_after_a_checkpoint,
)

pytestmark = pytest.mark.slow  # three processes
STEPS = 120
CHAIN = {
  'name': 'apa', 'kimg': 0.5, 'target': -0.9,
  'then': {'name': 'diffusion_noise', 'kimg': 5.0, 'interval': 3, 'p': 0.5},
}  # fmt: skip


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
  """(a whole run, one that was killed and went on, the steps it had)."""
  folder = tmp_path_factory.mktemp('augmented')
  more = {'augment': CHAIN, 'steps': STEPS}
  argv = {w: arguments('ring8', folder, w, **more) for w in ('whole', 'parted')}
  drive([argv['whole']])
  parted = folder / 'parted' / 'ring8'
  stop_after_a_checkpoint(argv['parted'], parted, signal.SIGKILL)
  there = saved(parted)
  drive([argv['parted']])
  return folder / 'whole' / 'ring8', parted, there


def test_p_is_restored_bit_for_bit(runs):
  whole, parted, there = runs
  assert max(there) < STEPS  # it was killed before its end
  assert_same(whole, parted, STEPS)
  last = leaves(parted, STEPS)
  of_p = {k: v for k, v in last.items() if k.endswith('/p')}
  assert len(of_p) == 2 and all('augment' in name for name in of_p)
  assert all((p > 0).all() and (p != 0.5).all() for p in of_p.values())


def test_p_is_reported(runs):
  rows = [row for row in reported(runs[0]) if 'augment_p' in row]
  assert len(rows) >= 2
  values = [row['augment_p'] for row in rows]
  values += [row['augment_then_p'] for row in rows]
  assert np.isfinite(values).all() and max(values) > 0
