"""Strips of samples as somebody asks for them: along what, how far."""

import math
from typing import Any, NamedTuple

import numpy as np

from gan_jax.run.samplers import spaces, strips
from gan_jax.run.samplers.spaces import Space
from gan_jax.run.samplers.way import Way
from gan_jax.storage import memory
from gan_jax.types import UserError

STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
WALK = 'code'  # what a code that is walked is asked for by
WHAT = 'interpolate', 'direction', 'mix', WALK  # one of these
ALSO = {'path': 'interpolate', 'strength': 'direction'}  # goes with one of them


class Asked(NamedTuple):
  """What strips are of: one of WHAT, and how it is done."""

  interpolate: int = 0  # samples from one to the next
  direction: str = ''  # see spaces.direction
  mix: str = ''  # see mixing.layers_of
  code: tuple | None = None  # a walk, see codes.parse
  path: str = ''  # of interpolate; '': the usual one, see strips.path_of
  strength: tuple[float, ...] = STRENGTHS  # of direction
  flags: bool = False  # whether they are a command's, as errors name them

  @property
  def what(self) -> str:
    """The one of WHAT."""
    return next(name for name in WHAT if getattr(self, name))

  def named(self, name: str) -> str:
    """An option as an error names it."""
    return f'--{name}' if self.flags else name


OPTIONS = tuple(name for name in Asked._fields if name != 'flags')


class Strips(NamedTuple):
  """Samples in rows, in each of which one thing changes.

  Attributes:
    samples: [R, K, *shape].
    labels: of the samples that are moved, [R] or [R, C]; of a table of mixes
      those of its first row and then of its first column; or None.
    also: what they are along, arrays by name.
  """

  samples: np.ndarray
  labels: np.ndarray | None
  also: dict[str, np.ndarray]


def make(
  setup: Any,
  state: Any,
  way: Way,
  num: int,
  asked: Asked,
  *,
  seed: int,
  labels: np.ndarray | None,
  run_seed: int,
) -> Strips:
  """The strips of a draw.

  Args:
    setup: setup.Setup.
    state: State [S, ...].
    way: settled, without a rejection.
    num: of samples that are moved: of two each an interpolation, of the largest
      square of them a table of mixes.
    asked: for what.
    seed: of the draw.
    labels: [num] int, [num, C] or None.
    run_seed: which of the S seeds.

  Raises:
    UserError: what the generator has not, too few samples, too many for the
      memory.
  """
  count, each = _counts(num, asked)
  memory.check_memory(
    4 * num * each * math.prod(setup.dataset.shape),
    f'{asked.named("num")}={num}',
  )
  if labels is not None:
    labels = np.resize(labels, (count, *labels.shape[1:]))
    if asked.interpolate:  # both ends of a strip are of one class
      labels = np.repeat(labels[: count // 2], 2, axis=0)
  how = {'seed': seed, 'labels': labels, 'run_seed': run_seed}
  how['flag'] = asked.named(asked.what)
  own = spaces.space(setup, state, way, count, **how)
  made, also = _made(own, asked)
  if labels is not None and asked.interpolate:
    labels = labels[::2]
  return Strips(made, labels, also)


def _counts(num, asked):
  """(points of the space, samples in a strip: an estimate)."""
  if asked.interpolate:
    flag = asked.named('interpolate')
    if asked.interpolate < 2:
      raise UserError(
        f'{flag}={asked.interpolate}: expected 2 samples or more.'
      )
    if num < 2:
      raise UserError(
        f'{flag}: {asked.named("num")}={num}, expected at least 2.'
      )
    return num - num % 2, asked.interpolate
  if asked.mix:
    return 2 * max(1, math.isqrt(num)), 1
  return num, len(asked.strength)


def _made(own: Space, asked):
  """(samples [R, K, ...], what they are along)."""
  if asked.interpolate:
    path = strips.path_of(own, asked.path)
    return strips.between(own, asked.interpolate, path), {}
  if asked.direction:
    direction = spaces.direction(own, asked.direction)
    also = {'direction': direction, 'strength': np.float32(asked.strength)}
    return strips.along(own, direction, asked.strength), also
  if asked.mix:
    return strips.mixed(own, asked.mix), {}
  return strips.coded(own, *asked.code), {'code': asked.code[1]}
