"""Precision, recall, density and coverage from nearest neighbours.

Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing
Generative Models, https://arxiv.org/abs/1904.06991, section 2; Naeem et al.,
Reliable Fidelity and Diversity Metrics for Generative Models,
https://arxiv.org/abs/2002.09797, section 3.

Every example is given a ball that reaches to its k-th nearest neighbour of its
own kind, itself not counted. A point on the sphere is outside (`<`).
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

BLOCK = 1024  # rows of the distance matrix that are in memory at a time


def prdc(real, fake, k: int = 5, *, block: int = BLOCK) -> dict[str, float]:
  """How much of the fakes looks real, and how much of the real is reached.

  Args:
    real: features [N, D], N > k.
    fake: features [M, D], M > k.
    k: neighbours that a ball reaches to.
    block: rows of the distances [N, M] that are computed at a time.

  Returns:
    precision: share of the fakes within any real ball.
    recall: share of the real within any fake ball.
    density: real balls that a fake lies in, on average, divided by k.
    coverage: share of the real balls that hold a fake.

  Raises:
    UserError: k below 1, wrong shapes, k examples or fewer, NaN or infinity.
  """
  if k < 1:
    raise UserError(f'prdc: expected k of 1 or more, got {k}')
  real, fake = checks.pair(real, fake, ('real', 'fake'), least=k + 1)
  center = real.mean(axis=0)  # distances stay, the rounding of them shrinks
  real, fake = real - center, fake - center
  real_radii = _squared_radii(real, k, block)  # [N]
  fake_radii = _squared_radii(fake, k, block)  # [M]
  hits = np.zeros(len(fake), np.int64)  # real balls around each fake
  recalled = np.zeros(len(real), bool)
  covered = np.zeros(len(real), bool)
  for rows, distances in _squared_distances(real, fake, block):
    radii = real_radii[rows]
    hits += (distances < radii[:, None]).sum(axis=0)
    recalled[rows] = (distances < fake_radii).any(axis=1)
    covered[rows] = distances.min(axis=1) < radii
  return {
    'precision': float((hits > 0).mean()),
    'recall': float(recalled.mean()),
    'density': float(hits.mean() / k),
    'coverage': float(covered.mean()),
  }


def _squared_distances(a, b, block):
  """Yields (rows of a, squared distances [rows, M] to all of b)."""
  a_norms, b_norms = (a**2).sum(axis=1), (b**2).sum(axis=1)
  for start in range(0, len(a), block):
    rows = slice(start, start + block)
    # The product with a copy: for `a @ a.T` NumPy takes another routine, whose
    # rounding would break ties between equal points one way or the other.
    distances = (-2 * a[rows]) @ b.T
    distances += a_norms[rows, None]
    distances += b_norms
    yield rows, np.maximum(distances, 0, out=distances)


def _squared_radii(x, k, block):
  """Squared distance of each to its k-th nearest neighbour, [N]."""
  radii = np.empty(len(x))
  for rows, distances in _squared_distances(x, x, block):
    own = np.arange(len(distances))
    distances[own, rows.start + own] = 0  # exactly, so that it comes first
    radii[rows] = np.partition(distances, k, axis=1)[:, k]
  return radii
