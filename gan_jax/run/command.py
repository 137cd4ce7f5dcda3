"""What the commands share: flags, one-line errors, exit codes, signals.

Exit codes: 0 success, 2 a user's mistake (one line on stderr), 128 + signal
number when stopped by a signal, 1 anything else.
"""

import errno
import gc
import os
import select
import signal
import sys
import types
import unicodedata
from collections.abc import Callable, Collection

from absl import flags

from gan_jax.devices import multihost
from gan_jax.run import compile_cache, signals
from gan_jax.run.config import changes, recipe, texts, validation
from gan_jax.storage import paths
from gan_jax.types import UserError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
DISK_REFUSES = (*DISK_FULL, errno.EROFS)  # cannot be written to
HELP = {'--help', '-help', '-h', '--helpfull', '--helpshort'}
FORBIDDEN = (errno.EACCES, errno.EPERM)

# Flags that hold a path, see storage.paths.
PATHS = ('workdir', 'out', 'data_dir', 'statistics', 'weights', 'study')
DEFINE = {int: flags.DEFINE_integer, bool: flags.DEFINE_boolean}


def parse(
  argv: list[str],
  *,
  help_lines: Callable,
  filled: Collection[str] = (),
  **defaults,
) -> types.SimpleNamespace:
  """Parses a command's flags.

  Args:
    argv: the program's name and its arguments.
    help_lines: () -> the two or three lines that --help prints.
    filled: flags that, if they are given, are not empty.
    **defaults: the default of each flag; None makes the flag required, an int
      makes it a whole number, False a switch, a dict a group of options
      --NAME.KEY=VALUE. `config` is special, see recipe.

  Returns:
    The values by name; `config` is a ConfigDict, and `settle` is to be called
    when JAX may start, see changes.override; a group is a dict {dotted key:
    value}, with the value of --NAME=VALUE itself, if any, at ''.

  Raises:
    UserError: an unknown flag, or a missing or invalid value.
    SystemExit: after --help.
  """
  if HELP & set(argv[1:]):
    print('\n'.join(help_lines()))
    raise SystemExit(0)
  _check_printable(argv[1:])
  values, overrides = {}, []
  if 'config' in defaults:
    values['config'], overrides, argv = recipe.take(argv)
  for name in [k for k, v in defaults.items() if isinstance(v, dict)]:
    values[name], argv = _group(argv, name, defaults[name])
  values |= _plain_flags(argv, defaults, filled)
  for name, default in defaults.items():
    if default is None and not values[name]:
      raise UserError(f'--{name} is missing; --help shows the usage.')
  _check_length(values.get('workdir', ''))
  if 'config' in defaults:
    values['config'] = recipe.load(values['config'])
    values['settle'] = changes.override(values['config'], overrides)
    validation.check_kinds(values['config'].to_dict())
  return types.SimpleNamespace(**values)


def pair(argv: list[str], name: str) -> list[str]:
  """The arguments, with `--name A B` and `--name=A B` as `--name=A,B`."""
  for at, word in enumerate(argv):
    if word == f'--{name}' or word.startswith(f'--{name}='):
      own = word.partition('=')[2]
      two = [own] if own else []
      rest = argv[at + 1 :]
      while len(two) < 2 and rest and not rest[0].startswith('--'):
        two, rest = [*two, rest[0]], rest[1:]
      return [*argv[:at], f'--{name}={",".join(two)}', *rest]
  return argv


def two_paths(text: str, name: str, what: str = 'A,B') -> tuple[str, str]:
  """The two paths of `--name=A,B`, whose names may have commas.

  Raises:
    UserError: it is not two.
  """
  parts = text.split(',')
  splits = [
    tuple(paths.text(','.join(p).strip()) for p in (parts[:k], parts[k:]))
    for k in range(1, len(parts))
  ]
  there = [two for two in splits if all(map(os.path.exists, two))]
  two = (there or (splits if len(splits) == 1 else [('', '')]))[0]
  if not all(two) or any(path.startswith('--') for path in two):
    raise UserError(f'--{name}={text}: expected two, {what}.')
  return two


def _group(argv, name, usual):
  """(options of a group by key, the other arguments)."""
  own, options, rest = recipe.take(argv, name)
  usual_text = lambda key: texts.of_data(key, _data_name(own or ''))
  given = {
    key: text if usual_text(key) else recipe.literal(text)
    for key, text in options
  }
  own = own and paths.text(own)
  return {**usual, **({} if own is None else {'': own}), **given}, rest


def _data_name(data):
  """Of the data set that opens what --data=X or --samples=X names."""
  if data.endswith('.npz'):
    return 'npz'
  return 'folder' if os.path.isdir(paths.text(data)) else data


def _check_printable(words):
  """Refuses text that would break lines, JSON or pages, now or later."""
  for word in words:
    if any(unicodedata.category(c) in ('Cc', 'Cs') for c in word):
      flag, _, value = word.partition('=')
      raise UserError(
        f'{flag}={value!r}: contains control characters or is not UTF-8.'
      )


def _check_length(workdir):
  """Refuses names too long for any file system; pathlib would just raise."""
  if any(len(os.fsencode(part)) > 255 for part in workdir.split('/')):
    raise UserError(f'--workdir={workdir}: the name is too long.')


def _plain_flags(argv, defaults, filled):
  """The values of all flags but the config."""
  values = flags.FlagValues()
  grouped = lambda name: name == 'config' or isinstance(defaults[name], dict)
  names = [name for name in defaults if not grouped(name)]
  for name in names:
    define = DEFINE.get(type(defaults[name]), flags.DEFINE_string)
    define(name, defaults[name], '', flag_values=values)
  try:
    rest = values(argv)
  except flags.Error as e:
    raise UserError(_readable(str(e), defaults)) from e
  if len(rest) > 1:
    raise UserError(f'{rest[1]!r}: flags are given as --name=value.')
  for name in filled:
    if values[name].present and not values[name].value:
      raise UserError(f'--{name}=: expected a value; --help shows the usage.')
  given = {name: values[name].value for name in names}
  return {k: paths.text(v) if k in PATHS and v else v for k, v in given.items()}


def _readable(message, names):
  message = ' '.join(message.split()).removeprefix('flag ')
  if message.startswith('Unknown command line flag'):
    name = message.split("'")[1]
    known = ', '.join(f'--{n}' for n in names)
    return f'--{name}: no such flag; the flags are {known}.'
  return message


def load_config(path: str, overrides: dict | None = None) -> dict:
  """Loads a config file as a plain dict, for use from Python.

  Args:
    path: 'configs/NAME.py' or 'configs/NAME.py:argument'.
    overrides: values by dotted key, like {'loss.name': 'hinge'}.
  """
  config = recipe.load(path)
  changes.override(config, (overrides or {}).items())()
  return config.to_dict()


def make_callable(name: str, function: Callable):
  """Makes a command's module a function as well: gan_jax.train(config, dir).

  Python has one name for both, and `python -m gan_jax.train` needs the module.

  Args:
    name: of the module.
    function: that it is when called.
  """
  call = {'__call__': staticmethod(function), '__doc__': function.__doc__}
  kind = type(function.__name__, (types.ModuleType,), call)
  sys.modules[name].__class__ = kind


def run(main: Callable, argv: list[str] | None = None):
  """Runs a command's main(argv) and exits with its exit code."""
  if hasattr(sys.stdout, 'reconfigure'):
    # A name that a terminal cannot show costs neither the line nor the work.
    sys.stdout.reconfigure(errors='backslashreplace')
  argv = sys.argv if argv is None else argv
  _leave_garbage()
  try:
    if not HELP & set(argv[1:]):
      compile_cache.use()
    main(argv)
    sys.stdout.flush()
  except UserError as e:
    print(f'error: {e}', file=sys.stderr)
    multihost.leave(2)
    raise SystemExit(2) from None
  except signals.Stopped as e:  # in all processes at the same step
    raise SystemExit(128 + e.signum) from None
  except SystemExit as e:
    if e.code and multihost.several():
      print(e.code, file=sys.stderr)
      multihost.leave(1)
    raise
  except KeyboardInterrupt:
    multihost.leave(128 + signal.SIGINT)
    raise SystemExit(128 + signal.SIGINT) from None
  except Exception as e:
    multihost.tell_failure()
    multihost.leave(1)
    if isinstance(e, BrokenPipeError) and _is_unread():
      raise SystemExit(128 + signal.SIGPIPE) from None
    # No fault of the program: one line, not a traceback.
    if isinstance(e, OSError) and e.errno in (*DISK_REFUSES, *FORBIDDEN):
      where = f'{e.filename}: ' if e.filename else ''
      raise SystemExit(f'error: {where}{e.strerror}.') from None
    raise


def _leave_garbage():
  """Python looks for garbage less often.

  Importing and tracing make hundreds of thousands of objects that stay; to look
  through them every 700 new ones takes a tenth of the time to the first step.
  """
  if not gc.get_freeze_count():  # once: it is for good
    gc.freeze()  # what is imported
  gc.set_threshold(50_000, 20, 100)


def _is_unread():
  """Whether who has read what is printed, `head` say, has left."""
  stdout, poll = sys.stdout.fileno(), select.poll()
  poll.register(stdout, 0)  # errors are always told
  left = any(event & select.POLLERR for _, event in poll.poll(0))
  if left:  # what is still to be written fails no more
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout)
  return left
