"""Stages that double a grid and halve it: what DCGAN and its like share.

Radford et al. 2016, https://arxiv.org/abs/1511.06434, section 3. For calls from
the compact method of a network, whose layers these are.
"""

import math

import flax.linen as nn

from gan_jax.models.layers import parts


def grown(
  part: parts.Parts,
  z,
  *,
  shape: tuple[int, ...],
  widths: tuple[int, ...],
  label=None,
  num_classes: int = 0,
  taps: tuple[int, int] = (4, 4),
  strides: tuple[int, int] = (2, 2),
):
  """Latents to grids: dense, then doubled once for each width.

  The smallest grid is of ceil(size / 2^n), the centre of the last is kept.
  Without batch norm a class is told by its embedding beside the latent vector.

  Args:
    part: the layers.
    z: [B, Z].
    shape: of a grid, (H, W, C).
    widths: channels of each stage, coarse to fine.
    label: [B], or None.
    num_classes: of the labels.
    taps: of the transposed convolutions, along rows and columns.
    strides: how many times a stage makes them longer, where not twice.

  Returns:
    [B, H, W, C].
  """
  base = tuple(
    -(-size // stride ** len(widths))
    for size, stride in zip(shape[:2], strides, strict=True)
  )
  if not part.has_norm:
    z = parts.with_class(part.embed, z, label, num_classes)
  bias = not part.has_norm
  x = part.dense(math.prod(base) * widths[0], use_bias=bias, name='start')(z)
  x = x.reshape(-1, *base, widths[0])
  for i, width in enumerate((*widths[1:], shape[-1])):
    x = nn.relu(part.norm(name=f'norm_{i}')(x))
    last = i == len(widths) - 1
    x = part.conv_transpose(
      width,
      kernel_size=taps,
      strides=strides,
      use_bias=bias or last,
      name=f'up_{i}',
    )(x)
  rows, columns = (
    slice((there - size) // 2, (there - size) // 2 + size)
    for there, size in zip(x.shape[1:3], shape[:2], strict=True)
  )
  return x[:, rows, columns]


def shrunk(
  part: parts.Parts,
  x,
  *,
  widths: tuple[int, ...],
  taps: tuple[int, int] = (4, 4),
):
  """Grids halved once for each width: norm and leaky ReLU after each.

  Args:
    part: the layers.
    x: [B, H, W, C].
    widths: channels of each stage, fine to coarse.
    taps: of the convolutions, along rows and columns.

  Returns:
    [B, ceil(H / 2^n), ceil(W / 2^n), widths[-1]].
  """
  for i, width in enumerate(widths):
    plain = i == 0  # DCGAN: no norm on what sees the sample
    x = part.conv(
      width,
      kernel_size=taps,
      use_bias=plain or not part.has_norm,
      name=f'down_{i}',
    )(x)
    x = x if plain else part.norm(name=f'norm_{i}')(x)
    x = parts.activation('leaky_relu')(x)
  return x
