"""The code of a latent: what a nearby or another latent means."""

from typing import Any

import jax

from gan_jax.types import Tree, UserError

CODE = 'z'  # of a latent of several arrays, beside noise


def code_of(latent: Tree, *, flag: str) -> jax.Array:
  """The code [B, Z]: the latent itself, or what it calls z.

  Args:
    latent: [B, ...].
    flag: how the config names the penalty, for error messages.

  Raises:
    UserError: it is of several arrays, none of which is z.
  """
  if isinstance(latent, dict) and CODE in latent:
    return latent[CODE]
  if hasattr(latent, 'shape'):
    return latent
  raise UserError(
    f'{flag}: expected a latent that is one array, or has a {CODE!r}; it is'
    f' {jax.tree.structure(latent)}.'
  )


def with_code(latent: Tree, code: jax.Array) -> Tree:
  """The latent with another code, all else as it was."""
  return {**latent, CODE: code} if isinstance(latent, dict) else code


def samples_of(forward: Any, player: str, latent: Tree) -> Tree:
  """What a player in evaluation mode makes of latents, for these labels."""
  return forward.net(player, latent, forward.batch.get('label'))
