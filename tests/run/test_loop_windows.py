"""Windows of health: what is seen between two reports, across stops."""

import json

import numpy as np
import pytest

from gan_jax.run import loop
from tests.run.test_loop import Fake, run


class Probed(Fake):
  """The fake, looked at after every third step."""

  @property
  def zeros(self):
    return super().zeros | {
      name: np.zeros(len(self.losses), np.float32)
      for name in ('health_x', 'health_probes')
    }

  def advance(self, kept, total, data, n):
    total = dict(self.get(total))
    health = {k: total.pop(k) for k in ('health_x', 'health_probes')}
    before = kept['kept']
    kept, total = super().advance(kept, self.put(total), data, n)
    seen = [s for s in range(before + 1, before + n + 1) if s % 3 == 0]
    health['health_x'] = health['health_x'] + sum(seen) * self.losses
    health['health_probes'] = health['health_probes'] + len(seen)
    return kept, self.put(self.get(total) | health)


def test_health_is_the_mean_of_the_looks():
  program = Probed(losses=(1.0, 10.0))
  rows = {}
  run(program, steps=9, every=(4, 0, 0), report=rows.__setitem__)
  assert {k: v['d_loss'].tolist() for k, v in rows.items()} == {
    4: [2.5, 25], 8: [6.5, 65], 9: [9, 90],
  }  # fmt: skip
  assert {k: v['health_x'].tolist() for k, v in rows.items()} == {
    4: [3, 30], 8: [6, 60], 9: [9, 90],
  }  # fmt: skip
  # Nobody looked: nothing is said, not even zero.
  run(Probed(), steps=4, every=(2, 0, 0), report=rows.__setitem__)
  assert set(rows[2]) == {'d_loss', 'g_loss'}
  assert set(rows[4]) == {'d_loss', 'g_loss', 'health_x'}


@pytest.mark.parametrize('stop_at', [1, 3, 4, 5, 6, 7])
def test_a_window_goes_on_where_a_run_was_stopped(stop_at):
  """Reports are due at 4, 8 and 10; one looks at 3, 6 and 9."""
  whole, parts = {}, {}
  losses = np.array([1 / 3, np.pi], np.float32)
  run(Probed(losses=losses), every=(4, 0, 0), report=whole.__setitem__)
  first = Probed(losses=losses, max_steps=1)
  run(first, every=(4, 0, 0), stop_at=stop_at, report=parts.__setitem__)
  *_, window = first.log[-1]
  assert window.since == stop_at // 4 * 4
  # As a checkpoint keeps it.
  window = loop.Window(**json.loads(json.dumps(window.as_json())))
  second = Probed(losses=losses)
  run(
    second,
    start=stop_at,
    every=(4, 0, 0),
    window=window,
    report=parts.__setitem__,
  )
  assert whole.keys() == parts.keys() == {4, 8, 10}
  for step, metrics in whole.items():
    assert metrics.keys() == parts[step].keys()
    for name, value in metrics.items():
      np.testing.assert_allclose(parts[step][name], value, rtol=1e-6)


def test_a_run_may_go_on_with_or_without_a_look():
  """Its health is free: what the window lacks begins, what is left is lost."""
  bare = loop.Window(0, {'d_loss': [3.0], 'g_loss': [3.0]})
  rows = {}
  run(Probed(), start=2, steps=4, window=bare, report=rows.__setitem__)
  assert rows[4]['d_loss'] == (3 + 3 + 4) / 4 and rows[4]['health_x'] == 3
  seen = loop.Window(0, bare.total | {'health_x': [5], 'health_probes': [1]})
  run(Fake(), start=2, steps=4, window=seen, report=rows.__setitem__)
  assert set(rows[4]) == {'d_loss', 'g_loss'}


def test_a_window_outlives_stops_without_a_step():
  window = loop.Window(3, {'d_loss': [np.nan, np.inf], 'g_loss': [1, 0.1]})
  program = Fake(losses=(1.0, 1.0))
  run(program, start=5, stop_at=5, window=window)
  assert program.log[-1] == ('save', 5, 5, window)
  kept = json.loads(json.dumps(window.as_json()))
  total = loop.Window(**kept).total
  assert np.array_equal(total['d_loss'], [np.nan, np.inf], equal_nan=True)
  assert np.float32(total['g_loss'][1]) == np.float32(0.1)
