"""What the commands share: flags, one-line errors, exit codes, signals.

Exit codes: 0 done, 2 a user's mistake (one line on stderr), 128 + signal when
told to stop, 1 anything else.
"""

import contextlib
import errno
import os
import signal
import sys
import threading
import types
import unicodedata
from collections.abc import Callable

from absl import flags

from gan_jax import limits, peers, recipe
from gan_jax.types import UserError
from gan_jax.watch import Watch

# The user signals are those of clusters: SLURM's, and submitit's.
STOP_SIGNALS = (
  signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
DISK_REFUSES = (*DISK_FULL, errno.EROFS)  # to be written


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
  _check_printable(argv[1:])
  found, overrides = {}, []
  if 'config' in defaults:
    found['config'], overrides, argv = recipe.take(argv)
  found |= _plain_flags(argv, defaults)
  for name, default in defaults.items():
    if default is None and not found[name]:
      raise UserError(f'--{name} is missing; --help shows the usage.')
  _check_length(found.get('workdir', ''))
  if 'config' in defaults:
    found['config'] = recipe.load(found['config'])
    for key, text in overrides:
      recipe.override(found['config'], key, text)
    limits.check_kinds(found['config'].to_dict())
  return types.SimpleNamespace(**found)


def _check_printable(words):
  """Such names would break lines, JSON and pages, now or later."""
  for word in words:
    if any(unicodedata.category(c) in ('Cc', 'Cs') for c in word):
      flag, _, value = word.partition('=')
      raise UserError(
        f'{flag}={value!r}: it has control characters, or is not UTF-8.'
      )


def _check_length(workdir):
  """What no file system has, pathlib would only raise."""
  if any(len(os.fsencode(part)) > 255 for part in workdir.split('/')):
    raise UserError(f'--workdir={workdir}: the name is too long.')


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
    recipe.override(config, key, value)
  return config.to_dict()


_told: list[Callable] = []  # what the outermost catch_signals has yielded
_exposed: list[bool] = []  # one for each interruptible block around
_idle: list[Callable] = []  # the way out, while there is nothing to save


class Interrupted(BaseException):
  """A stop signal has ended an interruptible block. No `except Exception`'s."""


@contextlib.contextmanager
def interruptible():
  """In its block a stop signal raises Interrupted; also one of before.

  For what may take minutes and can be begun anew. One of several processes does
  not get its signals so.
  """
  if _told and _told[0]() is not None:
    raise Interrupted
  _exposed.append(True)
  try:
    yield
  finally:
    _exposed.pop()


@contextlib.contextmanager
def nothing_to_save(last: Callable = lambda: None):
  """Until its block is left or ended, a stop signal costs the run nothing.

  Args:
    last: what is done before the process ends at once, in another thread.

  Yields:
    end, to be called when the run has got on.
  """
  _idle.append(last)
  try:
    yield _idle.clear
  finally:
    _idle.clear()


@contextlib.contextmanager
def catch_signals():
  """In its block a first stop signal is only noted; a second one ends at once.

  Within another such block it is the same block: a signal that came late in a
  run is not lost on the study that the run belongs to.

  Yields:
    () -> the signal's number, or None if there was none.
  """
  if _told:
    yield _told[0]
    return
  caught = []

  several = peers.several()

  def handler(signum, frame):
    del frame
    if caught:
      os._exit(128 + signum)
    caught.append(signum)
    if several:
      peers.pass_on()
    elif _exposed:
      raise Interrupted

  # Of several processes JAX's preemption service hears the SIGTERM.
  heard = [s for s in STOP_SIGNALS if not several or s != signal.SIGTERM]
  before, watch = {}, contextlib.nullcontext()
  if threading.current_thread() is threading.main_thread():
    before = {s: signal.signal(s, handler) for s in heard}
    way_out = lambda: _idle[0] if _idle and not several else None
    watch = Watch(STOP_SIGNALS, way_out=way_out)
  _told.append(lambda: caught[0] if caught else None)
  try:
    with watch:
      yield _told[0]
  finally:
    _told.clear()
    for signum, old in before.items():
      signal.signal(signum, old)


def run(main: Callable, argv: list[str] | None = None):
  """Runs a command's main(argv) and leaves with its exit code."""
  try:
    main(sys.argv if argv is None else argv)
  except UserError as e:
    print(f'error: {e}', file=sys.stderr)
    peers.leave(2)
    raise SystemExit(2) from None
  except Stopped as e:  # by all of several processes
    raise SystemExit(128 + e.signum) from None
  except SystemExit as e:
    if e.code and peers.several():
      print(e.code, file=sys.stderr)
      peers.leave(1)
    raise
  except KeyboardInterrupt:
    peers.leave(128 + signal.SIGINT)
    raise SystemExit(128 + signal.SIGINT) from None
  except Exception as e:
    peers.tell_failure()
    peers.leave(1)
    if isinstance(e, OSError) and e.errno in DISK_REFUSES:
      where = f'{e.filename}: ' if e.filename else ''
      raise SystemExit(f'error: {where}{e.strerror}.') from None
    raise
