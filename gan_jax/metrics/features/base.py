"""What a feature net is to the metrics."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Features(NamedTuple):
  """A map from samples to features, and what a score must say about it.

  `apply` takes samples [N, ...], float in model range or uint8, and returns
  features [N, D] and class probabilities [N, C], both float32 on the host;
  None in the place of probabilities if the net knows no classes.
  """

  name: str
  hash: str  # of the weights; of the preparation where there are none
  apply: Callable
  accuracy: float | None = None  # on held-out labelled examples


def to_model_range(x):
  """Samples in model range: uint8 [0, 255] -> float32 [-1, 1]."""
  x = np.asarray(x)
  if x.dtype == np.uint8:
    return x.astype(np.float32) / 127.5 - 1
  return x.astype(np.float32)
