"""Where a generator's samples can be moved: among styles, or latents."""

from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax.game.sampling import directions
from gan_jax.run import draws
from gan_jax.run.samplers import features, making, settling
from gan_jax.run.samplers.way import Way
from gan_jax.run.sampling import take_seed
from gan_jax.types import G, UserError

MANY = 10_000  # latents whose styles or features have principal components


class Space(NamedTuple):
  """Samples of one seed as points that may be moved.

  Attributes:
    setup: setup.Setup.
    parts: making.Parts.
    variables: State.ema of the seed, with D's.
    styled: whether points are styles [N, L, W]; else latents z [N, ...].
    points: of the samples.
    latents: of the samples, a tree [N, ...]; what else than z they hold stays.
    labels: [N], [N, C] or None.
  """

  setup: Any
  parts: making.Parts
  variables: Any
  styled: bool
  points: np.ndarray
  latents: Any
  labels: np.ndarray | None

  def render(self, points, rows) -> np.ndarray:
    """Samples [M, ...] of points [M, ...].

    Args:
      points: of the samples.
      rows: [M], whose noise and whose label they have.
    """
    latents = jax.tree.map(lambda x: x[rows], self.latents)
    points = np.asarray(points, np.float32)
    if self.styled:
      noise = latents.get('noise') if isinstance(latents, dict) else None
      images = lambda ws, noise: self.parts.images(self.variables, ws, noise)
      return making.in_batches(images, points, noise)
    label = None if self.labels is None else self.labels[rows]
    latents = {**latents, 'z': points} if _in_dict(latents) else points
    samples = lambda z, label: self.parts.samples(self.variables, z, label)
    return making.in_batches(samples, latents, label)


def _in_dict(latents):
  return isinstance(latents, dict) and 'z' in latents


def space(
  setup,
  state,
  way: Way,
  num: int,
  *,
  seed: int,
  labels: np.ndarray | None,
  run_seed: int,
  flag: str,
) -> Space:
  """The samples of a draw as points.

  Args:
    setup: setup.Setup.
    state: State [S, ...].
    way: settled, without a rejection.
    num: of samples.
    seed: of the draw.
    labels: [num] int, [num, C] or None.
    run_seed: which of the S seeds.
    flag: that asks for it.

  Raises:
    UserError: the latent is neither an array nor a dict with 'z'.
  """
  parts = making.parts(setup, way)
  variables = take_seed(making.with_judge(state), run_seed)
  latents = making.latents(parts, draws.key_of(seed), num)
  if not _in_dict(latents) and len(jax.tree.leaves(latents)) != 1:
    raise UserError(
      f'{flag}: the latent of model {settling.model_of(setup)} has no z that'
      ' could be moved.'
    )
  z = latents['z'] if _in_dict(latents) else latents
  styled = settling.is_styled(setup)
  if styled:
    styles = lambda z, label: parts.styles(variables, z, label)
    z = making.in_batches(styles, z, labels)
  return Space(setup, parts, variables, styled, z, latents, labels)


def direction(own: Space, words: str) -> np.ndarray:
  """The direction of --direction=sefa:K or pca:K, of length 1.

  Of styles [W]; of latents [Z].

  Raises:
    UserError: no such direction, or no layer that it could be directions in.
  """
  kind, colon, number = words.partition(':')
  known = kind in ('sefa', 'pca') and number.isascii() and number.isdecimal()
  if not colon or not known:
    raise UserError(
      f'direction={words}: expected sefa:K or pca:K, the number of one, 0 the'
      ' strongest.'
    )
  directions = (_sefa if kind == 'sefa' else _pca)(own)
  count = len(directions)
  if int(number) >= count:
    raise UserError(f'direction={words}: there are {count}, 0 to {count - 1}.')
  return directions[int(number)].astype(np.float32)


def _sefa(own):
  if own.styled:
    weights = features.of_styles(own.variables[G]['params'])
  else:
    weights = features.first_weights(own)
  return directions.sefa(weights)[0]


def _pca(own):
  key, labels = draws.key_of(0), own.labels
  latents = making.latents(own.parts, key, MANY)
  labels = (
    None if labels is None else np.resize(labels, (MANY, *labels.shape[1:]))
  )
  z = latents['z'] if _in_dict(latents) else latents
  if own.styled:
    styles = lambda z, label: own.parts.styles(own.variables, z, label)[:, 0]
    return directions.pca(making.in_batches(styles, z, labels))[0]
  made = features.first_features(own, latents, labels)
  return directions.pca_of_features(z, made)[0]
