"""Whether a run may begin, or go on, in a workdir."""

import contextlib
import pathlib
from collections.abc import Iterator

from gan_jax.run import compatibility, determinism, unused_options
from gan_jax.run.setup import Setup
from gan_jax.run.workdir import contents
from gan_jax.run.workdir import record as record_lib
from gan_jax.types import UserError


def check_used(workdir: pathlib.Path, config: dict, setup: Setup):
  """Refuses options without effect, and those that break a training.

  A run that has begun with them may go on.
  """
  unused_options.check_run(config)
  if not (workdir / 'config.json').exists():
    unused_options.check_training(config, setup)
    compatibility.check(setup.clashes, force=config['force'])


def with_clashes(line: str, setup: Setup) -> str:
  """What a run that begins says: a line, if any, and what may break it."""
  return '\n'.join([*filter(None, [line]), *compatibility.lines(setup.clashes)])


def check_steps(workdir: pathlib.Path, config: dict, done: int):
  """Refuses to end a run at a step that it has passed.

  Raises:
    UserError: it has `done` more steps than the config asks for.
  """
  if config['steps'] < done:
    raise UserError(
      f'steps={config["steps"]}: --workdir={workdir} has done {done}'
      ' already. Let it do as many or more, or choose another workdir.'
    )


def claim(
  workdir: pathlib.Path, config: dict, record: dict, *, accept_source: bool
) -> list[str]:
  """Makes the workdir, if the run may go on in it.

  Args:
    workdir: of the run.
    config: resolved.
    record: from record.of_run.
    accept_source: see record.check.

  Returns:
    what differs from before and can change numbers, in words.

  Raises:
    UserError: it may not; nothing is written then.
  """
  if config['deterministic']:
    determinism.check_backend()
  contents.check_same_training(
    workdir, config, fingerprint=record['data_fingerprint']
  )
  changes = record_lib.check(
    workdir,
    record,
    deterministic=config['deterministic'],
    accept_source=accept_source,
  )
  contents.make_workdir(workdir)
  return changes


@contextlib.contextmanager
def nothing_half_made(workdir: pathlib.Path) -> Iterator[None]:
  """After a user's mistake in its block, an empty workdir does not stay."""
  try:
    yield
  except UserError:
    with contextlib.suppress(OSError):
      workdir.rmdir()
    raise
