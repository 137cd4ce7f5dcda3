"""Starts several processes that train as one, and sees how they end."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def free_port() -> int:
  """A port that nobody listens to just now."""
  with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    return s.getsockname()[1]


class Launch:
  """Processes of one run; a context manager that leaves none behind."""

  def __init__(self, folder, argv, *, processes, devices=1, slurm=False, **env):
    """Starts them.

    Args:
      folder: for their logs.
      argv: of train, without the flags that say who is who.
      processes: how many.
      devices: of each.
      slurm: whether they are told who they are as srun does it.
      **env: further environment: name=(value of process 0, of process 1, ...).
    """
    self.folder = pathlib.Path(folder)
    self.folder.mkdir(parents=True, exist_ok=True)
    port, self._processes = free_port(), []
    for k in range(processes):
      own = _slurm(port, processes, k) if slurm else {}
      own |= {name: values[k] for name, values in env.items()}
      flags = [] if slurm else _flags(port, processes, k)
      self._processes.append(self._start(k, [*argv, *flags], devices, own))

  def _start(self, k, argv, devices, env):
    with (self.folder / f'log{k}').open('w') as log:
      return subprocess.Popen(
        [sys.executable, '-m', 'tests.peer', *argv],
        cwd=ROOT,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ
        | {'JAX_PLATFORMS': 'cpu', 'JAX_NUM_CPU_DEVICES': str(devices)}
        | env,
      )

  def __enter__(self):
    return self

  def __exit__(self, *error):
    for process in self._processes:
      with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
      process.kill()
      process.wait()

  def log(self, k: int) -> str:
    """What a process has printed."""
    return (self.folder / f'log{k}').read_text(errors='replace')

  def send(self, k: int, signum: int):
    """Sends a signal to one of them."""
    self._processes[k].send_signal(signum)

  def wait(self, *, seconds: float = 300, but: tuple = ()) -> list:
    """Exit codes of all but some; None of those that did not end in time."""
    until, codes = time.monotonic() + seconds, []
    for k, process in enumerate(self._processes):
      if k in but:
        continue
      try:
        codes.append(process.wait(max(0, until - time.monotonic())))
      except subprocess.TimeoutExpired:
        codes.append(None)
    return codes

  def until(self, path, *, seconds: float = 300):
    """Waits for a file, as long as all of them live."""
    end = time.monotonic() + seconds
    while not pathlib.Path(path).exists():
      dead = [p.poll() for p in self._processes if p.poll() is not None]
      assert not dead and time.monotonic() < end, (dead, self.log(0))
      time.sleep(0.1)


def _flags(port, processes, k):
  return [
    f'--coordinator=127.0.0.1:{port}',
    f'--num_processes={processes}',
    f'--process_id={k}',
  ]


def _slurm(port, processes, k):
  # JAX takes the port out of the job's number.
  first = 65536 - 2**12
  return {
    'SLURM_JOB_ID': str(port % 2**12),
    'JAX_COORDINATOR_PORT': str(first + port % 2**12),
    'SLURM_STEP_NODELIST': '127.0.0.1',
    'SLURM_STEP_NUM_TASKS': str(processes),
    'SLURM_NTASKS': str(processes),
    'SLURM_PROCID': str(k),
    'SLURM_LOCALID': str(k),
    'SLURM_STEP_NUM_NODES': '1',
  }
