"""One of several processes that train, for tests/test_peers.py.

It tells a hash of its last state, and may be made to fail. The environment:
FAIL_AT=STEP raises an exception then.
"""

import hashlib
import os

import jax
import numpy as np

from gan_jax import train
from gan_jax.run import command, null_hooks
from gan_jax.run import hooks as hooks_lib


def digest(state) -> str:
  """sha256 of all leaves."""
  found = hashlib.sha256()
  for leaf in jax.tree.leaves(state):
    found.update(np.ascontiguousarray(leaf).tobytes())
  return found.hexdigest()


def watch(kind):
  """Lets a Hooks or an NullHooks tell how it ended, and fail where asked."""
  finish, tick = kind.finish, kind.tick

  def telling(self, outcome, stop_signal):
    print(f'state {outcome.step} {digest(outcome.state)}', flush=True)
    return finish(self, outcome, stop_signal)

  def failing(self, step):
    if 0 < int(os.environ.get('FAIL_AT', '0')) <= step:
      raise RuntimeError('made to fail')
    tick(self, step)

  kind.finish, kind.tick = telling, failing


if __name__ == '__main__':
  watch(hooks_lib.Hooks)
  watch(null_hooks.NullHooks)
  command.run(train.main)
