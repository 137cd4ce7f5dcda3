"""What networks of sound share: phase shuffle, and where its draws come from.

Donahue et al. 2019, https://arxiv.org/abs/1802.04208, section 3.3.
"""

import jax
import jax.numpy as jnp

from gan_jax.types import UserError

MOST = 16  # layers with a draw of their own
BY = ('example', 'batch')  # whose shift is drawn


def draws(batch: dict) -> jax.Array:
  """Numbers in [0, 1) for the shifts of each layer: [B, 2, MOST].

  The first are an example's own. The second are the same for the whole batch
  of a step, on however many devices it lies.

  Args:
    batch: of one move, see game/forward.
  """
  own = jax.vmap(lambda key: jax.random.uniform(key, (MOST,)))(batch['key'])
  shared = jax.random.fold_in(jax.random.key(0), batch['step'])
  shared = jax.random.uniform(shared, (MOST,))
  return jnp.stack([own, jnp.broadcast_to(shared, own.shape)], axis=1)


def shifts(drawn: jax.Array, layer: int, *, radius: int, by: str) -> jax.Array:
  """Whole numbers from -radius to radius for a layer: [B] int32.

  Args:
    drawn: see draws.
    layer: which one, from 0.
    radius: the most.
    by: one of BY.

  Raises:
    UserError: there is no such `by`.
  """
  if by not in BY:
    raise UserError(
      f'model.d.shuffle_by={by!r}: expected one of {", ".join(BY)}.'
    )
  own = drawn[:, BY.index(by), layer]
  whole = jnp.floor(own * (2 * radius + 1)).astype(jnp.int32)
  # A penalty may have moved the draw a little, together with its sample.
  return jnp.clip(whole - radius, -radius, radius)


def shuffle(x: jax.Array, by: jax.Array, *, radius: int) -> jax.Array:
  """Moves each example in time; what is lacking is mirrored at the edge.

  A sum over all that may be: slices and products are fast everywhere, where
  gathers are not.

  Args:
    x: [B, T, C], T > radius.
    by: [B] int, from -radius to radius; positive is later.
    radius: the most.
  """
  length = x.shape[1]
  padded = jnp.pad(x, ((0, 0), (radius, radius), (0, 0)), 'reflect')
  moved = jnp.zeros_like(x)
  for shift in range(-radius, radius + 1):
    chosen = (by == shift).astype(x.dtype)[:, None, None]
    moved += chosen * padded[:, radius - shift : radius - shift + length]
  return moved
