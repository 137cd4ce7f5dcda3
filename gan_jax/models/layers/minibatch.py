"""What a discriminator sees of several samples at once."""

import math

import jax.numpy as jnp


def with_deviation(x, group: int):
  """Adds how much the examples of a group differ as one more channel.

  Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 3: the standard
  deviation of each value over a group, averaged over all values. A group is of
  neighbours in the batch, unlike in the authors' code, where it is of every
  n-th example: so a batch that several devices share has the same groups.

  Args:
    x: [B, H, W, C].
    group: examples; if the batch is no multiple of it, the largest divisor of
      both is taken.

  Returns:
    [B, H, W, C + 1].
  """
  size = math.gcd(group, len(x))
  groups = x.astype(jnp.float32).reshape(-1, size, *x.shape[1:])
  centred = groups - groups.mean(axis=1, keepdims=True)
  deviation = jnp.sqrt(jnp.square(centred).mean(axis=1) + 1e-8)  # [N, H, W, C]
  each = jnp.repeat(deviation.mean((1, 2, 3)), size)  # [B]
  channel = jnp.broadcast_to(each[:, None, None, None], (*x.shape[:3], 1))
  return jnp.concatenate([x, channel.astype(x.dtype)], axis=-1)
