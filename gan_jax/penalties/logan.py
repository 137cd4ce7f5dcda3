"""Latent optimisation: latents move towards what D takes for real.

LOGAN: Wu et al. 2019 (https://arxiv.org/abs/1912.00953), by natural gradient;
constants as in PyTorch-StudioGAN. Before D is shown samples in either player's
update, each latent moves along the slope of D's logit,

  z' = z + m dz,   dz = rate g / (damping + |g|^2),   g = grad_z D(G(z)),

where m keeps a share p of the numbers; and both players pay

  weight |z' - z|^2.

The networks are in evaluation mode while latents move, and D sees no
augmentation then. The players' gradients go through the move, unless
`second_order` is False. Samples and scores are of latents as they are drawn.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib
from gan_jax.game import latents
from gan_jax.game.forward import heads_of
from gan_jax.game.gradients import squared_norm
from gan_jax.types import D, G, Tree, UserError

FLAG = 'penalties.logan'


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def move_latent(
  latent: Tree,
  net: Callable,
  label: jax.Array | None,
  *,
  key: jax.Array,
  rate: float = 0.9,
  damping: float = 0.1,
  p: float = 0.8,
  steps: int = 1,
  clip: bool = False,
  second_order: bool = True,
) -> Tree:
  """Moves latents; noise that stands beside a code stays as it is.

  Args:
    latent: [B, ...].
    net: (player, *inputs) -> its output, in evaluation mode.
    label: [B] or None.
    key: one for each example [B].
    rate: of a step.
    damping: beside the squared slope.
    p: probability of each number to move in a step.
    steps: how many, each of a new slope.
    clip: whether the numbers stay in [-1, 1], as those of a uniform z are.
    second_order: whether the players' gradients go through the slope.

  Returns:
    [B, ...].

  Raises:
    UserError: less than a step.
  """
  if steps < 1:
    raise UserError(f'{FLAG}.steps={steps}: expected at least 1.')

  def score(z):
    fake = net(G, latents.with_code(latent, z), label)
    return heads_of(net(D, fake, label))['logits'].sum()

  def kept(key, z):
    return jax.random.uniform(key, z.shape) < p

  z = latents.code_of(latent, flag=FLAG)  # [B, ...]
  for i in range(steps):
    slope = jax.grad(score)(z)
    square = squared_norm(slope).reshape(-1, *[1] * (z.ndim - 1))
    step = rate * slope / (damping + square)
    if not second_order:
      step = jax.lax.stop_gradient(step)
    z += jax.vmap(kept)(keys_lib.fold_each(key, i), z) * step
    z = jnp.clip(z, -1, 1) if clip else z
  return latents.with_code(latent, z)


def _term(forward, memo, weight):
  pair = forward.latent, forward.also['drawn']
  moved, drawn = (latents.code_of(one, flag=FLAG) for one in pair)
  return weight * squared_norm(moved - drawn), memo


def d_term(
  forward: Any, memo: Any, *, weight: float = 0.1
) -> tuple[jax.Array, Any]:
  """Adds to D's loss the squared way of its latent [B].

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the squared way, in the losses of both players.

  Returns:
    the term of each example [B], and memo.
  """
  return _term(forward, memo, weight)


def g_term(
  forward: Any, memo: Any, *, weight: float = 0.1
) -> tuple[jax.Array, Any]:
  """Adds to G's loss, as d_term to D's."""
  return _term(forward, memo, weight)
