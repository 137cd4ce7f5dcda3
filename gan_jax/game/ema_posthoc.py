"""Averages of any width, after the fact: of those that a training has kept.

Karras et al. 2024, EDM2 (https://arxiv.org/abs/2312.02696), section 3.2: an
average by a power of time weighs the weights of all steps by a profile,

  p(t) = (gamma + 1) t^gamma / T^(gamma + 1),   0 <= t <= T,

and a sum of several averages, of other widths or of earlier steps, by the sum
of their profiles. Least squares gives the sum that comes nearest to another
profile; its factors are then divided by their own sum, as in the authors' code,
since the weights of an average add up to one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from gan_jax.game.ema import STATISTICS, WIDEST
from gan_jax.types import Tree, UserError


class Profile(NamedTuple):
  """Of one average."""

  sigma: float  # width, as a share of the time
  step: float  # T: steps so far


def exponent(sigma: float) -> float:
  """The power gamma of a profile of this width; see ema.exponent."""
  s = sigma**-2.0
  return float(np.roots([1.0, 7.0, 16 - s, 12 - s]).real.max())


def overlap(one: Profile, other: Profile) -> float:
  """The integral of the product of two profiles over time, 1 / steps."""
  (a, s), (b, t) = ((exponent(p.sigma), p.step) for p in (one, other))
  least = min(s, t)
  # Shares of time, as powers of steps are too large.
  both = (least / s) ** a * (least / t) ** b * least / (s * t)
  return (a + 1) * (b + 1) / (a + b + 1) * both


def factors(kept: Sequence[Profile], wanted: Profile) -> np.ndarray:
  """What the averages that there are count in the one that is wanted, [N].

  Args:
    kept: of the averages; no two alike.
    wanted: its step is at most their latest.

  Raises:
    UserError: nothing is kept, or the width or the step cannot be had.
  """
  latest = max((p.step for p in kept), default=0)
  if not 0 < wanted.sigma <= WIDEST:
    raise UserError(
      f'ema={wanted.sigma}: expected above 0, and at most {WIDEST:.4f}.'
    )
  if not 0 < wanted.step <= latest:
    raise UserError(
      f'an average at step {wanted.step}: the latest that is kept is of step'
      f' {latest}.'
    )
  gram = np.array([[overlap(p, q) for q in kept] for p in kept])
  weights = np.linalg.solve(gram, [overlap(p, wanted) for p in kept])
  return weights / weights.sum()


def distance(
  kept: Sequence[Profile], wanted: Profile, own: np.ndarray
) -> float:
  """How far the sum's profile is from the one that is wanted, as a share of it.

  Args:
    kept: of the averages.
    wanted: what the sum stands for.
    own: their factors [N].

  Returns:
    the root of the integral of the squared difference over that of the square.
  """
  gram = np.array([[overlap(p, q) for q in kept] for p in kept])
  cross = np.array([overlap(p, wanted) for p in kept])
  whole = overlap(wanted, wanted)
  left = own @ gram @ own - 2 * own @ cross + whole
  return float(np.sqrt(max(left, 0.0) / whole))


def averaged(
  kept: Sequence[tuple[Profile, Tree]], wanted: Profile
) -> tuple[Tree, float]:
  """The average of another profile, and how far it is from it; see distance.

  Args:
    kept: averages {'params', 'vars'} with their profiles, as State.ema has
      them, the newest first: variables that make no sense averaged are its own,
      see ema.update.
    wanted: its width, and the step to which it reaches.

  Raises:
    UserError: see factors.
  """
  profiles = [profile for profile, _ in kept]
  own = factors(profiles, wanted)
  trees = [jax.device_get(tree) for _, tree in kept]

  def total(*leaves):
    terms = zip(own, leaves, strict=True)
    return sum(f * np.float64(x) for f, x in terms).astype(leaves[0].dtype)

  def of(*path):
    each = trees
    for name in path:
      each = [tree[name] for tree in each]
    return jax.tree.map(total, *each)

  made = {'params': of('params'), 'vars': dict(trees[0]['vars'])}
  if STATISTICS in made['vars']:
    made['vars'][STATISTICS] = of('vars', STATISTICS)
  return made, distance(profiles, wanted, own)
