"""What a study of many cells and jobs does once, and not for each."""

import jax
import pytest

from gan_jax.game import optim
from gan_jax.run.config import recipe
from gan_jax.study import memory, schedule
from tests.study.test_study_plan import clone, load  # noqa: F401

RATES = tuple(1e-3 * 1.1**k for k in range(12))


@pytest.fixture
def counted(monkeypatch):
  """count(module, name): the calls of a function, a list that grows."""

  def count(module, name):
    calls, real = [], getattr(module, name)
    spy = lambda *args, **kw: calls.append(args) or real(*args, **kw)
    monkeypatch.setattr(module, name, spy)
    return calls

  return count


def test_cells_that_differ_in_numbers_share_their_traces(tmp_path, counted):
  traced, read = counted(memory, '_bound'), counted(recipe, 'load')
  counts = []
  for rates in (RATES[:3], RATES):
    study = load(tmp_path, factors={'optim.g.learning_rate': rates})
    assert len(study.cells) == len(rates)
    schedule.schedule(study, tmp_path / f'runs{len(rates)}', workers=1)
    counts.append((len(traced), len(read)))
    del traced[:], read[:]
  assert counts == [(1, 1), (1, 1)]


def test_each_structure_is_measured(tmp_path, counted):
  """Those of other losses are other programs."""
  traced = counted(memory, '_bound')
  study = load(tmp_path, factors={'loss.name': ('hinge', 'lsgan', 'ragan')})
  schedule.schedule(study, tmp_path / 'runs', workers=1)
  assert len(traced) == 3


def test_each_optimizer_is_tried_once(tmp_path, counted, monkeypatch):
  monkeypatch.setattr(optim, '_fine', optim._Tried())
  monkeypatch.setattr(optim, '_traceable', optim._Tried())
  fine, traceable = counted(optim, '_check'), counted(optim, '_is_traceable')
  load(tmp_path, factors={'optim.g.learning_rate': RATES})
  # Each rate of G, D's own, and both of them while they were completed.
  assert len(fine) <= len(RATES) + 2
  assert len(traceable) <= 2


def test_an_optimizer_that_fails_fails_again():
  for _ in range(2):
    with pytest.raises(ValueError, match='clip_norm=-1'):
      optim.make_optimizer('adam', learning_rate=1e-3, clip_norm=-1.0)


def test_only_the_last_trials_are_kept():
  tried, calls = optim._Tried(), []
  for key in range(optim.KEPT + 1):
    tried.get((key,), lambda: calls.append(1))
  tried.get((optim.KEPT,), lambda: calls.append(1))
  assert len(calls) == optim.KEPT + 1
  tried.get((0,), lambda: calls.append(1))
  assert len(calls) == optim.KEPT + 2


def test_traced_numbers_are_not_tried(counted):
  tried = counted(optim, '_check')
  make = lambda rate: optim.make_optimizer('adam', learning_rate=rate).init(0.0)
  jax.eval_shape(make, 1e-3)
  assert not tried
