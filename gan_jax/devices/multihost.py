"""Several processes that train as one: who they are and what they share.

All of them run the same program, each on its own devices. Process 0 alone owns
the workdir; it shares what it reads there and what it decides, so that all take
the same path. If one process dies, the others end as well: the launcher
restarts all of them, and they resume from the newest checkpoint.
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

# JAX's defaults are 100 and 300 seconds, and all others would hang that long.
HEARTBEAT_SECONDS = 10
# At the end the others wait for process 0, which may still be scoring.
SHUTDOWN_SECONDS = 24 * 3600
# Process 0 hosts the coordinator. It stays this long, so that the others can
# print their own error before they lose it.
GRACE_SECONDS = 1.0


def join(coordinator: str = '', num_processes: int = 0, process_id: int = -1):
  """Joins the processes given by the flags or by the environment, if any.

  To be called before JAX starts. Environments are SLURM's srun with several
  tasks, Open MPI, and TPU pods.

  Args:
    coordinator: HOST:PORT of process 0, or '' to use the environment.
    num_processes: with a coordinator, the number of processes.
    process_id: with a coordinator, the number of this one, from 0.

  Raises:
    UserError: the flags are inconsistent.
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
        raise UserError(f'--{flag} needs --coordinator=HOST:PORT.')
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
      f'--process_id={process_id}: expected 0 to {num_processes - 1}, with'
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
  """Process 0's arrays, bit for bit, as NumPy arrays; alone: the tree itself.

  Args:
    tree: arrays; the same structure, shapes and dtypes in all processes.
  """
  if not several():
    return tree
  # As integers: JAX broadcasts by summing with the other processes' zeros,
  # which would turn a float -0. into 0.
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
  """Process 0's value, anything that JSON can hold; alone: the value."""
  if not several():
    return value
  # The size first: all processes must pass arrays of the same shape.
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
  """Calls a function in process 0 only; returns its result in all.

  Raises:
    UserError: in all processes, if the function raises it in process 0.
  """
  if not several():
    return function()
  outcome = None
  if is_first():
    try:
      outcome = {'value': function()}
    except UserError as e:
      outcome = {'mistake': str(e)}
  outcome = share(outcome)
  if 'mistake' in outcome:
    raise UserError(outcome['mistake'])
  return outcome['value']


def agreed(stop_signal: Callable) -> Callable:
  """A stop signal that all processes see at the same call.

  JAX's preemption service listens for SIGTERM and notifies all processes of the
  first one that receives it; other stop signals are passed on as SIGTERM.

  Args:
    stop_signal: () -> the signal that this process received, or None.

  Returns:
    () -> the signal or None, the same in all processes; to be called equally
    often in all of them.
  """
  if not several():
    return stop_signal
  calls, received = itertools.count(), []

  def poll():
    # The service agrees on a call number that no process has reached yet.
    at_sync_point = multihost_utils.reached_preemption_sync_point
    if not received and at_sync_point(next(calls)):
      received.append(stop_signal() or signal.SIGTERM)
      # From now on a second signal ends the process at once.
      signal.signal(signal.SIGTERM, lambda signum, _: os._exit(128 + signum))
    return received[0] if received else None

  return poll


def pass_on():
  """Notifies JAX's preemption service that this process is to stop."""
  os.kill(os.getpid(), signal.SIGTERM)


def part():
  """Waits for all processes to reach the common end, and disconnects them."""
  if several():
    jax.distributed.shutdown()


def leave(code: int):
  """Ends this process if it is one of several.

  An exception would not do: at exit JAX waits for all processes, including
  those that are waiting for this one.
  """
  if several():
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(GRACE_SECONDS if is_first() else 0)
    os._exit(code)


def tell_failure():
  """Prints which of several processes raised an exception."""
  if several():
    traceback.print_exc()
    print(
      f'error: process {jax.process_index()} of {jax.process_count()} failed'
      f' with {type(sys.exception()).__name__}; rerun the same command in all'
      ' of them to resume from the newest checkpoint',
      file=sys.stderr,
    )
