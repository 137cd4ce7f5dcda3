"""Where a trained game is going: eigenvalues of its Jacobian at a checkpoint.

python -m gan_jax.spectrum --workdir=runs/digits --out=spectrum.png
"""

import json
import pathlib

from gan_jax import api
from gan_jax.report import eigenvalues
from gan_jax.run import command, draws, examples
from gan_jax.run import spectrum as spectrum_lib
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from gan_jax.types import UserError

SUFFIXES = ('.png', '.webp')


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.spectrum --workdir=DIR [--checkpoint=latest]'
    ' [--count=6] [--num=0: examples in the batch, 0: as in training]'
    ' [--run_seed=K|all] [--out=FILE.png|.webp] [--json] [--data.dir=DIR or'
    ' --data.path=FILE, if its data have moved]',
    'flow: eigenvalues of the Jacobian of all players against their gradients,'
    " attracting left of the imaginary axis; steps: of the run's own steps,"
    ' with optimizers and dynamics, attracting within the unit circle',
    'attracting, rotating, repelling, or neutral: nothing moves along some'
    ' directions',
  ]


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    argv,
    help_lines=help_lines,
    workdir=None,
    checkpoint='latest',
    count=6,
    num=0,
    run_seed='',
    out='',
    json=False,
    data={},
  )
  if flags.count < 1 or flags.num < 0:
    raise UserError(
      f'--count={flags.count} --num={flags.num}: expected at least 1 and 0.'
    )
  out = pathlib.Path(flags.out)
  if flags.out:
    if out.suffix not in SUFFIXES:
      raise UserError(
        f'--out={out}: expected a name ending in {" or ".join(SUFFIXES)}.'
      )
    contents.check_out(out)
  config, setup, state, step = contents.open_run(
    flags.workdir,
    which=flags.checkpoint,
    places=examples.places_given(flags.data),
  )
  seeds = draws.seed_positions(config, flags.run_seed)
  if flags.out and len(seeds) > 1:
    raise UserError(
      f'--out={out}: a picture is of one seed, not --run_seed=all.'
    )
  made = []
  for k in seeds:
    how = {'run_seed': k, 'count': flags.count, 'num': flags.num}
    flow, steps = spectrum_lib.spectra(setup, state, **how)
    seed = config['seed'] + k
    made.append(spectrum_lib.as_json(flow, steps, step=step, seed=seed))
    if not flags.json:
      print(f'step {step:,}, seed {seed}')
      print('\n'.join(spectrum_lib.describe(flow, steps)))
  if flags.out:
    titles = f'flow: {flow.verdict}', f'steps: {steps.verdict}'
    drawn = eigenvalues.picture(flow.values, steps.values, titles=titles)
    with files.replacing(out) as temporary:
      drawn.save(temporary, lossless=True)
  if flags.json:
    print(json.dumps(made, indent=1))


command.make_callable(__name__, api.spectrum)

if __name__ == '__main__':
  command.run(main)
