"""Samples of a trained generator, in any way."""

from collections.abc import Iterator

import jax
import numpy as np

from gan_jax.run import sampling
from gan_jax.run.samplers import correcting, making
from gan_jax.run.samplers.way import Way


def variables(state, way: Way) -> dict:
  """What samples are made of: State.ema [S, ...]; with D's, if it chooses."""
  return making.with_judge(state) if way.rejection else state.ema


def batches(
  setup,
  way: Way,
  variables,
  key: jax.Array,
  num: int,
  *,
  labels: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
  """Draws any number of samples; see sampling.batches.

  Args:
    setup: setup.Setup.
    way: settled.
    variables: State.ema of one seed; with D's where the way has a rejection,
      see `variables`.
    key: root key [] of the draw.
    num: N.
    labels: [N] int, or vectors [N, C]; None for all classes in turn.
  """
  if way.rejection:
    return correcting.batches(setup, way, variables, key, num, labels=labels)
  sample = setup.sample if way.usual else making.parts(setup, way).sample
  return sampling.batches(
    sample,
    variables,
    key,
    num,
    num_classes=setup.num_classes,
    labels=labels,
  )


def collect(*args, **kwargs) -> np.ndarray:
  """All samples of `batches` at once, float32 [N, ...]."""
  return np.concatenate([x for x, _ in batches(*args, **kwargs)])
