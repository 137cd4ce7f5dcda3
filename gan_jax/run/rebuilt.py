"""The picture of a run with an encoder: real samples, and these rebuilt."""

import pathlib

import numpy as np

from gan_jax.data import kinds
from gan_jax.report import pictures
from gan_jax.run import sample_encoded, shown
from gan_jax.run.setup import Setup

COLUMNS = 10  # of a square picture; every other row is of real samples
NUM = COLUMNS**2 // 2


def save(setup: Setup, state, workdir):
  """Writes samples/rebuilt.png, of the first seed.

  Of held-out samples where there are some. Does nothing for a model without an
  encoder, for a kind of data that shows no samples side by side, and for
  networks that are not finite.

  Args:
    setup: the networks and their data.
    state: State [S, ...].
    workdir: of the run.
  """
  kind = kinds.of(setup.dataset)
  if kind.neighbours is None or not setup.encodes:
    return
  x, labels = _real(setup)
  made = sample_encoded.reconstruct(setup, state, x, labels, run_seed=0)
  if np.isfinite(made).all():
    path = pathlib.Path(workdir) / 'samples' / 'rebuilt.png'
    pictures.save(path, kind.picture(_in_turn(x, made), dataset=setup.dataset))


def _in_turn(x, made):
  """A row of real samples, the row of what became of them, and so on."""
  rows = lambda x: x.reshape(-1, 1, COLUMNS, *x.shape[1:])
  return np.concatenate([rows(x), rows(made)], 1).reshape(-1, *x.shape[1:])


def _real(setup):
  """(samples [n, ...], labels [n] or [n, C] where the generator needs them)."""
  unseen = setup.held_out()
  if 'x' in unseen and ('label' in unseen or not setup.conditional):
    rows = np.linspace(0, len(unseen['x']) - 1, NUM).astype(int)
    x, labels = np.asarray(unseen['x'])[rows], unseen.get('label')
    labels = None if labels is None else np.asarray(labels)[rows]
  else:
    rows = np.linspace(0, setup.dataset.size - 1, NUM).astype(int)
    x = shown.in_model_range(setup.dataset, rows)
    labels = setup.dataset.read(rows).get('label')
  return x, labels if setup.conditional else None
