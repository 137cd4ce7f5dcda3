"""Compares what two runs were made with.

python -m gan_jax.manifest diff runs/a runs/b
"""

import sys

from gan_jax.run import command
from gan_jax.run.workdir import contents, record
from gan_jax.run.workdir import differences as differences_lib
from gan_jax.storage import paths
from gan_jax.types import UserError


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.manifest diff A B',
    'A and B: workdirs of runs, or their manifest.json',
    'exit code: 1 if anything differs that can change numbers, else 0',
  ]


def diff(a, b) -> dict[str, list[str]]:
  """What differs between two runs.

  Args:
    a: workdir of a run, or its manifest.json.
    b: the same of the other run.

  Returns:
    Lines under 'can change the numbers' and 'cannot change them'.

  Raises:
    UserError: a manifest is missing or unreadable.
  """
  paths = [_path(one) for one in (a, b)]
  sides = [record.load(path) for path in paths]
  for path, side in zip(paths, sides, strict=True):
    if not side:
      raise UserError(f'{path}: not a manifest.')
  configs = [path.with_name('config.json') for path in paths]
  differences = differences_lib.records(*sides)
  # A manifest may have been copied without its config.
  if all(path.is_file() for path in configs):
    differences += differences_lib.configs(*map(contents.read_config, configs))
  lines = {
    title: [str(d) for d in differences if d.decides == decides]
    for title, decides in (
      ('can change the numbers', True),
      ('cannot change them', False),
    )
  }
  first, second = map(record.history, sides)
  for path, own, other in ((a, first, second), (b, second, first)):
    lines['can change the numbers'] += [
      f'only in {path}: {line}' for line in own if line not in other
    ]
  # Unknown is not equal: what only one manifest records may well differ.
  missing = differences_lib.missing(*sides)
  if missing:
    lines['can change the numbers'].append(
      f'not recorded in one of the two: {", ".join(missing)}'
    )
  return lines


def _path(given):
  path = paths.expand(given)
  path = path / record.NAME if path.is_dir() else path
  if not path.is_file():
    raise UserError(f'{given}: no run here (no {record.NAME}).')
  return path


def main(argv: list[str]):
  """The command."""
  if {'--help', '-h'} & set(argv[1:]):
    command.parse(argv, help_lines=help_lines)
  verb, *paths = argv[1:] or ['']
  if verb != 'diff':
    raise UserError(f'{verb!r}: expected diff A B; --help shows the usage.')
  if len(paths) != 2:
    raise UserError(f'diff: expected two runs, got {len(paths)}.')
  lines = diff(*paths)
  for title, under in lines.items():
    if under:
      print(f'{title}:', *under, sep='\n  ')
  if not any(lines.values()):
    print('no difference')
  raise SystemExit(1 if lines['can change the numbers'] else 0)


if __name__ == '__main__':
  command.run(main, sys.argv)
