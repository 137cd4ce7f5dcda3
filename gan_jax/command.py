"""What the commands share: flags, one-line errors, exit codes, signals.

Exit codes: 0 done, 2 a user's mistake (one line on stderr), 128 + signal when
told to stop, 1 anything else.
"""

import ast
import contextlib
import difflib
import os
import pathlib
import signal
import sys
import threading
from collections.abc import Callable

from absl import flags
from ml_collections import config_dict, config_flags

from gan_jax.types import UserError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Stopped(Exception):
  """The process was told to stop and has put everything in order."""

  def __init__(self, signum: int):
    super().__init__(f'told to stop by {signal.Signals(signum).name}')
    self.signum = signum


def parse(
  argv: list[str], *, help_lines: Callable, **strings
) -> flags.FlagValues:
  """Parses a command's flags.

  Args:
    argv: the program's name and its arguments.
    help_lines: () -> the lines that --help prints, two or three.
    **strings: default by flag name; None means the flag must be given. `config`
      is a config file with overrides; int defaults make int flags.

  Raises:
    UserError: a flag that does not exist, lacks or has a wrong value.
    SystemExit: after --help.
  """
  if {'--help', '-help', '-h', '--helpfull', '--helpshort'} & set(argv[1:]):
    print('\n'.join(help_lines()))
    raise SystemExit(0)
  argv, branches = _new_branches(argv)
  values = flags.FlagValues()
  for name, default in strings.items():
    if name == 'config':
      _define_config(values, argv)
    elif isinstance(default, int):
      flags.DEFINE_integer(name, default, '', flag_values=values)
    else:
      flags.DEFINE_string(name, default, '', flag_values=values)
  try:
    rest = values(argv, known_only=False)
  except flags.Error as e:
    raise UserError(_readable(str(e), strings)) from e
  except (
    OSError,
    ImportError,
    SyntaxError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
  ) as e:
    raise UserError(_config_problem(argv, e)) from e
  if len(rest) > 1:
    raise UserError(f'{rest[1]!r}: flags are given as --name=value.')
  for name in strings:
    if values[name].value is None:
      raise UserError(f'--{name} is missing; --help shows the usage.')
  for path, value in branches:
    _graft(values.config, path, value)
  return values


def _new_branches(argv):
  """Sets aside the overrides that the flags library cannot place.

  It adds a key to a dict that is there, but no dict: with no penalties in the
  file it would refuse --config.penalties.r1.gamma=.1. So everything deeper
  than --config.A.B is placed here. Returns the other arguments and the (path,
  value) of these; whether anybody reads them is checked later.
  """
  kept, branches = [], []
  for arg in argv:
    name, equals, text = arg.lstrip('-').partition('=')
    path = name.split('.')
    if arg.startswith('-') and equals and path[0] == 'config' and len(path) > 3:
      branches.append((path[1:], _literal(text)))
      continue
    kept.append(arg)
  return kept, branches


def _literal(text):
  try:
    return ast.literal_eval(text)
  except (ValueError, SyntaxError):
    return text


def _graft(config, path, value):
  """Sets a value at a path of keys, making the dicts on the way."""
  flag = f'--config.{".".join(path)}={value}'
  for key in path[:-1]:
    if key not in config:
      config[key] = config_dict.ConfigDict()
    config = config[key]
    if not isinstance(config, config_dict.ConfigDict):
      raise UserError(f'{flag}: {key} is no group of options.')
  old = config.get(path[-1])
  try:
    with config.ignore_type() if old is None else contextlib.nullcontext():
      config[path[-1]] = value
  except TypeError as e:
    raise UserError(
      f'{flag}: expected a {type(old).__name__}, like {old!r}.'
    ) from e


def _define_config(values, argv):
  # Unlocked, so that a flag may give a loss or a penalty an option which the
  # file leaves at its default; `check_keys` and the components refuse what nobody reads.
  config_flags.DEFINE_config_file(
    'config',
    flag_values=values,
    sys_argv=argv,
    lock_config=False,
    accept_new_attributes=True,
  )


def _readable(message, names):
  message = ' '.join(message.split()).removeprefix('flag ')
  if message.startswith('Unknown command line flag'):
    return f'{message} Flags: {", ".join("--" + n for n in names)}.'
  return message


def _config_problem(argv, error):
  """Names the config file, which the flags library leaves out."""
  path = next(
    (a.split('=', 1)[1] for a in argv if a.lstrip('-').startswith('config=')),
    '',
  )
  file = path.split(':')[0]
  if not pathlib.Path(file).is_file():
    found = ', '.join(
      sorted(str(p) for p in pathlib.Path('configs').glob('*.py'))
    )
    return f'--config={path}: no such file; here are {found or "none"}.'
  said = ' '.join(str(error.args[0] if error.args else error).split())
  return f'--config={path}: {type(error).__name__}: {said}'


def check_keys(config: dict, known: tuple[str, ...]) -> dict:
  """Returns a config whose top-level keys are just the known ones.

  Raises:
    UserError: a key is unknown, with the nearest known one, or missing.
  """
  for key in config:
    if key not in known:
      near = difflib.get_close_matches(key, known, n=1)
      hint = (
        f'did you mean {near[0]!r}?' if near else f'keys: {", ".join(known)}.'
      )
      raise UserError(f'config.{key}: no such key; {hint}')
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
  given = [
    f'--config.{key}={value}' for key, value in (overrides or {}).items()
  ]
  argv = ['', f'--config={path}', *given]
  return parse(argv, help_lines=list, config=None).config.to_dict()


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
    print(f'error: {e}', file=sys.stderr)
    raise SystemExit(2) from None
  except Stopped as e:
    raise SystemExit(128 + e.signum) from None
  except KeyboardInterrupt:
    raise SystemExit(128 + signal.SIGINT) from None
