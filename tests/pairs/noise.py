"""An augmentation for samples of any kind: noise."""

import jax


def apply(x, memo, *, key, sigma: float = 0.1):
  del memo
  noise = jax.vmap(lambda k, x: jax.random.normal(k, x.shape, x.dtype))
  return x + sigma * noise(key, x)
