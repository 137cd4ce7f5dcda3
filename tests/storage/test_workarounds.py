"""Orbax and TensorStore are changed around our calls, and only there."""

import asyncio
import errno
import sys
import time

import orbax.checkpoint as ocp
import pytest
import tensorstore as ts
from orbax.checkpoint._src import asyncio_utils
from orbax.checkpoint._src.futures import future
from orbax.checkpoint._src.serialization import tensorstore_utils

from gan_jax.storage import workarounds
from gan_jax.storage.checkpoints import Checkpoints, SaveFailed
from tests.storage.test_checkpoints import small

PLACES = [
  (asyncio_utils, '_run_sync_via_new_loop'),
  (tensorstore_utils, 'get_tensorstore_raw_bytes'),
  (ts.KvStore.Spec, 'to_json'),
]


def there():
  return [vars(owner)[name] for owner, name in PLACES]


USUAL = there()


def test_blocks_may_overlap():
  with workarounds.applied():
    changed = there()
    assert all(a is not b for a, b in zip(USUAL, changed, strict=True))
    with workarounds.applied():
      assert there() == changed
    assert there() == changed
  assert there() == USUAL


def test_answers_stay_right():
  memory, file = ({'driver': d, 'path': 'a/'} for d in ('memory', 'file'))
  usual = [ts.KvStore.Spec(one).to_json() for one in (memory, file)]
  with workarounds.applied():
    for one, answer in zip(
      (memory, file, file), [*usual, usual[1]], strict=True
    ):
      again = ts.KvStore.Spec(one).to_json()
      assert again == answer
      again['path'] = 'elsewhere'  # nobody else sees it


def test_they_last_as_long_as_a_save(tmp_path):
  with Checkpoints(tmp_path) as c:
    c.save(1, small(1), {})
    assert there() != USUAL
    c.wait()
    assert there() == USUAL
    c.restore(small(0))
    assert there() == USUAL
    c.save(2, small(2), {})
  assert there() == USUAL


@pytest.mark.parametrize('part', ['save', 'wait_until_finished'])
def test_a_failed_save_ends_them_too(part, tmp_path, monkeypatch):
  def full(*args, **options):
    raise OSError(errno.ENOSPC, 'full')

  with Checkpoints(tmp_path) as c:
    monkeypatch.setattr(ocp.CheckpointManager, part, full)
    with pytest.raises(SaveFailed):
      c.save(1, small(1), {}, wait=True)
    monkeypatch.undo()
    assert there() == USUAL


def test_they_last_as_long_as_the_threads_of_a_failed_save():
  seen = []

  def late():
    time.sleep(0.1)
    seen.append(there())
    raise KeyError('leaf')

  with workarounds.applied():
    changed = there()
    future._SignalingThread(
      target=late, send_signals=[], receive_signals=[]
    ).start()
  assert seen == [changed]


def test_what_was_begun_is_ended():
  """A failed read does not close the loop under the others."""
  ended = []

  async def slow():
    await asyncio.sleep(0.05)
    ended.append(True)

  async def fail():
    asyncio.get_running_loop().create_task(slow())
    raise KeyError('leaf')

  with workarounds.applied(), pytest.raises(KeyError):
    asyncio_utils.run_sync(fail())
  assert ended


def test_what_lasts_too_long_tells_no_closed_loop(monkeypatch):
  monkeypatch.setattr(workarounds, 'WAIT_SECONDS', 0.05)
  promise, future = ts.Promise.new()
  errors = []

  async def wait():
    await future

  async def begin():
    asyncio.get_running_loop().create_task(wait())
    await asyncio.sleep(0)

  with workarounds.applied():
    asyncio_utils.run_sync(begin())
  monkeypatch.setattr(sys, 'unraisablehook', errors.append)
  promise.set_result(1)
  assert future.cancelled() and not errors
