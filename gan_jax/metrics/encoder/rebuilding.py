"""How far samples are from what a run makes of their codes."""

import numpy as np


def errors(x, rebuilt) -> np.ndarray:
  """Mean squared difference of each sample over its values, [N] float64.

  Args:
    x: samples [N, ...] in model range.
    rebuilt: what became of them, [N, ...].
  """
  difference = np.asarray(x, np.float64) - np.asarray(rebuilt, np.float64)
  return np.square(difference).reshape(len(difference), -1).mean(axis=1)
