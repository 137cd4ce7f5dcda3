"""A sample stands left of its neighbours, nearest first."""

import numpy as np
import pytest

from gan_jax.kinds import image as kind


def sheet(n, k, shape=(8, 8, 1)):
  """(picture [H, W, 3], samples, nearest): every image of one grey of its own.

  Sample i is 10 i + 1, its neighbour j is 10 i + 2 + j.
  """
  grey = lambda value: np.full(shape, value, np.uint8)
  samples = np.stack([grey(10 * i + 1) for i in range(n)])
  nearest = np.stack(
    [[grey(10 * i + 2 + j) for j in range(k)] for i in range(n)]
  )
  return np.asarray(kind.neighbours(samples, nearest))


def blocks(image, greys):
  """Corners of the rectangle of each grey: (top, left, bottom, right)."""
  found = []
  for grey in greys:
    y, x = np.nonzero((image == grey).all(axis=-1))
    found.append((y.min(), x.min(), y.max() + 1, x.max() + 1))
    assert len(y) == (found[-1][2] - found[-1][0]) * (
      found[-1][3] - found[-1][1]
    )
  return found


@pytest.mark.parametrize('n, k', [(1, 1), (2, 3), (3, 2), (5, 5)])
def test_every_image_has_its_place(n, k):
  image = sheet(n, k)
  scale = kind.WIDTH // (kind.COLUMNS * (k + 1) * 8)
  rows = -(-n // kind.COLUMNS)
  corners = set()
  for i in range(n):
    row = blocks(image, range(10 * i + 1, 10 * i + 2 + k))
    corners.add(row[0][:2])
    for top, left, bottom, right in row:
      assert (bottom - top, right - left) == (8 * scale, 8 * scale)
      assert top == row[0][0]
    gaps = [b[1] - a[3] for a, b in zip(row, row[1:], strict=False)]
    assert gaps[0] == kind.SPACE // 2  # the sample stands apart
    assert gaps[1:] == [kind.GAP] * (k - 1)
  # Down the first column, then down the next.
  tops = sorted({y for y, _ in corners})
  assert len(corners) == n and len(tops) == min(n, rows)
  order = [blocks(image, [10 * i + 1])[0] for i in range(n)]
  assert order == sorted(order, key=lambda c: (c[1], c[0]))
  used = np.isin(
    image, [g for i in range(n) for g in range(10 * i + 1, 10 * i + 2 + k)]
  )
  ground = image[~used.all(axis=-1)]
  assert (ground == kind.GROUND).all()


def test_the_picture_is_about_as_wide_as_the_others():
  for size in (8, 28, 32, 64):
    width = sheet(4, 5, (size, size, 1)).shape[1]
    assert kind.WIDTH / 2 < width < 2 * kind.WIDTH


@pytest.mark.parametrize('size', [8, 300])
def test_colour_and_model_range(size):
  samples = np.full((2, size, size, 3), -1.0, np.float32)
  samples[..., 0] = 1.0
  nearest = np.ones((2, 3, size, size, 1), np.float32)
  image = kind.neighbours(samples, nearest)
  assert image.mode == 'RGB'
  colours = {c for _, c in image.getcolors(10**6)}
  assert colours == {(255, 0, 0), (255, 255, 255), kind.GROUND}
