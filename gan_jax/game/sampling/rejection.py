"""Discriminator rejection sampling.

Azadi et al. 2019, https://arxiv.org/abs/1810.06758. Near its optimum the logit
of a cross-entropy D is s = log(p_d / p_g), the data's density over that of the
samples. A sample that is accepted with probability exp(s - M), M the largest s,
follows p_d; one in exp(M) is accepted. `gamma` accepts more, and corrects less:

  F = s - M - log(1 - exp(s - M - e)) - gamma,   accepted with sigmoid(F)
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib

EPSILON = 1e-14  # so that the logarithm is finite where s = M
TRIES = 10_000  # of a sample, at most
_CHANCE = 2**31 - 2  # of a proposal's key, the stream that decides about it


def merits(logits, most, gamma=0.0):
  """F of logits [B]: a sample is accepted with the probability sigmoid(F).

  Args:
    logits: s, [B].
    most: M, []; a larger logit counts as M.
    gamma: [].
  """
  below = jnp.minimum(logits - most, -EPSILON)
  return below - jnp.log(-jnp.expm1(below)) - gamma


def gamma_of(logits, most, percentile):
  """The gamma at which a sample of this percentile of F is accepted by half.

  Args:
    logits: of a first draw, [N].
    most: M, [].
    percentile: 0 to 100; the authors' is 80.
  """
  return jnp.percentile(merits(logits, most), percentile)


def draw(
  propose: Callable,
  keys: jax.Array,
  *,
  most,
  gamma=0.0,
  tries: int = TRIES,
):
  """An accepted sample for each key.

  What is accepted for a key depends on that key alone. Places whose sample is
  already there propose for those that still have none.

  Args:
    propose: (keys [B], place [B]) -> (tree [B, ...], logits [B]); the place of
      the sample says for which key it is.
    keys: [B].
    most: M, [].
    gamma: [].
    tries: rounds at most.

  Returns:
    (tree [B, ...], tries of each [B] int32, whether it is there [B]).
  """
  places = jnp.arange(len(keys))
  empty = jax.eval_shape(propose, keys, places)[0]
  kept = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), empty)
  begin = kept, jnp.zeros(len(keys), jnp.int32), jnp.zeros(len(keys), bool), 0
  left = lambda carry: (~carry[2]).any() & (carry[3] < tries)

  def step(carry):
    *so_far, turn = carry
    chance = lambda logits: jax.nn.sigmoid(merits(logits, most, gamma))
    return *_round(propose, keys, chance, *so_far), turn + 1

  return jax.lax.while_loop(left, step, begin)[:3]


def _round(propose, keys, chance, kept, tried, there):
  """One proposal for each place: those that have none yet share them."""
  count = len(keys)
  places = jnp.arange(count)
  order = jnp.argsort(there)  # those that have none come first
  missing = jnp.maximum(count - there.sum(), 1)
  place = order[places % missing]
  own = jax.vmap(jax.random.fold_in)(
    keys[place], tried[place] + places // missing
  )
  made, logits = propose(own, place)
  decide = jax.vmap(jax.random.uniform)(keys_lib.fold_each(own, _CHANCE))
  # The first accepted one of a place counts.
  late = jnp.where(decide < chance(logits), places, count)
  first = jnp.full(count, count).at[place].min(late)
  new = (first < count) & ~there
  pick = jnp.minimum(first, count - 1)
  choose = lambda new_x, old: jnp.where(
    new.reshape(-1, *[1] * (old.ndim - 1)), new_x[pick], old
  )
  # Up to the one that is accepted; where none is, all of the round.
  upto = (places <= first[place]).astype(jnp.int32)
  return (
    jax.tree.map(choose, made, kept),
    tried.at[place].add(upto),
    there | new,
  )
