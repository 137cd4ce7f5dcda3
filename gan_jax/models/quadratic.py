"""A random quadratic game: x^T P x / 2 + x^T A y - y^T Q y / 2.

G is x and minimises it, D is y and maximises it, with the loss `wasserstein`.
The Jacobian of the players' gradients is [[P, A], [-A^T, Q]] everywhere, as in
the analysis of Balduzzi et al. 2018 (https://arxiv.org/abs/1802.05642), Section
2: P and Q draw to (0, 0) or drive away from it, A turns around it.
"""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from gan_jax.models.dirac import Generator  # noqa: F401
from gan_jax.types import Loss

KINDS = ('point',)  # of samples


def adversarial(loss: Loss) -> Loss:
  """The loss of a game without data: the logits of reals count as 0."""
  none = jnp.zeros_like
  return Loss(
    lambda real, fake: loss.d_loss(none(real), fake),
    lambda real, fake: loss.g_loss(none(real), fake),
  )


def matrices(size: int, seed: int) -> tuple[np.ndarray, ...]:
  """P, Q (definite) and A, [size, size] float32, of independent normal numbers.

  Args:
    size: N, dimensions of x and of y.
    seed: of the numbers.
  """
  drawn = np.random.default_rng(seed).normal(size=(3, size, size))
  p, q, a = drawn / np.sqrt(size)
  return tuple(np.float32(m) for m in (p @ p.T, q @ q.T, a))


class Discriminator(nn.Module):
  """y, by what G's point loses against it."""

  g_curvature: float = 0.1  # of P; below 0, G is driven away
  d_curvature: float = 0.1  # of Q, likewise
  coupling: float = 1.0  # of A
  matrix_seed: int = 0
  start: float = 1.0  # standard deviation of its first coordinates

  @nn.compact
  def __call__(self, x, label=None, *, train):
    """Returns logits [B], the negative of the game's value, of x [B, N]."""
    del label, train
    p, q, a = matrices(x.shape[-1], self.matrix_seed)
    y = self.param('point', nn.initializers.normal(self.start), x.shape[1:])
    own = self.g_curvature / 2 * ((x @ p) * x).sum(-1)  # [B]
    return -(own + self.coupling * (x @ (a @ y))) + self.d_curvature / 2 * (
      y @ (q @ y)
    )
