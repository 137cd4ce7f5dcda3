"""Moving averages of the generator: with a half-life, or by a power of time.

Karras et al. 2018 (https://arxiv.org/abs/1710.10196), Section 4, average the
weights; the half-life in images and its warm-up follow Karras et al. 2020
(https://arxiv.org/abs/2006.06676), whose training code names them so. The power
is that of Karras et al. 2024, EDM2 (https://arxiv.org/abs/2312.02696): there is
no half-life to be chosen, the average grows longer as the training does.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.components import options
from gan_jax.types import Tree, UserError

STATISTICS = 'batch_stats'  # variables that are averaged


def make_decay(
  *,
  halflife_kimg: float = 0.0,
  rampup: float = 0.05,
  burn_in_kimg: float = 0.0,
  batch_size: int,
) -> Callable:
  """Returns decay(step []) -> [] in [0, 1): the weight of the old average.

  Args:
    halflife_kimg: thousands of images after which a weight counts half; 0
      means no averaging (the decay is 0).
    rampup: limits the half-life to this share of the images seen so far, so
      that the average forgets the initial weights; 0 means no warm-up.
    burn_in_kimg: thousands of images in which the half-life rises from 0 to its
      value, by half a wave of a cosine, as in the code of Huang et al. 2024
      (https://arxiv.org/abs/2501.05441); 0 means it has that at once.
    batch_size: images in one step of G.

  Raises:
    UserError: a negative half-life, warm-up or burn-in.
  """
  given = halflife_kimg, rampup, burn_in_kimg
  if options.are_known(given) and min(given) < 0:
    raise UserError(
      f'ema: halflife_kimg={halflife_kimg}, rampup={rampup} and'
      f' burn_in_kimg={burn_in_kimg} must be >= 0.'
    )

  def risen(step):
    share = step * (batch_size / jnp.maximum(burn_in_kimg * 1000, 1e-8))
    return (1 - jnp.cos(jnp.pi * jnp.minimum(share, 1))) / 2

  def decay(step):
    halflife = jnp.float32(halflife_kimg * 1000) * risen(step)
    # Not a Python branch: rampup and step may be traced.
    most = jnp.where(rampup > 0, rampup * batch_size * step, jnp.inf)
    halflife = jnp.minimum(halflife, most)
    return 0.5 ** (batch_size / jnp.maximum(halflife, 1e-8))

  return decay


def exponent(sigma: Any) -> jax.Array:
  """The power gamma [] of a profile t^gamma of this relative width.

  EDM2, section 3.1: sigma^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)), the
  largest root of gamma^3 + 7 gamma^2 + (16 - s) gamma + 12 - s with s =
  sigma^-2. All three are real, so there is a closed form (Viete's).

  Args:
    sigma: standard deviation of the profile over the time of training.
  """
  s = jnp.float32(sigma) ** -2.0
  p = -(s + 1 / 3)  # of the cubic in gamma + 7 / 3
  q = 686 / 27 - 7 * (16 - s) / 3 + 12 - s
  angle = 3 * q / (2 * p) * jnp.sqrt(-3 / p)
  third = jnp.arccos(jnp.clip(angle, -1, 1)) / 3
  return 2 * jnp.sqrt(-p / 3) * jnp.cos(third) - 7 / 3


def make_power(
  *, sigma: float = 0.05, more: tuple[float, ...] = (), batch_size: int
) -> tuple[Callable, ...]:
  """Returns decays, (step [] -> [] in [0, 1), ...): of sigma, then of `more`.

  (1 - 1 / step)^(gamma + 1), in steps where EDM2 has images: the
  weights so far are a power of time, and the first ones are soon forgotten.

  Args:
    sigma: width of the average that is sampled and scored, as a share of the
      time of training so far.
    more: widths of further averages, for profiles after the fact.
    batch_size: changes nothing.

  Raises:
    UserError: a width that no power has, or that there already is.
  """
  del batch_size
  widths, names = (sigma, *more), ('sigma', *['more'] * len(more))
  if options.are_known(widths):
    for name, width in zip(names, widths, strict=True):
      if not options.is_of(width, float) or not 0 < width <= WIDEST:
        raise UserError(
          f'ema.{name}={width!r}: expected above 0, and at most'
          f' {WIDEST:.4f}, the width of an average in which all steps count'
          ' alike.'
        )
    if len(set(widths)) < len(widths):
      raise UserError(f'ema.more={more}: with sigma={sigma}, one comes twice.')

  def decay(step, width):
    # By the logarithm: 1 - 1 / step has few digits after many steps.
    return jnp.exp((exponent(width) + 1) * jnp.log1p(-1.0 / step))

  return tuple(functools.partial(decay, width=width) for width in widths)


WIDEST = 12**-0.5  # sigma of gamma = 0
USUAL = 'halflife'
NAMES = {USUAL: make_decay, 'power': make_power}


def maker(name: str) -> Callable:
  """What makes the decay of an average of that name, or several decays.

  Raises:
    UserError: there is no such average.
  """
  if name not in NAMES:
    raise UserError(f'ema.name={name!r}: there are {", ".join(NAMES)}.')
  return NAMES[name]


def profiles(made: Callable | tuple[Callable, ...]) -> dict[str, Callable]:
  """{'': decay, '@1': decay, ...}: of the average that is used, and others.

  Args:
    made: by what maker gives.
  """
  first, *others = made if isinstance(made, tuple) else (made,)
  return {'': first} | {f'@{i}': own for i, own in enumerate(others, 1)}


def player_of(average: str) -> str:
  """Whose average it is, by its name in State.ema: that of 'g@1' is of 'g'."""
  return average.partition('@')[0]


def is_average(own: dict) -> bool:
  """Whether an average of these options differs from the networks."""
  usual = own.get('name', USUAL) == USUAL
  return not usual or own.get('halflife_kimg', 0) > 0


def update(average: Tree, params: Tree, variables: Tree, decay) -> Tree:
  """Moves the average towards G; copies variables that make no sense averaged.

  Args:
    average: {'params': ..., 'vars': ...}, shapes as in G.
    params: G's parameters.
    variables: G's other collections; batch statistics are averaged, the rest
      (spectral-norm vectors, for example) is copied from the newest.
    decay: [], weight of the old average.
  """

  def lerp(old, new):
    return jax.tree.map(lambda a, b: b + decay * (a - b), old, new)

  averaged = {
    name: lerp(average['vars'][name], new) if name == STATISTICS else new
    for name, new in variables.items()
  }
  return {'params': lerp(average['params'], params), 'vars': averaged}
