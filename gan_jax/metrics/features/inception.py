"""Inception-v3 as the Fréchet Inception distance knows it.

Szegedy et al., Rethinking the Inception Architecture for Computer Vision,
https://arxiv.org/abs/1512.00567, in the variant of the TensorFlow graph of
2015-12-05 that Heusel et al., https://arxiv.org/abs/1706.08500, took for FID:
average pools that do not count the padding, one maximum pool in the place of
an average (in the last block), 1,008 outputs. Modules have the names that
PyTorch's checkpoint of the same weights gives them.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jax import lax

from gan_jax.devices import parallel
from gan_jax.metrics.features import base, inception_weights, store
from gan_jax.metrics.features import resize as resize_lib
from gan_jax.types import UserError

SIZE = 299  # pixels of a side
NUM_CLASSES = 1008
DIMENSIONS = 2048  # of the features
# sFID compares the first 7 channels of what the graph calls mixed_6/conv: the
# first branch of this block, 17 x 17 x 7 = 2,023 values.
SPATIAL_BLOCK, SPATIAL_CHANNELS = 'Mixed_6d', 7
BATCH = 32  # images per device and batch
RESIZE = {
  'tf': resize_lib.tf_bilinear,
  'clean': resize_lib.clean,
  'none': resize_lib.none,
}


class Conv(NamedTuple):
  """A convolution with its folded batch norm, and a ReLU."""

  name: str
  width: int
  kernel: tuple[int, int] = (1, 1)
  stride: int = 1
  padding: str = 'SAME'


def _chain(name, *convs):
  """Convolutions in a row: name_1, name_2, ..."""
  return tuple(Conv(f'{name}_{i}', *conv) for i, conv in enumerate(convs, 1))


def _average_pool(x):
  """Mean over 3 x 3 pixels, not counting the padding."""
  total = lax.reduce_window(x, 0.0, lax.add, (1, 3, 3, 1), (1, 1, 1, 1), 'SAME')
  rows, columns = (
    np.convolve(np.ones(n, np.float32), np.ones(3, np.float32))[1:-1]
    for n in x.shape[1:3]
  )
  return total / np.outer(rows, columns)[None, :, :, None]


def _max_pool(x):
  return nn.max_pool(x, (3, 3), (1, 1), 'SAME')


def _max_pool_2(x):
  return nn.max_pool(x, (3, 3), (2, 2), 'VALID')


# A block is a tuple of branches whose results are concatenated along channels,
# a branch a tuple of steps: a convolution, a pool, or several convolutions of
# the same input whose results are concatenated.


def _block_5(pooled):
  return (
    (Conv('branch1x1', 64),),
    _chain('branch5x5', (48,), (64, (5, 5))),
    _chain('branch3x3dbl', (64,), (96, (3, 3)), (96, (3, 3))),
    (_average_pool, Conv('branch_pool', pooled)),
  )


def _block_6(c):
  wide, tall = (1, 7), (7, 1)
  return (
    (Conv('branch1x1', 192),),
    _chain('branch7x7', (c,), (c, wide), (192, tall)),
    _chain('branch7x7dbl', (c,), (c, tall), (c, wide), (c, tall), (192, wide)),
    (_average_pool, Conv('branch_pool', 192)),
  )


def _block_7(pool):
  split = lambda name: (
    Conv(f'{name}a', 384, (1, 3)),
    Conv(f'{name}b', 384, (3, 1)),
  )
  return (
    (Conv('branch1x1', 320),),
    (*_chain('branch3x3', (384,)), split('branch3x3_2')),
    (*_chain('branch3x3dbl', (448,), (384, (3, 3))), split('branch3x3dbl_3')),
    (pool, Conv('branch_pool', 192)),
  )


_HALVE = ((3, 3), 2, 'VALID')

STEM = (
  Conv('Conv2d_1a_3x3', 32, *_HALVE),
  Conv('Conv2d_2a_3x3', 32, (3, 3), padding='VALID'),
  Conv('Conv2d_2b_3x3', 64, (3, 3)),
  _max_pool_2,
  Conv('Conv2d_3b_1x1', 80),
  Conv('Conv2d_4a_3x3', 192, (3, 3), padding='VALID'),
  _max_pool_2,
)

BLOCKS = {
  'Mixed_5b': _block_5(32),  # 35 x 35
  'Mixed_5c': _block_5(64),
  'Mixed_5d': _block_5(64),
  'Mixed_6a': (  # 17 x 17
    (Conv('branch3x3', 384, *_HALVE),),
    _chain('branch3x3dbl', (64,), (96, (3, 3)), (96, *_HALVE)),
    (_max_pool_2,),
  ),
  'Mixed_6b': _block_6(128),
  'Mixed_6c': _block_6(160),
  'Mixed_6d': _block_6(160),
  'Mixed_6e': _block_6(192),
  'Mixed_7a': (  # 8 x 8
    _chain('branch3x3', (192,), (320, *_HALVE)),
    _chain('branch7x7x3', (192,), (192, (1, 7)), (192, (7, 1)), (192, *_HALVE)),
    (_max_pool_2,),
  ),
  'Mixed_7b': _block_7(_average_pool),
  'Mixed_7c': _block_7(_max_pool),
}


def _take(step, x):
  """One step of a branch; called within a module, which owns the weights."""
  if isinstance(step, Conv):
    conv = nn.Conv(
      step.width,
      step.kernel,
      strides=step.stride,
      padding=step.padding,
      precision='highest',
      name=step.name,
    )
    return nn.relu(conv(x))
  if callable(step):
    return step(x)
  return jnp.concatenate([_take(conv, x) for conv in step], axis=-1)


class Block(nn.Module):
  """Branches of the same input, concatenated along channels."""

  branches: tuple

  @nn.compact
  def __call__(self, x):  # [B, H, W, C]
    take = lambda x, step: _take(step, x)
    results = [functools.reduce(take, branch, x) for branch in self.branches]
    return jnp.concatenate(results, axis=-1)


class Inception(nn.Module):
  """The whole net, for inference: batch norm is folded into the kernels."""

  @nn.compact
  def __call__(self, x):  # [B, 299, 299, 3] in [-1, 1]
    for step in STEM:
      x = _take(step, x)
    for name, branches in BLOCKS.items():
      x = Block(branches, name=name)(x)
      if name == SPATIAL_BLOCK:
        spatial = x[..., :SPATIAL_CHANNELS].reshape(len(x), -1)
    features = x.mean(axis=(1, 2))
    logits = nn.Dense(NUM_CLASSES, precision='highest', name='fc')(features)
    return features, logits, spatial  # [B, 2048], [B, 1008], [B, 2023]


@functools.cache
def shapes() -> dict[str, jax.ShapeDtypeStruct]:
  """Shape and type of each array of weights, by a name like a/b/kernel."""
  x = jax.ShapeDtypeStruct((1, SIZE, SIZE, 3), jnp.float32)
  tree = jax.eval_shape(Inception().init, jax.random.key(0), x)
  return traverse_util.flatten_dict(tree['params'], sep='/')


def load(
  weights: str = '',
  *,
  resize: str = 'tf',
  biased: bool = False,
  say: Callable = print,
) -> base.Features:
  """Inception-v3 as a feature net for images of any size.

  Images go to 8 bits, to 299 x 299, and to (level - 128) / 128 as in the graph;
  grey ones get three equal channels.

  Args:
    weights: path of the published checkpoint or of what `convert` made of it;
      '' for where `inception_weights.find` looks.
    resize: 'tf' for the bilinear resizing of the graph, 'clean' for that of
      clean-fid, 'none' for images of 299 x 299.
    biased: whether class probabilities include the bias of the last layer. The
      code of the Inception score (Salimans et al.,
      https://arxiv.org/abs/1606.03498) leaves it out, and so does work that
      compares with it; with it, the score of CIFAR-10 itself is 0.3 higher
      (https://github.com/openai/improved-gan/issues/39).
    say: called with a line of text that says where the weights come from.

  Returns:
    Features with the hash of the weights; they include probabilities of 1,008
    classes and spatial features for sFID.

  Raises:
    UserError: unknown resizing; weights that are missing, damaged or others.
  """
  if resize not in RESIZE:
    raise UserError(f'resize={resize}: there are {", ".join(RESIZE)}.')
  path = inception_weights.find(weights)
  arrays = inception_weights.read(path, shapes())
  say(f'inception: weights of {path}')
  params = traverse_util.unflatten_dict(arrays, sep='/')
  bias = params['fc']['bias']
  left_out = np.zeros_like(bias) if biased else bias
  see = functools.partial(
    _see, *parallel.everywhere((params, left_out)), resize=resize
  )
  return base.Features(
    name='inception_biased' if biased else 'inception',
    hash=store.weights_hash(arrays),
    apply=functools.partial(_apply, see),
    resize=resize,
    knows=('probabilities', 'spatial'),
  )


def convert(checkpoint: str, npz: str) -> str:
  """Converts the published checkpoint to a plain .npz, which any tool reads.

  Args:
    checkpoint: path of the .pth.
    npz: path of the result.

  Returns:
    The hash of the weights, as records have it.

  Raises:
    UserError: a checkpoint that is missing, damaged or another; a path that
      cannot be written.
  """
  arrays = inception_weights.read(pathlib.Path(checkpoint), shapes())
  inception_weights.write(pathlib.Path(npz), arrays)
  return store.weights_hash(arrays)


def _apply(see, samples):
  """Seen of N samples, in bounded memory."""
  levels = resize_lib.to_levels(samples)
  return base.in_batches(see, levels, size=base.batch_size(BATCH))


def _see(params, left_out, levels, *, resize):
  """Seen of one batch [B, H, W, C] of 8 bits."""
  # The graph's resizing runs on the device, where the small images go.
  if resize != 'tf':
    levels = RESIZE[resize](levels, SIZE)
  levels = parallel.spread(levels)
  return _infer(params, left_out, levels, resize=resize, size=SIZE)


@functools.partial(jax.jit, static_argnames=('resize', 'size'))
def _infer(params, left_out, levels, *, resize, size):
  x = resize_lib.tf_bilinear(levels, size) if resize == 'tf' else levels
  x = resize_lib.to_rgb((x - 128) / 128)
  features, logits, spatial = Inception().apply({'params': params}, x)
  probabilities = jax.nn.softmax(logits - left_out[None])
  return base.Seen(features, probabilities, spatial)
