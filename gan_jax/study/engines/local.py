"""One job after another in this process, each on all devices."""

import threading
from collections.abc import Callable

from gan_jax.study import worker
from gan_jax.study.jobs import Engine, Work
from gan_jax.types import UserError

SECONDS = 1.0  # between two calls of watch


def make(*, workers: int = 0) -> Engine:
  """The engine.

  Args:
    workers: 1, or 0 for the default, which is 1.

  Raises:
    UserError: more than one.
  """
  if workers > 1:
    raise UserError(
      f'--workers={workers}: --engine=local runs one job at a time;'
      ' --engine=processes runs several.'
    )
  return Engine(1, run)


def run(work: Work, watch: Callable):
  """Runs all jobs of a study in this process.

  Args:
    work: the jobs.
    watch: called every second, in a thread beside the training.
  """
  over, broken = threading.Event(), []

  def look():
    while not over.wait(SECONDS):
      try:
        watch()
      except Exception as e:  # raised when the training is over
        broken.append(e)
        return

  thread = threading.Thread(target=look, name='watch', daemon=True)
  thread.start()
  try:
    worker.work(work.workdir, work.ids, patient=True)
  finally:
    over.set()
    thread.join()
  if broken:
    raise broken[0]
