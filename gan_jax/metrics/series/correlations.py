"""Correlations over time, of series and of their sizes.

M. Wiese et al., Quant GANs (2020), https://arxiv.org/abs/1907.06673, which
compare one long series with sampled ones; here moments are those of all windows
together, as if each column were stationary.
"""

from typing import NamedTuple

import numpy as np

# What is correlated with what, some moments later.
PAIRS = {
  'values': (lambda x: x, lambda x: x),
  'absolute': (np.abs, np.abs),
  'squares': (np.square, np.square),
  'leverage': (lambda x: x, np.square),
}


class Sums(NamedTuple):
  """What correlations are made of; those of parts may be added up."""

  count: int  # of series
  products: np.ndarray  # [K, C] of a at t, and b at t + k
  first: np.ndarray  # [T, C] of a
  second: np.ndarray  # [T, C] of b
  squares: np.ndarray  # [2, C] of a, and of b


def sums(x, pair: str, lags: int) -> Sums:
  """Sums over series.

  Args:
    x: [N, T, C].
    pair: one of PAIRS.
    lags: K, below T.
  """
  a, b = (of(np.asarray(x, np.float64)) for of in PAIRS[pair])
  length = x.shape[1]
  later = [
    np.einsum('ntc,ntc->c', a[:, : length - k], b[:, k:])
    for k in range(1, lags + 1)
  ]
  squares = [np.einsum('ntc,ntc->c', v, v) for v in (a, b)]
  return Sums(
    len(x), np.stack(later), a.sum(axis=0), b.sum(axis=0), np.stack(squares)
  )


def added(parts) -> Sums:
  """The sums of all parts together."""
  return Sums(*(sum(field) for field in zip(*parts, strict=True)))


def correlations(total: Sums) -> np.ndarray:
  """[K, C]: corr(a at t, b at t + k) for k = 1 ... K.

  Means and deviations are those of all moments; 0 where a column never changes.
  """
  n, (length, _) = total.count, total.first.shape
  means = [x.sum(axis=0) / (n * length) for x in (total.first, total.second)]
  variances = total.squares / (n * length) - np.square(means)
  scale = np.sqrt(np.maximum(variances, 0).prod(axis=0))
  lags = range(1, len(total.products) + 1)
  rows = []
  for k, products in zip(lags, total.products, strict=True):
    early = total.first[: length - k].mean(axis=0) / n
    late = total.second[k:].mean(axis=0) / n
    mean = products / (n * (length - k))
    rows.append(mean - means[0] * late - means[1] * early + np.prod(means, 0))
  still = scale <= 1e-12 * (1 + np.prod(np.abs(means), axis=0))
  return np.where(still, 0.0, np.array(rows) / np.where(still, 1.0, scale))


def distance(real: Sums, fake: Sums) -> float:
  """Length over the lags of the difference, mean over the columns."""
  gap = correlations(real) - correlations(fake)
  return float(np.sqrt((gap**2).sum(axis=0)).mean())
