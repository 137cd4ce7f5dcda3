"""Samples through a run's encoder: their codes, and what G makes of these."""

from collections.abc import Callable

import jax
import numpy as np

from gan_jax.metrics import compute, measures
from gan_jax.run.sampling import as_labels
from gan_jax.run.setup import Setup
from gan_jax.types import E, G, UserError

BATCH = 256  # samples in one call


def conditions(setup: Setup) -> frozenset[str]:
  """What metrics of encoders need, as far as it is there; see measures."""
  if not setup.encodes:
    return frozenset()
  labelled = {'classed'} if setup.dataset.class_names else set()
  plain = set() if setup.conditional else {'unlabelled'}
  return frozenset({'encoder', *labelled, *plain})


def is_wanted(names) -> bool:
  """Whether one of the metrics looks through an encoder."""
  return any('encoder' in m.where.split() for m in measures.chosen(names))


def of_seed(setup: Setup, averages: dict) -> compute.Encoder:
  """The encoder of one seed, for metrics.

  Args:
    setup: the networks and their data.
    averages: State.ema of the seed; a copy is kept, as training goes on.
  """
  kept = {player: jax.device_get(averages[player]) for player in (E, G)}
  return compute.Encoder(
    lambda x: encode(setup, kept, x),
    lambda x: generate(setup, kept, encode(setup, kept, x)),
  )


def check(setup: Setup, flag: str):
  """Refuses a run whose model has no encoder.

  Args:
    setup: the networks.
    flag: that asks for one.

  Raises:
    UserError: names the model.
  """
  if not setup.encodes:
    name = setup.structure.options['model']['name']
    raise UserError(
      f'{flag}: model {name} has no encoder of its latents; bigan, ali, vae_gan'
      ' and aae have one.'
    )


def encode(setup: Setup, averages: dict, x, labels=None) -> np.ndarray:
  """Codes [N, ...] of samples [N, ...] in model range."""
  return _in_batches(setup.encode, averages, x, labels)


def generate(setup: Setup, averages: dict, z, labels=None) -> np.ndarray:
  """What G makes of latents [N, ...]."""
  return _in_batches(setup.generate, averages, z, labels)


def _in_batches(function: Callable, averages, x, labels):
  """All of [N, ...], in calls of one size."""
  made, rest = [], -len(x) % BATCH
  whole = lambda x: np.concatenate([x, np.repeat(x[-1:], rest, axis=0)])
  x = whole(np.asarray(x, np.float32))
  labels = None if labels is None else whole(as_labels(labels))
  for start in range(0, len(x), BATCH):
    rows = slice(start, start + BATCH)
    label = None if labels is None else labels[rows]
    made.append(np.asarray(function(averages, x[rows], label)))
  return np.concatenate(made)[: len(x) - rest]
