"""Trains a GAN; the same command resumes where it stopped.

python -m gan_jax.train --config=configs/digits.py --workdir=runs/digits
"""

from gan_jax import api, select
from gan_jax.data import news
from gan_jax.devices import multihost
from gan_jax.run import autotune, command, loop, save_retries, score_failures
from gan_jax.run.config import library
from gan_jax.run.recovery import replay
from gan_jax.run.training import prepare, train
from gan_jax.storage import leases, paths


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.train --config=NAME[:tiny]|FILE.py'
    ' --workdir=DIR [--config.loss.name=lsgan] [--config.KEY=VALUE ...]',
    '--init_from=DIR[@STEP][:g,d,ema]: begin with the weights of another run;'
    ' --force: train what is refused as broken;'
    ' --accept_source: go on with components of your own that have changed;'
    ' --workdir=DIR --replay: repeats the step at which a run diverged;'
    ' --coordinator=HOST:PORT --num_processes=N --process_id=K: one of several'
    ' processes, needed only without SLURM, Open MPI or a TPU pod',
    f'recipes: {" ".join(library.names())};'
    f' losses: {" ".join(select.available("losses"))};'
    f' penalties: {" ".join(select.available("penalties"))}; models:'
    f' {" ".join(select.available("models"))}',
  ]


def main(argv: list[str]):
  """The command."""
  if '--replay' in argv:
    return replay.main([word for word in argv if word != '--replay'])
  flags = command.parse(
    argv,
    help_lines=help_lines,
    config=None,
    workdir=None,
    coordinator='',
    num_processes=0,
    process_id=-1,
    init_from='',
    accept_source=False,
    force=False,
  )
  if flags.force:
    flags.config.force = True
  multihost.join(flags.coordinator, flags.num_processes, flags.process_id)
  with news.flags(lambda key: f'--config.data.{key}'):
    _train(flags)


def _train(flags):
  prepare(flags.config)
  # Of this process the first run is the only one, so XLA can be told where.
  autotune.prepare(paths.expand(flags.workdir))
  for line in flags.settle():
    if multihost.is_first():
      print(line)
  try:
    train(
      flags.config.to_dict(),
      flags.workdir,
      accept_source=flags.accept_source,
      init_from=flags.init_from,
    )
  except loop.Diverged as e:
    multihost.part()  # all processes raise it, so all of them arrive here
    raise SystemExit(f'error: diverged {e}; {e.hint}') from e
  except (leases.Lost, save_retries.Exhausted, score_failures.Failed) as e:
    raise SystemExit(f'error: {e}') from e


command.make_callable(__name__, api.train)

if __name__ == '__main__':
  command.run(main)
