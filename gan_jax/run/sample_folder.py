"""A folder of samples, each a file of its own, by class where there are any."""

import os
import pathlib
import re
import shutil
import tempfile

import numpy as np

from gan_jax.data import folders as folders_lib
from gan_jax.data import kinds
from gan_jax.types import Dataset, UserError

UNFIT = re.compile(r'[/\x00]|^[.@]|^__')  # what no class's folder may have
MOST = 200  # bytes of its name; file systems take 255


def check(out: pathlib.Path):
  """Checks that a folder can be written there.

  Raises:
    UserError: it holds something, is a file, or its parent is not writable.
  """
  if os.path.isdir(out) and any(out.iterdir()):
    raise UserError(f'--out={out}/: expected a new or an empty folder.')
  if os.path.exists(out) and not os.path.isdir(out):
    raise UserError(f'--out={out}/: there is a file of this name.')
  parent = out.resolve().parent
  if not os.path.isdir(parent):
    raise UserError(f'--out={out}/: there is no folder {parent}.')
  if not os.access(parent, os.W_OK | os.X_OK):
    raise UserError(f'--out={out}/: {parent} is not writable.')


def write(
  out: pathlib.Path,
  samples: np.ndarray,
  dataset: Dataset,
  labels=None,
  run_seeds=None,
):
  """Writes samples as 000000.png and so on, all of them or none.

  With seeds they are seed3_000000.png and so on.

  Args:
    out: a folder that is empty or not there, see check.
    samples: [N, ...] in model range.
    dataset: that they imitate.
    labels: [N] int; each class has a folder of its name then.
    run_seeds: [N] int, the seed of the run that made each.
  """
  out = out.resolve()
  kind = kinds.of(dataset)
  temporary = tempfile.mkdtemp(dir=out.parent, prefix=f'.{out.name}.')
  folder = pathlib.Path(temporary)
  try:
    folder.chmod(0o755)
    names = [] if labels is None else _folders(dataset.class_names)
    for k in range(len(samples)):
      own = folder / names[labels[k]] if names else folder
      own.mkdir(exist_ok=True)
      whose = '' if run_seeds is None else f'seed{run_seeds[k]}_'
      path = own / f'{whose}{k:06d}{kind.SUFFIXES[0]}'
      kind.export(path, samples[k : k + 1], dataset=dataset)
    os.replace(folder, out)  # an empty one gives way
  except BaseException:
    shutil.rmtree(folder, ignore_errors=True)
    raise


def _folders(names):
  """A folder's name for each class: its own, unless no folder may have it."""
  folders = []
  for k, name in enumerate(names):
    own = UNFIT.sub('_', name) or '_'
    own = f'_{own}' if own.lower() in folders_lib.SYSTEM else own
    own = own.encode()[:MOST].decode(errors='ignore')
    folders.append(f'{own}_{k}' if own in folders else own)
  return folders
