"""The Dirac-GAN: G is a point, D a linear function.

Mescheder et al. 2018 (https://arxiv.org/abs/1801.04406), Definition 2.1: G's
only sample is its parameter theta, D(x) = psi x, and the data are a point at 0.
Everything about a game near its equilibrium (0, 0) can be computed by hand.
With data of several dimensions, psi x is an inner product.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

KINDS = ('point',)  # of samples


class Generator(nn.Module):
  """The same point for every latent."""

  shape: tuple[int, ...]  # of a sample, (N,)
  start: float = 1.0  # standard deviation of its first coordinates

  @nn.compact
  def __call__(self, z, label=None, *, train):
    """Returns samples [B, N] of latents [B, ...], which do not matter."""
    del label, train
    init = nn.initializers.normal(self.start)
    point = self.param('point', init, self.shape)
    size = len(jax.tree.leaves(z)[0])
    return jnp.broadcast_to(point[None], (size, *self.shape))


class Discriminator(nn.Module):
  """A linear function without a bias."""

  start: float = 1.0  # standard deviation of its first coefficients

  @nn.compact
  def __call__(self, x, label=None, *, train):
    """Returns logits [B] of samples [B, N]."""
    del label, train
    init = nn.initializers.normal(self.start)
    return x @ self.param('slope', init, x.shape[1:])
