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
  count = len(keys)
  places = jnp.arange(count)

  def judged(tries_so_far, there):
    """A round: proposals, whose they are, whether they are accepted."""
    order = jnp.argsort(there)  # those that have none come first
    open_ = jnp.maximum(count - there.sum(), 1)
    place = order[places % open_]
    attempt = tries_so_far[place] + places // open_
    own = jax.vmap(jax.random.fold_in)(keys[place], attempt)
    made, logits = propose(own, place)
    chance = jax.nn.sigmoid(merits(logits, most, gamma))
    decide = keys_lib.fold_each(own, _CHANCE)
    accepted = jax.vmap(jax.random.uniform)(decide) < chance
    return made, place, accepted

  def step(carry):
    kept, tried, there, round_ = carry
    made, place, accepted = judged(tried, there)
    late = jnp.where(accepted, places, count)  # the first accepted one counts
    first = jnp.full(count, count).at[place].min(late)
    new = (first < count) & ~there
    pick = jnp.minimum(first, count - 1)
    choose = lambda new_x, old: jnp.where(
      new.reshape(-1, *[1] * (old.ndim - 1)), new_x[pick], old
    )
    kept = jax.tree.map(choose, made, kept)
    # Up to the one that is accepted; where none is, all of the round.
    upto = (places <= first[place]).astype(jnp.int32)
    tried = tried.at[place].add(upto)
    return kept, tried, there | new, round_ + 1

  empty = jax.eval_shape(propose, keys, places)[0]
  kept = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), empty)
  begin = kept, jnp.zeros(count, jnp.int32), jnp.zeros(count, bool), 0
  left = lambda carry: (~carry[2]).any() & (carry[3] < tries)
  kept, tried, there, _ = jax.lax.while_loop(left, step, begin)
  return kept, tried, there
