"""Chains that correct a generator by its discriminator.

Both take a D whose logit is s = log(p_d / p_g), see `rejection`.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib

_CHANCE = 2**31 - 2  # of a proposal's key, the stream that decides about it


def metropolis_hastings(
  propose: Callable, keys: jax.Array, logits, *, steps: int
):
  """The ends of independence chains: each proposal is a new sample of G.

  Turner et al. 2019, https://arxiv.org/abs/1811.11357: a sample with logit s'
  takes the place of one with s with the probability min(1, exp(s' - s)).

  Args:
    propose: keys [B] -> (tree [B, ...], logits [B]).
    keys: of the chains [B].
    logits: of what they begin with [B]; of real samples there is no burn-in.
    steps: of each chain.

  Returns:
    (tree [B, ...], logits [B], moved [B]); a chain that has not moved still
    stands where it began, and its tree is zeros.
  """

  def step(carry, t):
    kept, logits, moved = carry
    own = keys_lib.fold_each(keys, t)
    made, new = propose(own)
    decide = keys_lib.fold_each(own, _CHANCE)
    # log u < s' - s, where u is uniform on (0, 1].
    chance = jnp.log1p(-jax.vmap(jax.random.uniform)(decide))
    taken = chance < new - logits
    choose = lambda new_x, old: jnp.where(
      taken.reshape(-1, *[1] * (old.ndim - 1)), new_x, old
    )
    kept = jax.tree.map(choose, made, kept)
    return (kept, jnp.where(taken, new, logits), moved | taken), None

  shapes = jax.eval_shape(propose, keys)[0]
  kept = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
  begin = kept, logits, jnp.zeros(len(keys), bool)
  return jax.lax.scan(step, begin, jnp.arange(steps))[0]


def langevin(
  energy: Callable, z, keys: jax.Array, *, steps: int, rate, noise=None
):
  """Discriminator-driven latent sampling: Langevin dynamics of latents.

  Che et al. 2020, https://arxiv.org/abs/2003.06060, algorithm 1:

    z <- z - rate / 2 * dE/dz + noise * n,   n normal, noise = sqrt(rate)

  Of E(z) = -log p(z) - s(G(z)) the latents come to be such that G's samples
  follow the data, up to the discretisation.

  Args:
    energy: latents, a tree [B, ...] -> [B]; an example's is of its own latent.
    z: where the chains begin.
    keys: of the chains [B].
    steps: of each.
    rate: [].
    noise: deviation of the noise; None: the root of the rate.
  """
  noise = jnp.sqrt(rate) if noise is None else noise
  slope = jax.grad(lambda z: energy(z).sum())

  def step(z, t):
    own = keys_lib.fold_each(keys, t)
    leaves, of = jax.tree.flatten(z)
    draws = [
      jax.vmap(lambda key, shape=x.shape[1:]: jax.random.normal(key, shape))(
        keys_lib.fold_each(own, i)
      )
      for i, x in enumerate(leaves)
    ]
    move = lambda z, slope, n: z - rate / 2 * slope + noise * n
    return jax.tree.map(move, z, slope(z), of.unflatten(draws)), None

  return jax.lax.scan(step, z, jnp.arange(steps))[0]


def normal_energy(z) -> jax.Array:
  """-log p(z) [B] of standard normal latents, up to a constant: |z|^2 / 2.

  Args:
    z: a tree [B, ...].
  """
  leaves = jax.tree.leaves(z)
  each = [jnp.square(x).reshape(len(x), -1).sum(1) / 2 for x in leaves]
  return sum(each)
