"""The frequencies of StyleGAN3's layers, and grids that can hold them.

Karras et al. 2021, https://arxiv.org/abs/2106.12423, section 3.2 and appendix
C. The image's shorter side, made a power of two, is the unit of length. A layer
keeps what is below its cutoff, and what is above its stopband is as good as
gone; its grid reaches beyond the image by a margin, so that nothing can tell
where the image ends.
"""

import math
from typing import NamedTuple

from gan_jax.models.layers import filters, leaky

CRITICAL = 2  # layers whose cutoff is as high as the image's grid can hold
FIRST_CUTOFF, FIRST_STOPBAND = 2.0, 2**2.1
LAST_STOPBAND = 2**0.3  # beside the last cutoff
TAPS = 6  # of a filter, for each place of the coarser grid


class Band(NamedTuple):
  """What a layer gives: its band, its grid, its channels."""

  cutoff: float
  half_width: float  # of the transition band
  rate: int  # places per unit of length
  grid: tuple[int, int]  # rows, columns
  channels: int


def bands(
  shape: tuple[int, ...], *, layers: int, margin: int, base: int, most: int
) -> list[Band]:
  """The bands of all layers, the image being that of the last.

  Args:
    shape: of the image, (H, W, C).
    layers: of convolutions.
    margin: places that grids reach beyond the image, on each side.
    base: a layer has base / (2 * cutoff) channels,
    most: but at most so many.
  """
  size = 2 ** math.ceil(math.log2(min(shape[:2])))
  between = lambda first, last, e: first * (last / first) ** e
  made = []
  for i in range(layers + 1):
    e = min(i / (layers - CRITICAL), 1)
    cutoff = between(FIRST_CUTOFF, size / 2, e)
    stopband = between(FIRST_STOPBAND, size / 2 * LAST_STOPBAND, e)
    rate = 2 ** math.ceil(math.log2(min(2 * stopband, size)))
    grid = tuple(-(-n * rate // size) + 2 * margin for n in shape[:2])
    made.append(
      Band(
        cutoff,
        max(stopband, rate / 2) - cutoff,
        rate,
        grid if i < layers - 1 else shape[:2],
        round(min(base / 2 / cutoff, most)) if i < layers else shape[2],
      )
    )
  return made


def bends(
  before: Band, after: Band, *, kernel: int, radial: bool
) -> leaky.Bends:
  """The finer grid of a layer's leaky ReLU, twice as fine as both of its own.

  Args:
    before: what the layer is given.
    after: what it gives.
    kernel: size of its convolution, which adds kernel - 1 places.
    radial: whether the frequencies kept fill a disc.
  """
  rate = 2 * max(before.rate, after.rate)
  up, down = rate // before.rate, rate // after.rate
  design = lambda factor, band, **kw: filters.low_pass(
    TAPS * factor,
    cutoff=band.cutoff,
    width=2 * band.half_width,
    rate=rate,
    **kw,
  )
  pads = [
    _pads(n, m, up=up, down=down, kernel=kernel)
    for n, m in zip(before.grid, after.grid, strict=True)
  ]
  down_taps = design(down, after, radial=radial)
  return leaky.Bends(up, down, design(up, before), down_taps, tuple(pads))


def _pads(size, wanted, *, up, down, kernel):
  """(before, after), by which the centres of both grids are one place."""
  total = (wanted - 1) * down + 1 - (size + kernel - 1) * up
  total += TAPS * (up + down) - 2
  # Of up places for one, it is the middle that stands where that one stood.
  before = (total + up) // 2
  return before, total - before
