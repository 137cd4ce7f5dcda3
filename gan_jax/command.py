"""What the commands share: flags, one-line errors, exit codes, signals.

Exit codes: 0 done, 2 a user's mistake (one line on stderr), 128 + signal when
told to stop, 1 anything else.
"""

import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable

from absl import flags

from gan_jax import recipe
from gan_jax.types import UserError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Stopped(Exception):
  """The process was told to stop and has put everything in order."""

  def __init__(self, signum: int):
    super().__init__(f'told to stop by {signal.Signals(signum).name}')
    self.signum = signum


def parse(
  argv: list[str], *, help_lines: Callable, **defaults
) -> types.SimpleNamespace:
  """Parses a command's flags.

  Args:
    argv: the program's name and its arguments.
    help_lines: () -> the lines that --help prints, two or three.
    **defaults: of each flag; None means that the flag must be given, an int
      that the flag is a whole number. `config` is special, see recipe.

  Returns:
    the values by name; that of `config` is a ConfigDict.

  Raises:
    UserError: a flag that does not exist, lacks or has a wrong value.
    SystemExit: after --help.
  """
  if {'--help', '-help', '-h', '--helpfull', '--helpshort'} & set(argv[1:]):
    print('\n'.join(help_lines()))
    raise SystemExit(0)
  found, overrides = {}, []
  if 'config' in defaults:
    found['config'], overrides, argv = recipe.take(argv)
  found |= _plain_flags(argv, defaults)
  for name, default in defaults.items():
    if default is None and not found[name]:
      raise UserError(f'--{name} is missing; --help shows the usage.')
  if 'config' in defaults:
    found['config'] = recipe.load(found['config'])
    for key, text in overrides:
      recipe.override(found['config'], key, text)
  return types.SimpleNamespace(**found)


def _plain_flags(argv, defaults):
  """The values of all flags but the config."""
  values = flags.FlagValues()
  names = [name for name in defaults if name != 'config']
  for name in names:
    kind = int if isinstance(defaults[name], int) else str
    define = {int: flags.DEFINE_integer, str: flags.DEFINE_string}[kind]
    define(name, defaults[name], '', flag_values=values)
  try:
    rest = values(argv)
  except flags.Error as e:
    raise UserError(_readable(str(e), defaults)) from e
  if len(rest) > 1:
    raise UserError(f'{rest[1]!r}: flags are given as --name=value.')
  return {name: values[name].value for name in names}


def _readable(message, names):
  message = ' '.join(message.split()).removeprefix('flag ')
  if message.startswith('Unknown command line flag'):
    name = message.split("'")[1]
    there = ', '.join(f'--{n}' for n in names)
    return f'--{name}: no such flag; there are {there}.'
  return message


def check_keys(config: dict, known: tuple[str, ...]) -> dict:
  """Returns a config whose top-level keys are just the known ones.

  Raises:
    UserError: a key is unknown, with the nearest known one, or missing.
  """
  for key in config:
    recipe.check_known(known, key, flag=f'config.{key}')
  missing = [key for key in known if key not in config]
  if missing:
    raise UserError(f'config lacks {", ".join(missing)}.')
  return config


def load_config(path: str, overrides: dict | None = None) -> dict:
  """A config file as a plain dict, for use from Python.

  Args:
    path: 'configs/NAME.py' or 'configs/NAME.py:argument'.
    overrides: values by dotted key, like {'loss.name': 'hinge'}.
  """
  config = recipe.load(path)
  for key, value in (overrides or {}).items():
    recipe.override(config, key, str(value))
  return config.to_dict()


@contextlib.contextmanager
def catch_signals():
  """In its block a first stop signal is only noted; a second one ends at once.

  Yields:
    () -> the signal's number, or None if there was none.
  """
  caught = []

  def handler(signum, frame):
    del frame
    if caught:
      os._exit(128 + signum)
    caught.append(signum)

  before = {}
  if threading.current_thread() is threading.main_thread():
    before = {s: signal.signal(s, handler) for s in STOP_SIGNALS}
  try:
    yield lambda: caught[0] if caught else None
  finally:
    for signum, old in before.items():
      signal.signal(signum, old)


def run(main: Callable, argv: list[str] | None = None):
  """Runs a command's main(argv) and leaves with its exit code."""
  try:
    main(sys.argv if argv is None else argv)
  except UserError as e:
    print(f'error: {" ".join(str(e).split())}', file=sys.stderr)
    raise SystemExit(2) from None
  except Stopped as e:
    raise SystemExit(128 + e.signum) from None
  except KeyboardInterrupt:
    raise SystemExit(128 + signal.SIGINT) from None
