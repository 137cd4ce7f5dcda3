"""Diffusion-GAN: D sees samples at a random time of a diffusion.

Wang et al. 2022, Diffusion-GAN: Training GANs with Diffusion
(https://arxiv.org/abs/2206.02262):

  y = sqrt(a_t) x + sqrt(1 - a_t) sigma n,   a_t = prod_{s <= t} (1 - beta_s)

Half of the samples are at t = 0, the others at t ~ 1 ... T, later times more
likely ('priority') or not ('uniform'). T follows D's logits by the controller
of shared/controller: T = t_min + p (t_max - t_min), rounded, at most t_max, and
beta runs from beta_start to beta_end, by a line, in these T steps.

As in the authors' code, but for three things: D is not told t; each sample
draws its t by itself (they draw 32 times whenever T changes, and each sample
has one of these or 0); and of the times 1 ... T, 'priority' gives t the weight
t, as the paper has it (their code t - 1).
"""

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import checks, controller
from gan_jax.augment.shared.controller import (  # noqa: F401
  ignored,
  init,
  measured,
)
from gan_jax.types import Tree, UserError


def update(
  memo: Tree,
  real_logits: jax.Array,
  *,
  target: float = 0.6,
  interval: int = 4,
  kimg: float = 100.0,
) -> Tree:
  """The memo after a move of D; see controller.update.

  Args:
    memo: from init.
    real_logits: of the global batch [B].
    target: mean sign of D's logits of reals that is not yet overfitting.
    interval: moves of D between two changes of T.
    kimg: thousands of images in which T may rise from t_min to t_max.
  """
  return controller.update(
    memo, real_logits, target=target, interval=interval, kimg=kimg
  )


def _by_weight(u, last):
  """The first t with t (t + 1) >= u T (T + 1)."""
  return jnp.ceil((jnp.sqrt(1 + 4 * u * last * (last + 1)) - 1) / 2)


def _evenly(u, last):
  return jnp.ceil(u * last)


TIMES = {'priority': _by_weight, 'uniform': _evenly}


def apply(
  x: jax.Array,
  memo: Tree,
  *,
  key: jax.Array,
  p: float = 0.0,
  sigma: float = 0.05,
  beta_start: float = 1e-4,
  beta_end: float = 0.02,
  t_min: int = 10,
  t_max: int = 1000,
  times: str = 'priority',
) -> jax.Array:
  """Shows samples at random times.

  Args:
    x: samples [B, ...] of any kind.
    memo: from init.
    key: one for each example [B].
    p: how far T is between t_min and t_max, where it is fixed.
    sigma: standard deviation of the noise at the end, in model range.
    beta_start: of the first step.
    beta_end: of step T.
    t_min: the least T.
    t_max: the largest.
    times: 'priority' or 'uniform'.

  Raises:
    UserError: times that there are not, or of which none is the largest.
  """
  if times not in TIMES:
    raise UserError(
      f'augment.times={times!r}: expected one of {", ".join(TIMES)}.'
    )
  if not 1 <= t_min <= t_max:
    raise UserError(
      f'augment.t_min={t_min}: expected from 1 to augment.t_max={t_max}.'
    )
  p = jnp.asarray(controller.p_of(memo, p), jnp.float32)
  last = jnp.clip(t_min + jnp.round(p * (t_max - t_min)), t_min, t_max)
  kept = kept_of(last, beta_start, beta_end, t_max)

  def one(x, key):
    of_noise, of_time, of_half = jax.random.split(key, 3)
    t = TIMES[times](1 - jax.random.uniform(of_time), last)  # of (0, 1]
    t = jnp.where(jax.random.bernoulli(of_half), jnp.clip(t, 1, last), 0)
    a = kept[t.astype(jnp.int32)]
    noise = sigma * jax.random.normal(of_noise, x.shape)
    return jnp.sqrt(a) * x + jnp.sqrt(1 - a) * noise

  return jax.vmap(one)(x, key).astype(x.dtype)


def kept_of(last, beta_start, beta_end, count: int) -> jax.Array:
  """a_t for t = 0 ... count, [count + 1]; beyond T it has no meaning.

  Args:
    last: T, [].
    beta_start: of the first step.
    beta_end: of step T.
    count: the largest T.
  """
  part = jnp.arange(count) / jnp.maximum(last - 1, 1)
  beta = beta_start + (beta_end - beta_start) * jnp.minimum(part, 1)
  return jnp.concatenate([jnp.ones(1), jnp.cumprod(1 - beta)])


def check(flag: str, options: dict):
  """Refuses numbers that mean nothing; UserError."""
  controller.check(flag, options)
  checks.check_range(flag, options, None, 'sigma')
  checks.check_range(flag, options, 1, 'beta_start', 'beta_end')
