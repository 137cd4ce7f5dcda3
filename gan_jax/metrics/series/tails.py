"""Distances of distributions of single values, and of sums over steps.

The earth mover's distances by which M. Wiese et al., Quant GANs (2020),
https://arxiv.org/abs/1907.06673, compare returns over several days.
"""

import numpy as np

STEPS = (1, 5, 20)  # of the sums


def horizons(length: int) -> tuple[int, ...]:
  """Those of STEPS that fit into so many moments."""
  return tuple(k for k in STEPS if k <= length)


def sums(x, steps: int) -> np.ndarray:
  """Sums over so many steps in a row, all there are: [N, T - steps + 1, C].

  Args:
    x: [N, T, C].
    steps: at most T.
  """
  x = np.asarray(x, np.float64)
  total = np.cumsum(np.pad(x, ((0, 0), (1, 0), (0, 0))), axis=1)
  return total[:, steps:] - total[:, :-steps]


def distances(real, fake, groups) -> tuple[float, np.ndarray]:
  """Earth mover's distance of two sets of numbers, and without each group.

  Args:
    real: [R] numbers.
    fake: [F] numbers.
    groups: [F] int.

  Returns:
    (distance, [G] distances with one group of the fakes left out).
  """
  values = np.concatenate([real, fake])
  order = np.argsort(values, kind='stable')
  gaps = np.diff(values[order])
  is_real = order < len(real)
  below = np.cumsum(is_real)[:-1] / len(real)

  def of(kept):
    share = np.cumsum(kept)[:-1] / kept.sum()
    return float(np.abs(below - share) @ gaps)

  group = np.concatenate([np.full(len(real), -1), groups])[order]
  there = range(int(groups.max()) + 1)
  return of(~is_real), np.array(
    [of((group >= 0) & (group != g)) for g in there]
  )


def scaled(real, fake, groups) -> tuple[float, np.ndarray]:
  """`distances` of each column in deviations of the real one, their mean.

  Args:
    real: [N, T, C].
    fake: [M, T, C].
    groups: [M] int.
  """
  each = np.repeat(groups, fake.shape[1])
  made = []
  for c in range(real.shape[-1]):
    deviation = real[..., c].std() or 1.0
    value, others = distances(real[..., c].ravel(), fake[..., c].ravel(), each)
    made.append(np.append(value, others) / deviation)
  value, *others = np.mean(made, axis=0)
  return float(value), np.array(others)
