"""Draws samples from a trained generator.

python -m gan_jax.sample --workdir=runs/digits --out=digits.png
"""

import math
import pathlib

import numpy as np

from gan_jax.data import kinds
from gan_jax.datasets import npz
from gan_jax.run import command, scoring
from gan_jax.run.draws import draw
from gan_jax.run.sampling import balanced_labels
from gan_jax.run.workdir import contents
from gan_jax.storage import files, memory
from gan_jax.types import UserError

BACKDROP = 1000  # real samples behind the generated ones, if any


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.sample --workdir=DIR --out=FILE [--num=64]'
    ' [--seed=0] [--checkpoint=latest]',
    'FILE: .npz for `samples` (float32 in model range) and `labels`; for images'
    ' and points .png or .webp, a picture.',
    '--checkpoint: latest, best, or a step; --seed: seed of the draw.',
  ]


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    argv,
    help_lines=help_lines,
    workdir=None,
    out=None,
    num=64,
    seed=0,
    checkpoint='latest',
  )
  out = pathlib.Path(flags.out)
  contents.check_out(out)
  if flags.num < 1 or flags.seed < 0:
    raise UserError(f'--num={flags.num} --seed={flags.seed}: too small.')
  if flags.seed >= 2**32:
    raise UserError(f'--seed={flags.seed}: expected one below 2**32.')
  _, setup, state, step = contents.open_run(
    flags.workdir, which=flags.checkpoint
  )
  suffixes = (*kinds.of(setup.dataset).SUFFIXES, '.npz')
  if out.suffix not in suffixes:
    raise UserError(
      f'--out={out}: expected a name ending in {" ".join(suffixes)}.'
    )
  memory.check_memory(
    4 * flags.num * math.prod(setup.dataset.shape), f'--num={flags.num}'
  )
  samples = draw(setup, state, flags.num, seed=flags.seed)
  write(out, samples, setup)
  print(f'{flags.num} samples of step {step} -> {out}')


def write(out: pathlib.Path, samples: np.ndarray, setup):
  """Writes samples [N, ...] as arrays or as their kind does, by the suffix."""
  labels = balanced_labels(len(samples), setup.num_classes)
  if out.suffix == '.npz':
    also = npz.beside(setup.dataset, labels)
    np.savez_compressed(out, samples=samples, **also)
    return
  dataset, kind = setup.dataset, kinds.of(setup.dataset)
  real = _backdrop(setup) if kind.BACKDROP else None
  with files.replacing(out) as temporary:
    kind.export(temporary, samples, dataset=dataset, real=real)


def _backdrop(setup):
  """Real samples to show beneath; None if they cannot be read."""
  try:
    return scoring.real_samples(setup, BACKDROP)
  except UserError as e:
    print(f'without real samples: {e}')
    return None


if __name__ == '__main__':
  command.run(main)
