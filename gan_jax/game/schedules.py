"""Schedules of the learning rate that optax does not have."""

import jax.numpy as jnp
import optax


def root_decay(
  init_value: float, *, steps: int, warmup: int = 0, alpha: float = 1.0
) -> optax.Schedule:
  """A rate that falls with the root of the updates, once `steps` are over.

  Karras et al. 2024 (https://arxiv.org/abs/2312.02696), section 2.3, have it
  so; R3GAN2 lets it fall before that, too, by a cosine.

  Args:
    init_value: the rate.
    steps: updates before the root counts.
    warmup: updates of a line from 0, which the other factors do not wait for.
    alpha: what is left of the rate after `steps`, by a half wave of a cosine.
  """

  def rate(count):
    done = count / steps
    wave = (1 + jnp.cos(jnp.pi * jnp.minimum(done, 1))) / 2
    line = jnp.minimum(count / warmup, 1) if warmup else 1
    left = alpha + (1 - alpha) * wave
    return init_value * line * left / jnp.sqrt(jnp.maximum(done, 1))

  return rate
