"""Precision, recall, density and coverage from nearest neighbours.

Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing
Generative Models, https://arxiv.org/abs/1904.06991, section 2; Naeem et al.,
Reliable Fidelity and Diversity Metrics for Generative Models,
https://arxiv.org/abs/2002.09797, section 3.

Every example has a ball that reaches to its k-th nearest neighbour of its own
kind, not counting itself. A point on the sphere is outside, as in the code of
Naeem et al., or inside (`closed`), as in that of Kynkäänniemi et al. The
distances are computed in float64 on the accelerator, block by block.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

BLOCK = 1024  # rows of the distance matrix that are in memory at once
# A point nearer to a sphere than this, relative to the squared norms, is on it:
# rounding, which differs from machine to machine, must not decide ties.
SLACK = 1e-13


class Neighbourhoods(NamedTuple):
  """What each example contributes, so that an interval can be resampled."""

  hits: np.ndarray  # [M] integers: real balls that each fake lies in
  recalled: np.ndarray  # [N] bool: whether each real lies in a fake ball
  covered: np.ndarray  # [N] bool: whether each real ball holds a fake


def prdc(
  real, fake, k: int = 5, *, closed: bool = False, block: int = BLOCK
) -> dict[str, float]:
  """How much of the fakes looks real, and how much of the real is reached.

  Args:
    real: features [N, D], N > k.
    fake: features [M, D], M > k.
    k: neighbours that a ball reaches to.
    closed: whether a point on the sphere is inside.
    block: rows of the distances [N, M] that are computed at a time.

  Returns:
    precision: share of the fakes within any real ball.
    recall: share of the real within any fake ball.
    density: real balls that a fake lies in, on average, divided by k.
    coverage: share of the real balls that hold a fake.

  Raises:
    UserError: k below 1, wrong shapes, k examples or fewer, NaN or infinity.
  """
  contributions = neighbourhoods(real, fake, k, closed=closed, block=block)
  return {
    'precision': float((contributions.hits > 0).mean()),
    'recall': float(contributions.recalled.mean()),
    'density': float(contributions.hits.mean() / k),
    'coverage': float(contributions.covered.mean()),
  }


def neighbourhoods(
  real, fake, k: int = 5, *, closed: bool = False, block: int = BLOCK
) -> Neighbourhoods:
  """Which examples lie in whose balls; `prdc` explains the arguments.

  Raises:
    UserError: as `prdc`.
  """
  real, fake = _checked(real, fake, k)
  with jax.enable_x64(True), jax.default_device(_device()):
    # Around the origin, where squared norms round least.
    center = real.mean(axis=0, dtype=np.float64)
    real_points, fake_points = _points(real, center), _points(fake, center)
    real_radii = _squared_radii(real_points, k, block)  # [N]
    fake_radii = _squared_radii(fake_points, k, block)  # [M]
    hits = np.zeros(len(fake), np.int64)
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for rows, new in _blocks(len(real), block):
      # Rows that an earlier block has counted get no ball.
      radii = np.where(new, real_radii[rows], -np.inf)
      block_hits, block_covered, block_recalled = _inside(
        real_points, fake_points, rows.start, radii, fake_radii, closed=closed
      )
      hits += np.asarray(block_hits)
      covered[rows] |= np.asarray(block_covered)
      recalled[rows] = np.asarray(block_recalled)
  return Neighbourhoods(hits, recalled, covered)


def _checked(real, fake, k):
  if k < 1:
    raise UserError(f'prdc: expected k of 1 or more, got {k}')
  real = checks.unconverted(real, 'real', least=k + 1)
  fake = checks.unconverted(fake, 'fake', least=k + 1)
  checks.same_dimension(real.shape[1], fake.shape[1], ('real', 'fake'))
  return real, fake


def _device():
  """The accelerator if it computes in float64, which a TPU does not."""
  device = jax.local_devices()[0]
  if device.platform in ('cpu', 'gpu'):
    return device
  return jax.local_devices(backend='cpu')[0]


def _points(x, center):
  """Points [N, D] around the center on the device, their squared norms [N]."""
  x = jnp.asarray(x, jnp.float64) - center[None]
  return x, (x**2).sum(axis=1)


def _blocks(n, block):
  """Yields (rows, which of them are new [block]), all blocks of one size.

  The last one reaches back where n is not a multiple: one program then serves
  all, and each product is summed in the same order.
  """
  block = min(block, n)
  for start in range(0, n, block):
    first = min(start, n - block)
    yield slice(first, first + block), np.arange(block) >= start - first


def _squared_radii(points, k, block):
  """Squared distance of each to its k-th nearest neighbour, [N]."""
  radii = np.empty(len(points[0]))
  for rows, new in _blocks(len(radii), block):
    distances = np.asarray(_own_distances(points, rows.start, len(new)))
    radii[rows] = np.partition(distances, k, axis=1)[:, k]
  return radii


@functools.partial(jax.jit, static_argnums=2)
def _own_distances(points, start, size):
  """Squared distances [size, N] of some rows to all."""
  distances = _squared_distances(points, points, start, size, 0.0)
  own = start + jnp.arange(size)[:, None] == jnp.arange(len(points[0]))[None]
  return jnp.where(own, 0, distances)  # exactly, so that it comes first


@functools.partial(jax.jit, static_argnames='closed')
def _inside(real, fake, start, real_radii, fake_radii, *, closed):
  """Hits of the fakes [M], and which of some rows are covered, recalled."""
  slack = -SLACK if closed else SLACK
  distances = _squared_distances(real, fake, start, len(real_radii), slack)
  within = jnp.less_equal if closed else jnp.less
  in_real = within(distances, real_radii[:, None])  # [size, M]
  in_fake = within(distances, fake_radii[None])
  return in_real.sum(axis=0), in_real.any(axis=1), in_fake.any(axis=1)


def _squared_distances(a, b, start, size, slack):
  """From `size` rows of a to all of b, larger by the slack, [size, M]."""
  (a, a_norms), (b, b_norms) = a, b
  a, a_norms = (
    jax.lax.dynamic_slice_in_dim(x, start, size) for x in (a, a_norms)
  )
  norms = (1 + slack) * (a_norms[:, None] + b_norms[None])
  return jnp.maximum(norms - 2 * jnp.matmul(a, b.T, precision='highest'), 0)
