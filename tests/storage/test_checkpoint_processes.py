"""Checkpoints of a process that is killed, and of one among several."""

import pathlib
import random
import signal
import socket
import subprocess
import sys
import time

import pytest

from gan_jax.storage import format
from gan_jax.storage.checkpoints import Checkpoints
from tests.storage.test_checkpoints import assert_same, small

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = """
import sys
sys.path.insert(0, {root!r})
from tests.storage.test_checkpoints import Checkpoints, small
with Checkpoints({directory!r}, keep_last=2) as c:
  got = c.restore(small(0))
  step = got.step if got else 0
  while True:
    step += 1
    c.save(step, small(step), {{'at': step}}, score=step % 7)
"""


def wait_for_a_step(writer, directory, later_than):
  """However slow the disk is, there is a step to be found."""
  is_new = lambda s, path: s > later_than and format.is_finished(path)
  while not any(is_new(*own) for own in format.step_folders(directory).items()):
    assert writer.poll() is None
    time.sleep(0.01)


def test_kill_9_always_leaves_an_intact_step(tmp_path):
  draw = random.Random(5)
  code = WRITER.format(root=str(ROOT), directory=str(tmp_path))
  newest = 0
  for _ in range(4):
    writer = subprocess.Popen([sys.executable, '-c', code])
    wait_for_a_step(writer, tmp_path, newest)
    time.sleep(draw.random() / 2)  # wherever it is by then
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    with Checkpoints(tmp_path, read_only=True) as c:
      got = c.restore(small(0), say=lambda line: pytest.fail(line))
    assert got.step > newest and got.meta == {'at': got.step}
    assert_same(got.state, small(got.step))
    newest = got.step


ONE_OF_TWO = """
import os, sys, time
sys.path.insert(0, {root!r})
import jax
jax.config.update('jax_platforms', 'cpu')
jax.config.update('jax_num_cpu_devices', 2)
jax.distributed.initialize('127.0.0.1:{port}', 2, {own})
sys.excepthook = lambda *error: (sys.__excepthook__(*error), os._exit(1))
import numpy as np
from tests.storage.test_checkpoints import Checkpoints, assert_same, small
last = jax.local_devices()[-1]  # waits for the other one
if {own} == 0:
  for name, state in (
    ('numpy', lambda step: jax.tree.map(np.asarray, small(step))),
    ('local', lambda step: jax.device_put(small(step), last)),
  ):
    with Checkpoints({directory!r} + name, keep_last=2) as c:
      for step in (1, 2, 3):
        assert c.save(step, state(step), {{'at': step}}, score=step)
      c.wait()
      assert c.steps() == [1, 2, 3] and c.best_step() == 1
      for like in (state(0), jax.eval_shape(lambda: small(0))):
        got = c.restore(like)
        assert got.step == 3 and got.meta == {{'at': 3}}
        assert_same(got.state, small(3))
  print('all is well', flush=True)
  os._exit(0)
time.sleep(600)
"""


@pytest.mark.slow
def test_one_of_two_processes_saves_and_restores_alone(tmp_path):
  with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    port = s.getsockname()[1]
  told = {'root': str(ROOT), 'port': port}
  told['directory'] = str(tmp_path / 'c')
  first, second = (
    subprocess.Popen(
      [sys.executable, '-c', ONE_OF_TWO.format(own=own, **told)],
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    for own in (0, 1)
  )
  try:
    out, err = first.communicate(timeout=300)
  finally:
    second.kill()
    second.communicate()
    first.kill()
  assert first.returncode == 0 and 'all is well' in out, err
