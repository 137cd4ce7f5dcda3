"""What residual networks share: sizes, the first grid, attention, the ends.

For calls from the compact method of a network, whose layers these are.
"""

import math
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.models.layers import attention, parts, residual
from gan_jax.types import UserError

# Uniform, of variance 4 / (fan-in + fan-out), before a ReLU; and half of it.
RELU_INIT = nn.initializers.variance_scaling(2.0, 'fan_avg', 'uniform')
LEAST = 8  # pixels of an image's shorter side
GLOROT = nn.initializers.glorot_uniform()


class Row(NamedTuple):
  """The networks for images of one size."""

  g: tuple[int, ...]  # channels, coarse to fine; the first are the start's
  d: tuple[int, ...]  # channels, fine to coarse
  halvings: int  # how many of D's blocks halve, the first ones


def row(net: nn.Module, rows: dict[int, Row], shape: tuple[int, ...]) -> Row:
  """The row of the smallest size that the shorter side of an image fits in.

  Args:
    net: the network, for its name.
    rows: by size.
    shape: of an image, (H, W, C).

  Raises:
    UserError: no image, or one that no row is for.
  """
  check_image(net, shape, most=max(rows))
  return rows[min(size for size in rows if size >= min(shape[:2]))]


def check_image(net: nn.Module, shape: tuple[int, ...], *, most: int = 4096):
  """Refuses what is no image of LEAST to `most` pixels.

  Args:
    net: the network, for its name.
    shape: of a sample.
    most: of the shorter side.

  Raises:
    UserError: names the model and the shape.
  """
  fits = len(shape) == 3 and shape[-1] and LEAST <= min(shape[:2]) <= most
  if not fits:
    name = net.__module__.rpartition('.')[2]
    raise UserError(
      f'model {name}: cannot make samples of shape {tuple(shape)}; it makes'
      f' images (H, W, C) whose shorter side is of {LEAST} to {most} pixels'
    )


Grid = tuple[int, int]  # rows, columns


def doubled_grids(shape: tuple[int, ...], doublings: int) -> list[Grid]:
  """G's grids from the first on; the last is at least of the image's size."""
  first = [-(-size // 2**doublings) for size in shape[:2]]
  return [tuple(n * 2**i for n in first) for i in range(doublings + 1)]


def halved_grids(shape: tuple[int, ...], halvings: int) -> list[Grid]:
  """D's grids: the image's size, then that after each block that halves it."""
  return [tuple(n // 2**i for n in shape[:2]) for i in range(halvings + 1)]


def attending(net: nn.Module, grids: list[Grid]) -> tuple[int, ...]:
  """The rows of the grids of G, or of D, whose places attend to each other.

  Args:
    net: has `attention`, rows of grids; where it is (), that is the largest of
      at most `net.ATTENDS` rows between first and last; (0,) is none.
    grids: of the network.

  Raises:
    UserError: names the sizes that there are.
  """
  rows = [n for n, _ in grids]
  if not net.attention:
    inner = [n for n in rows[1:] if n <= net.ATTENDS and n < max(rows)]
    return tuple(sorted(inner)[-1:])
  for wanted in net.attention:
    if wanted and wanted not in rows[1:]:
      there = ', '.join(map(str, rows[1:]))
      player = 'g' if hasattr(net, 'shape') else 'd'
      raise UserError(
        f'model.{player}.attention={wanted}: no grid of it has so many rows;'
        f' there are {there}'
      )
  return tuple(net.attention)


def parts_of(net: nn.Module, *, train, init, epsilon=1e-5) -> parts.Parts:
  """The layers of a residual network, all by one initialiser; scales of 1."""
  return parts.of_network(
    net,
    train=train,
    kernel_init=init,
    embed_init=init,
    norm_fields={'spread': 0.0, 'epsilon': epsilon},
  )


def start(part: parts.Parts, z, *, grid: Grid, width: int):
  """Latents [B, Z] to the first grid [B, *grid, width]: one dense layer."""
  x = part.dense(math.prod(grid) * width, name='start')(z)
  return x.reshape(-1, *grid, width)


def passed(part: parts.Parts, x, stages, attends: tuple[int, ...]):
  """A grid through stages of blocks, and attention after some of them.

  Args:
    part: the layers.
    x: [B, H, W, C].
    stages: lists of blocks.
    attends: rows of the grids that attend, each after the first stage that
      ends with so many.
  """
  left = set(attends)
  for i, stage in enumerate(stages):
    for block in stage:
      x = block(x)
    if x.shape[1] in left:
      left.remove(x.shape[1])
      x = attention.SelfAttention(part.conv, name=f'attention_{i}')(x)
  return x


def image(part: parts.Parts, x, shape: tuple[int, ...]):
  """The last grid to images [B, H, W, C] float32 in [-1, 1]."""
  x = nn.relu(part.plain_norm(name='norm')(x))
  return squashed(residual.conv3(part, shape[-1], name='image')(x), shape)


def squashed(x, shape: tuple[int, ...]):
  """The centre of grids as images in [-1, 1], float32."""
  return jnp.tanh(centre(x, shape).astype(jnp.float32))


def centre(x, shape: tuple[int, ...]):
  """The middle of grids [B, H', W', C], of the size of a sample's shape."""
  top, left = (x.shape[1] - shape[0]) // 2, (x.shape[2] - shape[1]) // 2
  return x[:, top : top + shape[0], left : left + shape[1]]
