"""Features of a convolutional net that was never trained.

Naeem et al., Reliable Fidelity and Diversity Metrics for Generative Models,
https://arxiv.org/abs/2002.09797, compare data far from ImageNet by nets with
random weights. There is nothing to download or to learn, and scores are
comparable wherever they were made; but such a net sees textures and shapes, not
the objects shown.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_jax.devices import parallel
from gan_jax.metrics.features import base, resize, store
from gan_jax.types import UserError

# (width, stride) of the 3x3 convolutions. Mean and maximum over space of three
# layers and the mean of the last make 2 (32 + 32 + 64) + 256 = 512 features.
LAYERS = ((32, 1), (32, 2), (64, 2), (256, 2))
LEAK = 0.2  # slope of the activation below zero
MIN_SIDE = 8  # pixels, below which the last layer has nothing to look at
BATCH = 32  # samples per device and batch


def load(shape: tuple[int, ...], *, seed: int = 0) -> base.Features:
  """The random net as a feature net.

  Args:
    shape: of one sample, (H, W, C) of 1 or 3 channels; grey is repeated, so
      that the weights are the same for both.
    seed: of the weights.

  Returns:
    Features of 512 dimensions, with the hash of the weights.

  Raises:
    UserError: not images, too small, or not of 1 or 3 channels.
  """
  if len(shape) != 3 or shape[2] not in (1, 3) or min(shape[:2]) < MIN_SIDE:
    raise UserError(
      f'random_conv: expected images of {MIN_SIDE} x {MIN_SIDE} or more with '
      f'1 or 3 channels, got {list(shape)}'
    )
  kernels = weights(seed)
  return base.Features(
    name='random_conv',
    hash=store.weights_hash(kernels),
    apply=functools.partial(_apply, parallel.everywhere(kernels)),
  )


def weights(seed: int = 0) -> dict[str, np.ndarray]:
  """The kernels, the same whatever the machine and the versions.

  Uniform with the variance 2 / (1 + LEAK^2) / fan-in, which keeps the size of
  activations (He et al., https://arxiv.org/abs/1502.01852, section 2.2). A
  uniform draw is a whole number times a power of two, so nothing here depends
  on a mathematical library.

  Args:
    seed: of the draw; each layer has a stream of its own.

  Returns:
    float32 [3, 3, I, O] by name.
  """
  kernels, channels = {}, 3
  for i, (width, _) in enumerate(LAYERS):
    shape = (3, 3, channels, width)
    bound = np.sqrt(6 / (1 + LEAK**2) / (9 * channels))
    drawn = np.random.default_rng((seed, i)).random(shape)
    kernels[f'layer_{i}'] = ((2 * drawn - 1) * bound).astype(np.float32)
    channels = width
  return kernels


def _apply(kernels, samples):
  see = lambda x: _infer(kernels, parallel.spread(x))
  return base.in_batches(see, samples, size=base.batch_size(BATCH))


@jax.jit
def _infer(kernels, x):
  """Seen of one batch [B, H, W, C]."""
  if x.dtype == jnp.uint8:
    x = x.astype(jnp.float32) / 127.5 - 1
  x = resize.to_rgb(x.astype(jnp.float32))
  pooled = []
  for i, (_, stride) in enumerate(LAYERS):
    x = lax.conv_general_dilated(
      x,
      kernels[f'layer_{i}'],
      (stride, stride),
      'SAME',
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
      precision='highest',
    )
    x = jax.nn.leaky_relu(x, LEAK)
    pooled.append(x.mean(axis=(1, 2)))
    if i < len(LAYERS) - 1:
      pooled.append(x.max(axis=(1, 2)))
  return base.Seen(jnp.concatenate(pooled, axis=-1))  # [B, 512]
