"""Measures of a game's health: pure functions on arrays.

A run computes them from time to time within its compiled step (see probe.py),
so they are cheap: nothing here uses a feature net, and at most MOST samples are
compared with each other. diagnosis.py interprets the values.
"""

import jax
import jax.numpy as jnp

from gan_jax.game.gradients import safe_norm, squared_norm
from gan_jax.types import Tree

PREFIX = 'health_'  # of the measures' names
PROBES = 'health_probes'  # number of probes since the last report
MOST = 256  # samples of a batch used for the diversity, at most
BANDWIDTH = 0.25  # of the kernel, in units of the reals' spread


def separation(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
  """Share of pairs in which D ranks the real sample higher; ties count half.

  The area under the ROC curve of D, or Mann and Whitney's U / (n m) (1947,
  https://doi.org/10.1214/aoms/1177730491). .5: D is at chance; 1: it makes no
  mistakes. It does not depend on the loss or on the scale of the logits.

  Args:
    real_logits: [n].
    fake_logits: [m].

  Returns:
    [], NaN if a logit is.
  """
  difference = real_logits[:, None] - fake_logits[None, :]  # [n, m]
  return (0.5 * (1 + jnp.sign(difference))).mean()


def norm(tree: Tree) -> jax.Array:
  """Euclidean norm [] of all entries of a tree of arrays, in float32."""
  squares = [
    jnp.square(leaf.astype(jnp.float32)).sum() for leaf in jax.tree.leaves(tree)
  ]
  return jnp.sqrt(sum(squares, jnp.float32(0)))


def relative_change(before: Tree, after: Tree) -> jax.Array:
  """Norm of a tree's change, relative to the norm of the tree before, []."""
  change = jax.tree.map(lambda a, b: (b - a).astype(jnp.float32), before, after)
  return norm(change) / jnp.maximum(norm(before), 1e-12)


def count_nonfinite(tree: Tree) -> jax.Array:
  """Number of NaN or infinite entries of a tree of arrays, [] float32."""
  counts = [
    (~jnp.isfinite(leaf)).sum().astype(jnp.float32)
    for leaf in jax.tree.leaves(tree)
  ]
  return sum(counts, jnp.float32(0))


def mean_norm(x: jax.Array) -> jax.Array:
  """Mean Euclidean norm [] of the examples of x [B, ...]."""
  return safe_norm(x).mean()


def reach(real_logits, fake_logits, slope, spread) -> jax.Array:
  """How far a fake must move to be taken for a real sample, [].

  The gap of D's mean logits over its slope at the fakes: the distance to first
  order, as in S. Moosavi-Dezfooli et al., DeepFool (2016),
  https://arxiv.org/abs/1511.04599; in units of the spread of the reals. Where
  a perfect D is flat, G learns nothing (M. Arjovsky, L. Bottou 2017,
  https://arxiv.org/abs/1701.04862), and the reach is large, whatever the loss.

  Args:
    real_logits: [n].
    fake_logits: [m].
    slope: mean norm of D's gradient at the fakes, [].
    spread: see spread_of.
  """
  gap = real_logits.mean() - fake_logits.mean()
  return gap / jnp.maximum(slope * spread, 1e-12)


def flat(x: Tree) -> jax.Array:
  """Samples [n, ...], of one array or a tree of them, as rows [n, D]."""
  rows = [leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(x)]
  return jnp.concatenate(rows, axis=1) if len(rows) > 1 else rows[0]


def squared_distances(x: Tree) -> jax.Array:
  """Squared distances [n, n] of samples x [n, ...], in float32."""
  x = flat(x).astype(jnp.float32)
  # |x|^2 + |y|^2 - 2 x.y loses digits far from the origin, and rounding can
  # make it negative. HIGHEST: accelerators default to a lower precision.
  x = x - x.mean(0, keepdims=True)
  product = jnp.matmul(x, x.T, precision=jax.lax.Precision.HIGHEST)
  squares = squared_norm(x)
  return jnp.maximum(squares[:, None] + squares[None, :] - 2 * product, 0)


def spread_of(squared: jax.Array) -> jax.Array:
  """Root mean square distance [] of pairs of different samples.

  Args:
    squared: squared distances [n, n].
  """
  n = squared.shape[0]
  return jnp.sqrt(squared.sum() / max(n * (n - 1), 1))


def effective_number(squared: jax.Array, bandwidth) -> jax.Array:
  """The effective number of distinct samples: the Vendi score of order 2.

  1 / sum of the squared eigenvalues of K / n, which is n^2 / sum of K_ij^2
  and needs no eigenvalues; K_ij = exp(-|x_i - x_j|^2 / (2 h^2)). D. Friedman,
  A. B. Dieng, The Vendi Score (2023), https://arxiv.org/abs/2210.02410; its
  orders: A. Pasarkar, A. B. Dieng, Cousins of the Vendi Score (2024),
  https://arxiv.org/abs/2310.12952.

  Args:
    squared: squared distances [n, n].
    bandwidth: h, [].

  Returns:
    [], from 1 (all equal) to n (all far apart).
  """
  n = squared.shape[0]
  width = jnp.maximum(jnp.square(bandwidth), 1e-12)
  return n**2 / jnp.exp(-squared / width).sum()  # K^2 = exp(-d^2 / h^2)


def diversity(real: jax.Array, fake: jax.Array) -> jax.Array:
  """Effective number of distinct fakes over that of equally many reals.

  The bandwidth of the kernel is BANDWIDTH times the spread of the reals. 1: as
  diverse as the data at that scale; near 0: the same sample repeated; above 1:
  more scattered than the data.

  Args:
    real: squared distances [n, n] of the reals.
    fake: squared distances [n, n] of the fakes.

  Returns:
    [] float32.
  """
  bandwidth = BANDWIDTH * spread_of(real)
  return effective_number(fake, bandwidth) / effective_number(real, bandwidth)
