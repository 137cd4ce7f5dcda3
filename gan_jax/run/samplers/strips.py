"""Strips of samples: each a row in which one thing changes."""

import numpy as np

from gan_jax.game.sampling import mixing, paths
from gan_jax.run.samplers import settling
from gan_jax.run.samplers.spaces import Space
from gan_jax.types import UserError


def path_of(own: Space, words: str) -> str:
  """The way from one point to another: as asked for, or the usual one.

  Normal latents go along a sphere, styles and all others straight.

  Raises:
    UserError: there is no such path, or not for styles.
  """
  if words and words not in paths.PATHS:
    raise UserError(f'path={words}: there are {", ".join(paths.PATHS)}.')
  if own.styled and words == 'slerp':
    raise UserError(
      'path=slerp: it is for latents; between styles, which have no typical'
      ' length, there is lerp.'
    )
  name = settling.latent_of(own.setup)['name']
  round_ = name in ('normal', 'sphere') and not settling.codes_of(own.setup)
  usual = 'slerp' if round_ and not own.styled else 'lerp'
  return words or usual


def between(own: Space, steps: int, path: str) -> np.ndarray:
  """From each point to the next: [P, steps, ...] of 2 P points.

  Noise beside a latent, and the label, are those of the first of a pair.
  """
  a, b = own.points[0::2], own.points[1::2]
  way = np.asarray(paths.walk(a, b, steps, path=path))
  return _rendered(own, way, np.arange(0, len(own.points), 2))


def along(own: Space, direction: np.ndarray, strengths) -> np.ndarray:
  """Every point moved along a direction: [N, K, ...] of K strengths."""
  moves = np.multiply.outer(np.asarray(strengths, np.float32), direction)
  if own.styled:
    moves = moves[:, None]  # every layer's style alike
  way = own.points[:, None] + moves[None]
  return _rendered(own, way, np.arange(len(own.points)))


def coded(own: Space, place: int, values: np.ndarray) -> np.ndarray:
  """Every point with one of its codes at several values.

  Args:
    own: of latents [N, Z].
    place: of the code's first number.
    values: [K, n], its numbers.

  Returns:
    [N, K, ...].
  """
  way = np.repeat(own.points[:, None], len(values), axis=1)
  way[:, :, place : place + values.shape[1]] = values[None]
  return _rendered(own, way, np.arange(len(own.points)))


def mixed(own: Space, words: str) -> np.ndarray:
  """A table of mixes: [1 + n, 1 + n, ...] of 2 n points.

  In the first row are n samples, in the first column the n others; between
  them are those that have some of their styles from the sample above and all
  else from the one on their left. The corner is empty: the least value.

  Args:
    own: of styles.
    words: which styles are from above, see mixing.layers_of.

  Raises:
    UserError: a generator without styles, no such layers.
  """
  if not own.styled:
    name = settling.model_of(own.setup)
    raise UserError(
      f'mix={words}: the generator of model {name} has no styles to be mixed.'
    )
  n = len(own.points) // 2
  try:
    layers = mixing.layers_of(words, own.points.shape[1])
  except UserError as error:
    raise UserError(f'mix={error}') from error
  above, left = own.points[:n], own.points[n : 2 * n]
  tile = np.tile(above, (n, 1, 1))
  base = np.repeat(left, n, axis=0)
  mixes = np.asarray(mixing.mixed(base, tile, layers))
  points = np.concatenate([own.points[: 2 * n], mixes])
  rows = [*range(2 * n), *np.repeat(np.arange(n, 2 * n), n)]
  made = own.render(points, np.array(rows))
  table = np.full((1 + n, 1 + n, *made.shape[1:]), -1, np.float32)
  table[0, 1:], table[1:, 0] = made[:n], made[n : 2 * n]
  table[1:, 1:] = made[2 * n :].reshape(n, n, *made.shape[1:])
  return table


def _rendered(own, way, rows):
  """Samples [R, K, ...] of points [R, K, ...] of these rows [R]."""
  count, steps = way.shape[:2]
  flat = way.reshape(count * steps, *way.shape[2:])
  made = own.render(flat, np.repeat(rows, steps))
  return made.reshape(count, steps, *made.shape[1:])
