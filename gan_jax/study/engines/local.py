"""One run after the other, here: each of them uses all devices."""

import threading
from collections.abc import Callable

from gan_jax.study import worker
from gan_jax.study.jobs import Engine, Work
from gan_jax.types import UserError

SECONDS = 1.0  # between two looks


def make(*, workers: int = 0) -> Engine:
  """The engine.

  Args:
    workers: 1, or 0 for the usual number, which is 1.

  Raises:
    UserError: more than one.
  """
  if workers > 1:
    raise UserError(
      f'--workers={workers}: --engine=local does one job at a time;'
      ' --engine=processes does several.'
    )
  return Engine(1, run)


def run(work: Work, watch: Callable):
  """Does all jobs of a study in this process.

  Args:
    work: the jobs.
    watch: called every second, in a thread beside the training.
  """
  over, broken = threading.Event(), []

  def look():
    while not over.wait(SECONDS):
      try:
        watch()
      except Exception as e:  # told when the training is over
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
