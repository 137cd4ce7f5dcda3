"""Arrays that somebody gives to a trained model in Python, checked."""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.types import Tree, UserError


def examples(name: str, x: Any, shape: tuple[int, ...]) -> jax.Array:
  """An array [N, *shape] of what somebody gives.

  Args:
    name: of the argument, for error messages.
    x: what is given.
    shape: of one example.

  Raises:
    UserError: no numbers, or of another shape.
  """
  expected = f'[{", ".join(map(str, ("N", *shape)))}]'
  try:
    x = jnp.asarray(x)
  except (TypeError, ValueError) as e:
    raise UserError(f'{name}: expected numbers {expected}.') from e
  if not x.size or x.shape[1:] != tuple(shape):
    raise UserError(
      f'{name} has the shape {list(x.shape)}: expected {expected}.'
    )
  return x


def latents(z: Any, like: Tree) -> Tree:
  """Latents [N, ...] as G takes them: an array, or several.

  Args:
    z: what is given.
    like: shapes of one latent.

  Raises:
    UserError: latents of another shape, or of another structure.
  """
  if isinstance(like, jax.ShapeDtypeStruct):
    return examples('z', z, like.shape).astype(like.dtype)
  if jax.tree.structure(z) != jax.tree.structure(like):
    raise UserError(
      f'z: expected arrays as `latents` gives them: {", ".join(_names(like))}.'
    )
  made = [
    examples(name, x, one.shape).astype(one.dtype)
    for name, x, one in zip(
      _names(like), jax.tree.leaves(z), jax.tree.leaves(like), strict=True
    )
  ]
  if len({len(x) for x in made}) > 1:
    raise UserError('z: expected as many latents in each of its arrays.')
  return jax.tree.unflatten(jax.tree.structure(like), made)


def _names(tree):
  paths, _ = jax.tree_util.tree_flatten_with_path(tree)
  return ['z' + jax.tree_util.keystr(path) for path, _ in paths]
