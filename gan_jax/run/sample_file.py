"""A file of samples: arrays, or whatever their kind makes of them."""

import pathlib

import numpy as np

from gan_jax.data import kinds
from gan_jax.datasets import npz
from gan_jax.run import shown
from gan_jax.storage import files
from gan_jax.types import UserError

BACKDROP = 1000  # real samples behind the generated ones, if any


def check(out: pathlib.Path, setup, *, folder: bool):
  """Refuses an --out that this kind of data cannot be written to.

  Raises:
    UserError: names what can.
  """
  kind = kinds.of(setup.dataset)
  suffixes = (*kind.SUFFIXES, '.npz')
  if folder and (kind.BACKDROP or not kind.SUFFIXES):
    raise UserError(
      f'--out={out}/: a folder is for images; expected a name ending in'
      f' {" ".join(suffixes)}.'
    )
  if not folder and out.suffix not in suffixes:
    raise UserError(
      f'--out={out}: expected a name ending in {" ".join(suffixes)}, or in /'
      ' for a folder.'
    )


def write(
  out: pathlib.Path, samples: np.ndarray, setup, labels=None, run_seeds=None
):
  """Writes samples as arrays or as their kind does, by the suffix.

  Args:
    out: path of the file.
    samples: [N, ...].
    setup: setup.Setup.
    labels: [N] int, or vectors [N, C]; or None.
    run_seeds: [N] int, the seed of the run that made each; for an .npz.
  """
  dataset, kind = setup.dataset, kinds.of(setup.dataset)
  if out.suffix == '.npz':
    also = npz.beside(dataset, labels)
    also |= {} if run_seeds is None else {'run_seed': run_seeds}
    with files.replacing(out) as temporary:
      np.savez_compressed(temporary, samples=samples, **also)
    return
  real = _backdrop(setup) if kind.BACKDROP else None
  named = shown.named_by(setup, labels)
  with files.replacing(out) as temporary:
    kind.export(temporary, samples, dataset=dataset, real=real, **named)


def _backdrop(setup):
  """Real samples to show beneath; None if they cannot be read."""
  try:
    return shown.real_samples(setup, BACKDROP)
  except UserError as e:
    print(f'without real samples: {e}')
    return None
