"""The shape of the package in figures: lengths, arguments, positional booleans.

`python -m tests.figures` prints them with the places that are furthest out.
The bounds that test_figures.py asserts stand here, all in one place.
"""

import ast
import math
import pathlib
import statistics
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = 'gan_jax'
FOLDERS = (PACKAGE, 'tests', 'experiments')

MAX_MEDIAN = 9
MAX_LENGTH = 60
# The training loop reads best from top to bottom.
LONGER = {('gan_jax/run/loop.py', 'run')}
MAX_ARGUMENTS = 8
MORE = {('gan_jax/api.py', 'evaluate')}  # what are flags of the command
# Options of components are keys of the config, and count there.
COMPONENTS = tuple(
  f'gan_jax/{room}/'
  for room in ('augment', 'conditioning', 'dynamics', 'losses', 'penalties')
)
MAX_LINES = 300
# Names that say how a value came about, not what it is.
VAGUE = ('told', 'found', 'said')

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Function(typing.NamedTuple):
  """One function or method, nested ones included."""

  path: str
  line: int
  name: str
  length: int  # lines from `def` to the end, docstring included
  arguments: int  # without self and cls; *args and **options count once each
  booleans: tuple[str, ...]  # arguments that take a bool by position

  def __str__(self) -> str:
    return f'{self.path}:{self.line} {self.name}'


class Name(typing.NamedTuple):
  """A vague name that is given a value."""

  path: str
  line: int
  name: str

  def __str__(self) -> str:
    return f'{self.path}:{self.line} {self.name}'


def sources(folder: str = PACKAGE) -> dict[str, str]:
  """Every Python file below a folder of the repository: path -> text.

  A folder that isn't there, as `experiments` beside an installed copy of the
  tests, has no files.
  """
  return {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in sorted((ROOT / folder).rglob('*.py'))
  }


def functions(texts: dict[str, str]) -> list[Function]:
  return [
    _function(path, node)
    for path, text in texts.items()
    for node in ast.walk(ast.parse(text))
    if isinstance(node, FUNCTIONS)
  ]


def vague_names(texts: dict[str, str]) -> list[Name]:
  """Variables and arguments named by a word of VAGUE."""
  return [
    Name(path, node.lineno, _bound(node))
    for path, text in texts.items()
    for node in ast.walk(ast.parse(text))
    if _bound(node) in VAGUE
  ]


def file_lengths(*folders: str) -> dict[str, int]:
  """Path -> number of lines."""
  return {
    path: len(text.splitlines())
    for folder in folders or FOLDERS
    for path, text in sources(folder).items()
  }


def median_length(measured: list[Function]) -> float:
  return statistics.median(f.length for f in measured)


def too_long(measured: list[Function]) -> list[str]:
  return [
    f'{function}: {function.length} lines'
    for function in measured
    if function.length > MAX_LENGTH
    and (function.path, function.name) not in LONGER
  ]


def too_many_arguments(measured: list[Function]) -> list[str]:
  return [
    f'{function}: {function.arguments} arguments'
    for function in measured
    if function.arguments > MAX_ARGUMENTS
    and (function.path, function.name) not in MORE
  ]


def positional_booleans(measured: list[Function]) -> list[str]:
  return [
    f'{function}: {name}' for function in measured for name in function.booleans
  ]


def too_long_files(lengths: dict[str, int]) -> list[str]:
  return [
    f'{path}: {lines} lines'
    for path, lines in lengths.items()
    if lines > MAX_LINES
  ]


def _function(path: str, node) -> Function:
  given = node.args
  positional = [
    a for a in given.posonlyargs + given.args if a.arg not in ('self', 'cls')
  ]
  rest = [a for a in (given.vararg, given.kwarg) if a]
  of_component = path.startswith(COMPONENTS)
  options = 0 if of_component else len(given.kwonlyargs)
  return Function(
    path,
    node.lineno,
    node.name,
    node.end_lineno - node.lineno + 1,
    len(positional) + len(rest) + options,
    tuple(_booleans(positional, given.defaults)),
  )


def _booleans(positional: list, defaults: list) -> list[str]:
  """Positional arguments annotated as bool or with a bool for a default."""
  padded = [None] * (len(positional) - len(defaults)) + list(defaults)
  return [
    argument.arg
    for argument, default in zip(positional, padded, strict=True)
    if _is_bool_type(argument.annotation)
    or (isinstance(default, ast.Constant) and isinstance(default.value, bool))
  ]


def _is_bool_type(annotation) -> bool:
  """`bool` and its unions with None; a dict[str, bool] isn't one."""
  if isinstance(annotation, ast.BinOp):
    return _is_bool_type(annotation.left) or _is_bool_type(annotation.right)
  return isinstance(annotation, ast.Name) and annotation.id == 'bool'


def _bound(node) -> str | None:
  """The name that a node gives a value to."""
  if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
    return node.id
  return node.arg if isinstance(node, ast.arg) else None


def table() -> str:
  """The figures, room by room and over the whole package."""
  measured = functions(sources())
  rooms = sorted({_room(function.path) for function in measured})
  vague = vague_names(sources())
  lines = [
    f'{"room":14}{"count":>6}{"median":>8}{"90 %":>6}{"max":>6}'
    f'{"args":>6}{"bools":>7}{"vague":>7}'
  ]
  for room in [*rooms, PACKAGE]:
    chosen = [f for f in measured if room in (_room(f.path), PACKAGE)]
    names = [n for n in vague if room in (_room(n.path), PACKAGE)]
    lines.append(_row(room, chosen, names))
  return '\n'.join(lines)


def _room(path: str) -> str:
  """The folder below the package, or `doors` for the files at its top."""
  parts = path.split('/')
  return parts[1] if len(parts) > 2 else 'doors'


def _row(room: str, measured: list[Function], vague: list[Name]) -> str:
  lengths = sorted(function.length for function in measured)
  # Nearest rank: a length that occurs.
  ninety = lengths[math.ceil(0.9 * len(lengths)) - 1]
  return (
    f'{room:14}{len(lengths):6}{statistics.median(lengths):8g}{ninety:6}'
    f'{lengths[-1]:6}{max(f.arguments for f in measured):6}'
    f'{len(positional_booleans(measured)):7}{len(vague):7}'
  )


def violations() -> dict[str, list[str]]:
  """What breaks the bounds, by bound; empty lists where all is well."""
  measured = functions(sources())
  return {
    f'functions over {MAX_LENGTH} lines': too_long(measured),
    f'over {MAX_ARGUMENTS} arguments': too_many_arguments(measured),
    'positional booleans': positional_booleans(measured),
    f'files over {MAX_LINES} lines': too_long_files(file_lengths()),
    'vague names': [str(name) for name in vague_names(sources())],
  }


def main():
  print(table())
  for bound, places in violations().items():
    print(f'\n{bound}: {len(places) or "none"}')
    for place in places:
      print('  ' + place)


if __name__ == '__main__':
  main()
