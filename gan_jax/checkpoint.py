"""Inspects the checkpoints of a run.

python -m gan_jax.checkpoint verify DIR
"""

import jax

from gan_jax.run import command
from gan_jax.storage import verify
from gan_jax.types import UserError


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.checkpoint verify DIR',
    'DIR: a workdir, its checkpoints, one step of them, or a study; prints one'
    ' line per step: its folder, size, leaves, score, and ok, unfinished or'
    ' what is damaged.',
    'exit code: 0 if there is a finished step and all of them are good, 1 if'
    ' not, 2 for a mistake. It only reads, and may run during training.',
  ]


def main(argv: list[str]):
  """The command."""
  words = argv[1:]
  if {'--help', '-help', '-h'} & set(words):
    print('\n'.join(help_lines()))
    return
  if len(words) != 2 or words[0] != 'verify':
    given = ' '.join(words) or 'nothing'
    raise UserError(f'expected verify DIR, got {given}; see --help.')
  jax.config.update('jax_platforms', 'cpu')  # a training may hold the device
  states = []
  for verdict in verify.verdicts(words[1]):
    print(verify.line(verdict), flush=True)
    states.append(verdict.state)
  if 'damaged' in states or 'ok' not in states:
    raise SystemExit(1)


if __name__ == '__main__':
  command.run(main)
