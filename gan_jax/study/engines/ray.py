"""Workers as tasks of a Ray cluster that shares the folder of the workdir.

https://docs.ray.io/en/latest/ray-core/tasks.html
"""

import functools
import time
import warnings
from collections.abc import Callable

from gan_jax.run import signals
from gan_jax.study import jobs, plan, worker
from gan_jax.types import UserError


def make(
  *, workers: int = 2, address: str = '', cpus: float = 1, gpus: float = 0
) -> jobs.Engine:
  """The engine.

  Args:
    workers: tasks at once; 0: 2.
    address: of the cluster; '': one on this machine that ends with the study.
    cpus: of each task.
    gpus: of each task.

  Raises:
    UserError: Ray is not installed.
  """
  try:
    import ray  # noqa: F401
  except ImportError as e:
    raise UserError(
      "--engine=ray needs Ray: pip install 'gan_jax[ray]'."
    ) from e
  options = {'address': address, 'cpus': cpus, 'gpus': gpus}
  workers = workers or 2
  return jobs.Engine(
    workers, functools.partial(run, workers=workers, **options)
  )


def run(
  work: jobs.Work,
  watch: Callable,
  *,
  workers: int,
  address: str,
  cpus: float,
  gpus: float,
):
  """Has all jobs of a study done by a Ray cluster.

  Args:
    work: the jobs.
    watch: called every second.
    workers, address, cpus, gpus: see make.

  Raises:
    UserError: there is no cluster at the address.
    signals.Stopped: stopped by a signal.
  """
  import ray

  _connect(ray, address, max(1, round(cpus * workers)))
  # A worker that dies is restarted; its job continues from its checkpoint.
  task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=-1)(_work)
  queue, sent = jobs.Queue(work.workdir), []
  try:
    with signals.catch_signals() as stop_signal:
      while left := list(queue.open(work.ids)):
        free = set(left) - set(queue.working(left))
        ended, sent = ray.wait(sent, num_returns=len(sent), timeout=0)
        ray.get(ended)  # raises what went wrong in them
        if free and not sent:
          number = min(len(free), workers)
          sent = [task.remote(work) for _ in range(number)]
        watch()
        if stop_signal():
          raise signals.Stopped(stop_signal())
        time.sleep(1.0)
  finally:
    ray.shutdown()


def _work(work):
  plan.make_importable(work.study)
  worker.share_programs(work.workdir)
  worker.work(work.workdir, work.ids)


def _connect(ray, address, cpus):
  own = {} if address else {'num_cpus': cpus}
  with warnings.catch_warnings():
    # Ray forks to start processes; JAX warns of a deadlock that cannot occur.
    warnings.filterwarnings('ignore', 'os.fork', RuntimeWarning)
    try:
      ray.init(
        address=address or 'local',
        include_dashboard=False,
        log_to_driver=False,
        logging_level='error',
        **own,
      )
    except (ConnectionError, ValueError) as e:
      reason = ' '.join(str(e).split())
      raise UserError(f'--options=address={address}: {reason}') from e
