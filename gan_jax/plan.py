"""What a run or a study needs, before it is trained and without its data.

python -m gan_jax.plan --config=digits
python -m gan_jax.plan --config=digits --topology=v5e:2x2 --json
"""

import json
import re

from gan_jax.data import news
from gan_jax.devices import chips, parallel
from gan_jax.report import plans
from gan_jax.run import command
from gan_jax.run.config import library
from gan_jax.run.planning import plan as plan_lib
from gan_jax.study import costs
from gan_jax.types import UserError

FLAGS = {
  'json': False, 'measure': plan_lib.STEPS, 'topology': '', 'num_classes': 0,
  'shape': '',
}  # fmt: skip


def help_lines() -> list[str]:
  """What --help prints."""
  slices = ', '.join(chip.name for chip in chips.CHIPS if chip.libtpu)
  return [
    'usage: python -m gan_jax.plan --config=NAME[:tiny]|FILE.py'
    ' [--config.KEY=VALUE ...] or --study=FILE [--json] [--measure=3: steps'
    ' that are timed here at least, 0: none] [--num_classes=N, of a folder]'
    ' [--shape=H,W,C, of a sample of an .npz] [--topology=v5e:4x4]',
    '--topology: compiles the step for a slice of TPU chips that need not be'
    f' there ({slices}; needs the extra tpu); what does not fit is refused',
    f'recipes: {" ".join(library.names())}',
  ]


def main(argv: list[str]):
  """The command."""
  of_study = any(word.startswith('--study') for word in argv)
  flags = command.parse(
    argv,
    help_lines=help_lines,
    **FLAGS,
    **({'study': None} if of_study else {'config': None}),
  )
  for name in ('measure', 'num_classes'):
    if getattr(flags, name) < 0:
      raise UserError(f'--{name}={getattr(flags, name)}: expected at least 0.')
  how = {
    'steps': flags.measure,
    'topology': flags.topology,
    'num_classes': flags.num_classes,
    'shape': _shape(flags.shape),
  }
  with news.flags(lambda key: f'--config.data.{key}'):
    if of_study:
      made = costs.of_study(flags.study, **how)
      lines = plans.of_study(made)
    else:
      left_out = flags.settle()
      parallel.use_cores(flags.config.num_seeds)  # as train does
      made = plan_lib.of_run(flags.config.to_dict(), **how)
      lines = [*left_out, *plans.of_run(made)]
  print(json.dumps(made, indent=1) if flags.json else '\n'.join(lines))


def _shape(text):
  """(32, 32, 4) of '32,32,4'."""
  if not re.fullmatch(r'(\d{1,9}(,\d{1,9})*)?', text):
    raise UserError(f'--shape={text}: expected whole numbers, such as 32,32,4.')
  return tuple(map(int, text.split(','))) if text else ()


if __name__ == '__main__':
  command.run(main)
