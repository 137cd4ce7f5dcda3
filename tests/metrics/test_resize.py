"""Resizing against the formulas, pixel by pixel, and Pillow's own figures."""

import numpy as np
import pytest
from PIL import Image

from gan_jax.metrics.features import resize
from gan_jax.types import UserError

# Of torch-fidelity 0.4.0 and clean-fid 0.1.35.
FROZEN = {
  'tf': (8.571429252624512, 133.57144165039062, 235.0, 188.57142639160156),
  'clean': (0.0, 117.5, 240.94952392578125, 178.0278778076172),
}


def picture(height, width, channels=3, seed=0):
  rng = np.random.default_rng(seed)
  return rng.integers(0, 256, (2, height, width, channels), np.uint8)


def bilinear(x, size):
  """One pixel at a time: i lies at i H / size, beyond the edge is the edge."""
  n, height, width, channels = x.shape
  y = np.zeros((n, size, size, channels))
  for i in range(size):
    for j in range(size):
      top, left = i * height / size, j * width / size
      a, b = int(top), int(left)
      c, d = min(a + 1, height - 1), min(b + 1, width - 1)
      u, v = top - a, left - b
      upper = (1 - v) * x[:, a, b] + v * x[:, a, d]
      lower = (1 - v) * x[:, c, b] + v * x[:, c, d]
      y[:, i, j] = (1 - u) * upper + u * lower
  return y


@pytest.mark.parametrize(
  'height, width, channels, size',
  [(8, 8, 1, 21), (5, 9, 3, 13), (30, 17, 3, 9)],
)
def test_tf_bilinear_pixel_by_pixel(height, width, channels, size):
  x = picture(height, width, channels)
  got = np.asarray(resize.tf_bilinear(x, size))
  assert got.dtype == np.float32
  np.testing.assert_allclose(got, bilinear(x.astype(float), size), atol=1e-3)


def test_tf_bilinear_by_hand():
  x = np.array([0, 90, 30], np.float32).reshape(1, 1, 3, 1)
  got = np.asarray(resize.tf_bilinear(x, 6))[0, 0, :, 0]
  # Not symmetric, as it would be with half-pixel centres.
  np.testing.assert_allclose(got, [0, 45, 90, 60, 30, 30], atol=1e-4)
  got = np.asarray(resize.tf_bilinear(x, 2))[0, 0, :, 0]
  np.testing.assert_allclose(got, [0, 60], atol=1e-4)


@pytest.mark.parametrize('way', [resize.tf_bilinear, resize.clean])
def test_the_right_size_is_left_alone(way):
  x = picture(12, 12)
  np.testing.assert_allclose(np.asarray(way(x, 12)), x, atol=1e-4)
  np.testing.assert_array_equal(resize.none(x, 12), x)


def cubic(t):
  """Keys' kernel with a = -1/2, which is Pillow's bicubic."""
  t = abs(t)
  if t < 1:
    return 1.5 * t**3 - 2.5 * t**2 + 1
  return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def antialiased(line, size):
  """Each output is a normed sum under the kernel, wider where it shrinks."""
  scale = len(line) / size
  wide = max(scale, 1.0)
  weights = np.array(
    [
      [cubic((k + 0.5 - (i + 0.5) * scale) / wide) for k in range(len(line))]
      for i in range(size)
    ]
  )
  return weights / weights.sum(axis=1, keepdims=True) @ line


@pytest.mark.parametrize('length, size', [(8, 21), (40, 9)])
def test_clean_by_its_kernel(length, size):
  line = np.random.default_rng(0).uniform(80, 170, length)
  x = np.broadcast_to(line, (1, length, length))[..., None]
  got = resize.clean(x, size)
  assert got.shape == (1, size, size, 1) and got.dtype == np.float32
  want = antialiased(line, size)
  np.testing.assert_allclose(got[0, 0, :, 0], want, atol=1e-3)
  np.testing.assert_allclose(got[0, :, :, 0].std(axis=0), 0, atol=1e-3)


def test_clean_is_cut_but_not_rounded():
  # A step overshoots under a bicubic kernel.
  x = np.repeat(np.array([0, 255], np.uint8), 8).reshape(1, 1, 16, 1)
  y = resize.clean(np.repeat(x, 16, axis=1), 40)
  line = np.asarray(
    Image.fromarray(x[0, :, :, 0].astype(np.float32)).resize(
      (40, 1), Image.Resampling.BICUBIC
    )
  )
  assert line.min() < 0 and line.max() > 255
  np.testing.assert_allclose(y[0, 0, :, 0], line[0].clip(0, 255), atol=1e-4)
  assert np.abs(y - np.round(y)).max() > 0.1


def test_frozen_figures():
  x = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(1, 4, 4, 3) * 5
  tf, clean = np.asarray(resize.tf_bilinear(x, 7)), resize.clean(x, 7)
  at = [(0, 1, 0), (3, 3, 1), (6, 6, 2), (5, 2, 0)]
  np.testing.assert_allclose([tf[0][i] for i in at], FROZEN['tf'], rtol=1e-5)
  np.testing.assert_allclose(
    [clean[0][i] for i in at], FROZEN['clean'], rtol=1e-5
  )


def test_none_wants_the_right_size():
  with pytest.raises(UserError, match='images of 299 x 299, got 32 x 30'):
    resize.none(picture(32, 30))


def test_levels():
  x = np.array([-1, -0.999, 0, 0.5, 1, 1.7, -2], np.float32).reshape(1, 1, 7, 1)
  got = resize.to_levels(x)
  assert got.dtype == np.uint8
  assert got[0, 0, :, 0].tolist() == [0, 0, 128, 191, 255, 255, 0]
  everything = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
  assert resize.to_levels(everything) is everything
  floats = everything.astype(np.float32) / 127.5 - 1
  np.testing.assert_array_equal(resize.to_levels(floats), everything)


@pytest.mark.parametrize(
  'x, message',
  [
    (np.zeros((2, 5, 5)), r'got \[2, 5, 5\]'),
    (np.zeros((2, 5, 5, 2)), r'1 or 3'),
    (np.array([0, np.inf, 0, 0]).reshape(2, 2, 1, 1), '1 of 2 images hold NaN'),
  ],
)
def test_levels_of_something_else(x, message):
  with pytest.raises(UserError, match=f'mine: .*{message}'):
    resize.to_levels(x, 'mine')


def test_grey_becomes_colour():
  grey = picture(3, 4, 1)
  colour = np.asarray(resize.to_rgb(grey))
  np.testing.assert_array_equal(colour, np.repeat(grey, 3, axis=-1))
  np.testing.assert_array_equal(resize.to_rgb(colour), colour)
