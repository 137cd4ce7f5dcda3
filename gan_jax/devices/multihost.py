"""Several processes that train as one: who they are, and what they share.

All of them run the same program on their own devices. Process 0 alone owns the
workdir; what it finds there, or decides, is shared, so that all go the same
way. Nobody outlives a peer: the launcher starts all of them again, and they go
on from the newest checkpoint.
"""

import itertools
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

import jax
import numpy as np
from jax.experimental import multihost_utils

from gan_jax.types import Tree, UserError

# JAX's own limits are 100 and 300 seconds: as long would all others hang.
HEARTBEAT_SECONDS = 10
# While process 0 still scores, the others wait for it at their end.
SHUTDOWN_SECONDS = 24 * 3600
GRACE_SECONDS = 1.0  # process 0 stays as long, so that all can say why they end


def join(coordinator: str = '', num_processes: int = 0, process_id: int = -1):
  """Joins the processes that the flags name, or the environment, if any.

  To be called before JAX starts. The environment is that of SLURM's srun with
  several tasks, of Open MPI, or of a TPU pod.

  Args:
    coordinator: HOST:PORT of process 0, or '' for what the environment says.
    num_processes: with a coordinator, how many there are.
    process_id: with a coordinator, which one this is, from 0.

  Raises:
    UserError: flags that do not fit together.
  """
  _check(coordinator, num_processes, process_id)
  limits = {
    'heartbeat_timeout_seconds': HEARTBEAT_SECONDS,
    'shutdown_timeout_seconds': SHUTDOWN_SECONDS,
  }
  if coordinator:
    jax.distributed.initialize(coordinator, num_processes, process_id, **limits)
  elif _several_around():
    jax.distributed.initialize(**limits)


def _check(coordinator, num_processes, process_id):
  if not coordinator:
    for flag, value in (
      ('num_processes', num_processes > 0),
      ('process_id', process_id >= 0),
    ):
      if value:
        raise UserError(f'--{flag} is given, but no --coordinator=HOST:PORT.')
    return
  host, _, port = coordinator.rpartition(':')
  if not host or not port.isdecimal() or not 0 < int(port) < 65536:
    raise UserError(f'--coordinator={coordinator}: expected HOST:PORT.')
  if num_processes < 1:
    raise UserError(
      f'--num_processes={num_processes}: expected at least 1 with a'
      ' --coordinator.'
    )
  if not 0 <= process_id < num_processes:
    raise UserError(
      f'--process_id={process_id}: expected 0 to {num_processes - 1}, as'
      f' --num_processes={num_processes}.'
    )


def _several_around():
  """Whether a launcher has started this process as one of several."""
  counts = ('SLURM_STEP_NUM_TASKS', 'OMPI_COMM_WORLD_SIZE')
  hosts = os.environ.get('TPU_WORKER_HOSTNAMES', '')
  return ',' in hosts or any(
    int(os.environ.get(name, '1')) > 1 for name in counts
  )


def several() -> bool:
  """Whether this process is one of several."""
  return jax.distributed.is_initialized() and jax.process_count() > 1


def is_first() -> bool:
  """Whether this is process 0, which owns the workdir."""
  return not several() or jax.process_index() == 0


def broadcast(tree: Tree) -> Tree:
  """Process 0's arrays, bit for bit, as NumPy's; alone: the very same tree.

  Args:
    tree: arrays; the same structure, shapes and dtypes in all processes.
  """
  if not several():
    return tree
  # As whole numbers: a sum with zeros would make 0. of -0.
  leaves, treedef = jax.tree.flatten(jax.tree.map(np.asarray, tree))
  raw = b''.join(leaf.tobytes() for leaf in leaves)
  got = _broadcast_bytes(raw, len(raw))
  ends = np.cumsum([leaf.nbytes for leaf in leaves])
  parts = [
    np.frombuffer(got[end - leaf.nbytes : end], leaf.dtype).reshape(leaf.shape)
    for leaf, end in zip(leaves, ends, strict=True)
  ]
  return jax.tree.unflatten(treedef, parts)


def share(value=None):
  """What process 0 gives to it, anything that JSON keeps; alone: the same."""
  if not several():
    return value
  raw = json.dumps(value).encode() if is_first() else b''
  size = int(multihost_utils.broadcast_one_to_all(np.int32(len(raw))))
  return json.loads(_broadcast_bytes(raw, size))


def _broadcast_bytes(raw, size):
  padded = np.zeros(-(-size // 4) * 4, np.uint8)
  if is_first():
    padded[:size] = np.frombuffer(raw, np.uint8)
  words = multihost_utils.broadcast_one_to_all(padded.view(np.uint32))
  return np.asarray(words).tobytes()[:size]


def on_process_0(function: Callable):
  """What a function gives in process 0, where alone it is called, for all.

  Raises:
    UserError: in all of them, if it does so in process 0.
  """
  if not several():
    return function()
  told = None
  if is_first():
    try:
      told = {'value': function()}
    except UserError as e:
      told = {'mistake': str(e)}
  told = share(told)
  if 'mistake' in told:
    raise UserError(told['mistake'])
  return told['value']


def agreed(stop_signal: Callable) -> Callable:
  """A stop signal that all processes heed at the same call.

  JAX's preemption service listens to SIGTERM, and lets all processes know of
  the first one that gets it; other stop signals are passed on as one.

  Args:
    stop_signal: () -> the signal that came in here, or None.

  Returns:
    the same for all; to be called equally often in all processes.
  """
  if not several():
    return stop_signal
  calls, told = itertools.count(), []

  def poll():
    if not told and multihost_utils.reached_preemption_sync_point(next(calls)):
      told.append(stop_signal() or signal.SIGTERM)
      # From here on a second one ends it at once.
      signal.signal(signal.SIGTERM, lambda signum, _: os._exit(128 + signum))
    return told[0] if told else None

  return poll


def pass_on():
  """Lets JAX's preemption service know that this process is to stop."""
  os.kill(os.getpid(), signal.SIGTERM)


def part():
  """Waits for all processes at their common end; then each is alone."""
  if several():
    jax.distributed.shutdown()


def leave(code: int):
  """Ends this process as one of several; alone it does nothing.

  Not by an exception: at exit JAX waits for all processes, those too that wait
  for this one.
  """
  if several():
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(GRACE_SECONDS if is_first() else 0)
    os._exit(code)


def tell_failure():
  """Says in which of several processes an exception was raised."""
  if several():
    traceback.print_exc()
    print(
      f'error: process {jax.process_index()} of {jax.process_count()} ends by'
      f' {type(sys.exception()).__name__}; the same command in all of them goes'
      ' on from the newest checkpoint',
      file=sys.stderr,
    )
