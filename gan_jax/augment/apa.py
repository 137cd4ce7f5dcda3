"""APA: D is shown fakes as reals, as often as it overfits.

Jiang et al. 2021, Deceive D: Adaptive Pseudo Augmentation for GAN Training with
Limited Data (https://arxiv.org/abs/2111.06849). With probability p, the
controller of shared/controller, a real is replaced by the fake of this very
step that has its place in the batch, without gradient to G; where samples have
classes it has the same one. It comes before other augmentations:

  augment = {'name': 'apa', 'then': {'name': 'ada'}}

What the terms see as real is what D is shown.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import controller
from gan_jax.augment.shared.controller import (  # noqa: F401
  ignored,
  init,
  measured,
)
from gan_jax.types import Tree


def update(
  memo: Tree,
  real_logits: jax.Array,
  *,
  target: float = 0.6,
  interval: int = 4,
  kimg: float = 500.0,
) -> Tree:
  """The memo after a move of D; see controller.update.

  Args:
    memo: from init.
    real_logits: of the global batch [B], of what is shown as real.
    target: mean sign of D's logits of reals that is not yet overfitting.
    interval: moves of D between two changes of p.
    kimg: thousands of images in which p may rise from 0 to 1.
  """
  return controller.update(
    memo, real_logits, target=target, interval=interval, kimg=kimg
  )


def replace(
  real: Tree, fake: Tree, memo: Tree, *, key: jax.Array, p: float = 0.0
) -> Tree:
  """Puts fakes in the place of some reals.

  Args:
    real: samples [B, ...], of any kind.
    fake: likewise, without gradient.
    memo: from init.
    key: one for each example [B].
    p: probability, where it is fixed.
  """
  chance = controller.p_of(memo, p)
  is_fake = jax.vmap(lambda key: jax.random.uniform(key) < chance)(key)  # [B]

  def mixed(real, fake):
    mask = is_fake.reshape(-1, *(1,) * (real.ndim - 1))
    return jnp.where(mask, fake.astype(real.dtype), real)

  return jax.tree.map(mixed, real, fake)


def apply(x: Any, memo: Tree, *, key: jax.Array) -> Any:
  """Shows samples as they are: what is to be real has been replaced."""
  del memo, key
  return x


def check(flag: str, options: dict):
  """Refuses numbers that mean nothing; UserError."""
  controller.check(flag, options)
