"""Sliced Wasserstein distance, of features and of pictures.

Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, JMIV 2015,
after Rabin et al., Wasserstein Barycenter and its Application to Texture
Mixing, SSVM 2011: the optimal transport between projections on a line, which
sorting gives exactly, averaged over the directions of the line.
"""

import functools

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

SIDE = 7  # pixels along a patch
SMALLEST = 16  # pixels along the coarsest level of a pyramid
ELEMENTS = 2**23  # of the projections that are in memory at once
BATCH = 256  # pictures whose pyramid is in memory at once


def sliced_wasserstein(
  a, b, *, projections: int = 512, order: int = 1, seed: int = 0
) -> float:
  """Wasserstein distance of projections, averaged over random directions.

  Args:
    a: features or points [N, D].
    b: features or points [M, D]; M need not be N.
    projections: number of directions.
    order: p of W_p, 1 or 2; for 2, the root of the averaged squares.
    seed: of the directions.

  Returns:
    The distance, >= 0, in the unit of the features.

  Raises:
    UserError: wrong shapes, no examples, NaN or infinity, no projections,
      another order.
  """
  if projections < 1:
    raise UserError(f'swd: expected 1 projection or more, got {projections}')
  if order not in (1, 2):
    raise UserError(f'swd: expected an order of 1 or 2, got {order}')
  a, b = checks.pair(a, b, ('a', 'b'))
  return _sliced(a, b, projections, order, seed)


def laplacian_swd(
  real_images,
  fake_images,
  *,
  patches: int = 128,
  projections: int = 512,
  smallest: int = SMALLEST,
  seed: int = 0,
) -> dict:
  """Sliced Wasserstein distance of patches, at each scale.

  Karras et al., Progressive Growing of GANs, https://arxiv.org/abs/1710.10196,
  section 5. Patches of 7 x 7 pixels are cut from each level of a Laplacian
  pyramid at random places, and each of their channels is normalised to mean 0
  and standard deviation 1, real and fakes separately. The coarse levels compare
  large structures, the fine ones texture.

  Args:
    real_images: [N, H, W, C] in [-1, 1], H and W of `smallest` pixels or more.
    fake_images: [M, H, W, C].
    patches: cut from each level of each picture (the paper uses 16,384
      pictures).
    projections: number of directions.
    smallest: pixels that the shorter side of a level must have.
    seed: of the places and of the directions.

  Returns:
    laplacian_swd: mean over the levels times 1,000, as the paper gives it.
    levels: list of the distances times 1,000, the coarsest first.
    sizes: list of the levels' shorter sides in pixels.

  Raises:
    UserError: wrong shapes, too small pictures, NaN or infinity, no patches.
  """
  real, fake = _checked_images(real_images, fake_images, smallest)
  if patches < 1 or projections < 1:
    raise UserError(
      'swd: expected 1 patch and 1 projection or more, got '
      f'{patches} and {projections}'
    )
  sizes = _level_sizes(min(real.shape[1:3]), smallest)
  levels = []
  for level in reversed(range(len(sizes))):
    # The i-th pictures of both sides are cut at the same places, so that the
    # place of a patch cannot make the two differ.
    cut = functools.partial(
      _patches, level=level, levels=len(sizes), count=patches, seed=seed
    )
    levels.append(1e3 * _sliced(cut(real), cut(fake), projections, 1, seed))
  mean = float(np.mean(levels))
  return {'laplacian_swd': mean, 'levels': levels, 'sizes': sizes[::-1]}


def _sliced(a, b, projections, order, seed):
  rng = np.random.default_rng(seed)
  distance = _distance_on_lines(len(a), len(b), order)
  block = max(1, ELEMENTS // (len(a) + len(b)))
  total = 0.0
  for start in range(0, projections, block):
    shape = (min(block, projections - start), a.shape[1])
    directions = rng.standard_normal(shape)  # [P, D]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    total += distance(_projected(directions, a), _projected(directions, b))
  return float((total / projections) ** (1 / order))


def _projected(directions, x):
  """Sorted projections [P, N]."""
  lines = directions.astype(x.dtype) @ x.T
  lines = lines.astype(np.float64)
  lines.sort(axis=1)
  return lines


def _distance_on_lines(n, m, order):
  """(sorted [P, N], sorted [P, M]) -> W_p^p on each line, summed."""
  power = np.abs if order == 1 else np.square
  if n == m:
    return lambda x, y: power(x - y).mean(axis=1).sum()
  # Both quantile functions are steps, at multiples of 1 / N and of 1 / M. In
  # units of 1 / (N M) all of these are integers.
  ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
  widths = np.diff(ends, prepend=0) / (n * m)
  of_x, of_y = (ends - 1) // m, (ends - 1) // n
  return lambda x, y: (power(x[:, of_x] - y[:, of_y]) @ widths).sum()


def _checked_images(real, fake, smallest):
  real = _checked_pictures(real, 'real_images')
  fake = _checked_pictures(fake, 'fake_images')
  if real.shape[1:] != fake.shape[1:]:
    raise UserError(
      f'real_images are {list(real.shape[1:])}, fake_images '
      f'{list(fake.shape[1:])}'
    )
  if smallest < SIDE or min(real.shape[1:3]) < smallest:
    raise UserError(
      f'swd: expected levels of {SIDE} pixels or more and pictures of at least '
      f'one level, got levels from {smallest} and pictures of '
      f'{real.shape[1]} x {real.shape[2]}'
    )
  return real, fake


def _checked_pictures(x, name):
  x = np.asarray(x)
  if x.ndim != 4 or not x.size:
    raise UserError(
      f'{name}: expected pictures [N, H, W, C], got {list(x.shape)}'
    )
  if not np.isfinite(x).all():
    raise UserError(f'{name}: NaN or infinity among the pixels')
  return x


def _level_sizes(size, smallest):
  """Shorter sides of the levels of a pyramid, the finest first."""
  sizes = [size]
  while (size := (size + 1) // 2) >= smallest:
    sizes.append(size)
  return sizes


def _patches(images, *, level, levels, count, seed):
  """Normalised patches of one level, [N count, SIDE SIDE C]."""
  rng = np.random.default_rng([seed, level])
  parts = []
  for start in range(0, len(images), BATCH):
    batch = images[start : start + BATCH].astype(np.float32)
    parts.append(_cut(_pyramid_level(batch, level, levels), count, rng))
  patches = np.concatenate(parts)  # [N count, SIDE, SIDE, C]
  patches -= patches.mean(axis=(0, 1, 2), dtype=np.float64)
  scale = patches.std(axis=(0, 1, 2), dtype=np.float64)
  patches /= np.where(scale > 0, scale, 1)
  return patches.reshape(len(patches), -1)


def _cut(images, count, rng):
  """Patches at random places, [N count, SIDE, SIDE, C]."""
  n, h, w, _ = images.shape
  places = rng.random((n, count, 2))
  top = (places[..., 0] * (h - SIDE + 1)).astype(int).ravel()
  left = (places[..., 1] * (w - SIDE + 1)).astype(int).ravel()
  windows = np.lib.stride_tricks.sliding_window_view(
    images, (SIDE, SIDE), axis=(1, 2)
  )  # [N, H', W', C, SIDE, SIDE]
  cut = windows[np.repeat(np.arange(n), count), top, left]
  return cut.transpose(0, 2, 3, 1)


def _pyramid_level(images, level, levels):
  """One level of the Laplacian pyramid; the last is the low-pass itself.

  Burt & Adelson, The Laplacian Pyramid as a Compact Image Code, 1983.
  """
  for _ in range(level):
    images = _reduced(images)
  if level == levels - 1:
    return images
  return images - _expanded(_reduced(images), images.shape)


def _reduced(images):
  """Every second pixel of the blurred pictures."""
  return _blurred(images, 1)[:, ::2, ::2]


def _expanded(images, shape):
  """Pictures of twice the size, or one pixel less where that was odd."""
  wide = np.zeros(shape, images.dtype)
  wide[:, ::2, ::2] = images
  return _blurred(wide, 2)  # half of the pixels along each axis are zero


def _blurred(images, gain):
  """Both axes convolved with the binomial of five, mirrored at the edges."""
  from scipy import ndimage

  weights = gain * np.array([1, 4, 6, 4, 1]) / 16
  for axis in (1, 2):
    images = ndimage.correlate1d(images, weights, axis, mode='mirror')
  return images
