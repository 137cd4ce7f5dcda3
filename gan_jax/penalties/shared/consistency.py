"""What the consistency terms share: T, and how far D's judgements are apart."""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.types import Tree, UserError


def transform(x: Tree, key: jax.Array, *, augment: str, flag: str) -> Tree:
  """T(x): the same samples seen differently; of pairs, the first are samples.

  Zhang et al. 2020 (https://arxiv.org/abs/1910.12027): an image is mirrored
  or not and moved by some pixels, what comes in being mirrored.

  Args:
    x: samples [B, ...].
    key: one for each example [B].
    augment: name of a file of augment/, which has its usual options; '' is the
      paper's T, for images [B, H, W, C] alone.
    flag: how the config names the penalty, for error messages.

  Raises:
    UserError: there is no T of such samples, no such file, or one that adapts
      itself.
  """
  if isinstance(x, tuple):
    return transform(x[0], key, augment=augment, flag=flag), *x[1:]
  if augment:
    select.module('augment', augment, flag=f'{flag}.augment')
    made = select.augmentation(augment)
    memo = made.init()
    if jax.tree.leaves(memo):
      raise UserError(
        f'{flag}.augment={augment!r}: it adapts itself to the game of'
        ' augment.name; expected one that does not.'
      )
    return made.apply(x, memo, key=key)
  if jnp.ndim(x) != 4:
    raise UserError(
      f'{flag}: samples {list(x.shape[1:])} are no images to be mirrored and'
      " moved; expected augment='NAME', a file of augment/ that suits them."
    )
  return jax.vmap(_mirrored_and_moved)(x, key)


def _mirrored_and_moved(x, key):
  """Of one image [H, W, C]: mirrored or not, moved by an eighth at most."""
  of_flip, of_move = jax.random.split(key)
  x = jnp.where(jax.random.bernoulli(of_flip), x[:, ::-1], x)
  most = jnp.array([x.shape[0] // 8, x.shape[1] // 8, 0])
  start = jax.random.randint(of_move, (3,), 0, 2 * most + 1)
  pads = [(size // 8,) * 2 for size in x.shape[:2]]
  wide = jnp.pad(x, (*pads, (0, 0)), mode='reflect')
  return jax.lax.dynamic_slice(wide, start, x.shape)


def distance(forward: Any, x: Tree, y: Tree, *, all_heads: bool) -> jax.Array:
  """Squared difference of D's judgements of x and y, [B].

  D is in evaluation mode, with the same draw of the game's augmentation for
  both: what differs is only what the term is about.

  Args:
    forward: game.terms.Forward.
    x: samples [B, ...].
    y: samples [B, ...].
    all_heads: whether D's class logits and embeddings are compared as well,
      each by the mean of its numbers, and not only the logits.
  """
  both = jax.tree.map(lambda *x: jnp.stack(x), x, y)
  heads = jax.vmap(forward.critic)(both)  # each [2, B, ...]
  # Features are not what D says; of parts, the logits are the means.
  others = sorted(set(heads) - {'logits', 'features', 'parts'})
  total = jnp.square(heads['logits'][0] - heads['logits'][1])  # [B]
  for name in others if all_heads else ():
    gap = jnp.square(heads[name][0] - heads[name][1])
    total += gap.reshape(len(gap), -1).mean(axis=1).astype(jnp.float32)
  return total
