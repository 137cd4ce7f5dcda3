"""Samples beside the real examples nearest to them."""

import pathlib
from collections.abc import Callable

import numpy as np

from gan_jax.data import kinds
from gan_jax.metrics import memorisation
from gan_jax.metrics.features import spaces
from gan_jax.report import pictures
from gan_jax.run import scorers, scoring, shown
from gan_jax.run.setup import Setup
from gan_jax.run.workdir import contents

COSTLY = ('inception',)  # nets too slow for a picture


def nearest(
  setup: Setup,
  variables,
  *,
  protocol: scoring.EvalProtocol,
  num: int = 16,
  k: int = 5,
  say: Callable = print,
) -> tuple[np.ndarray, np.ndarray] | None:
  """Samples of the first seed and the real ones nearest to them.

  Args:
    setup: the networks and their data.
    variables: [S, ...], of G.
    protocol: how to score; distances are those of its features.
    num: samples.
    k: neighbours of each.
    say: called with a line about whatever takes long.

  Returns:
    (samples [num, ...], neighbours [num, k, ...]); None for kinds of data that
    do not show them, for features too costly for all real samples, and for
    samples that are not finite.
  """
  dataset = setup.dataset
  space = spaces.choose(dataset, protocol.space)
  drawn = kinds.of(dataset).neighbours is not None
  if not drawn or space in COSTLY or dataset.size < k:
    return None
  samples = shown.show_samples(setup, variables, num=num)
  if not np.isfinite(samples).all():
    return None
  return samples, beside(setup, samples, protocol=protocol, k=k, say=say)


def beside(
  setup: Setup,
  samples: np.ndarray,
  *,
  protocol: scoring.EvalProtocol,
  k: int,
  say: Callable = print,
) -> np.ndarray:
  """The k real examples nearest to each sample, [N, k, ...] in model range.

  Args: see nearest; samples are [N, ...].
  """
  dataset = setup.dataset
  space = spaces.choose(dataset, protocol.space)
  features = spaces.load(dataset, space, say=say)
  real = scorers.real_reference(
    dataset, features=features, split=setup.split, say=say
  )
  seen = real.view(frozenset({'features'}))
  _, near = memorisation.nearest(
    features.apply(samples).features, seen.features, k=k
  )
  rows = real.rows[seen.position[near]]  # [num, k]
  real = shown.in_model_range(dataset, rows.ravel())  # [num k, ...]
  return real.reshape(*rows.shape, *dataset.shape)


def save(setup: Setup, config: dict, state, workdir, *, say: Callable):
  """Writes a picture of samples next to their nearest real examples.

  Does nothing for data or features where that makes no sense.

  Args:
    setup: the networks and their data.
    config: of the run.
    state: State [S, ...].
    workdir: of the run.
    say: called with a line about each slow part.
  """
  pair = nearest(
    setup, state.ema, protocol=contents.eval_protocol(config), say=say
  )
  if pair:
    path = pathlib.Path(workdir) / 'samples' / 'neighbours.png'
    pictures.save(path, kinds.of(setup.dataset).neighbours(*pair))
