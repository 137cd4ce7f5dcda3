"""Images: levels and model range, grids of them."""

import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.kinds import image


def test_model_range_and_back():
  levels = np.arange(256, dtype=np.uint8)
  x = np.asarray(image.to_model_range(jnp.asarray(levels)))
  # Two roundings to 24 bits, the constant's and the product's: 2 * 2**-24.
  np.testing.assert_allclose(x, levels / 127.5 - 1, rtol=0, atol=2**-23)
  np.testing.assert_array_equal(x, -x[::-1])
  assert (x[0], x[255]) == (-1, 1)
  np.testing.assert_array_equal(image.from_model_range(x), levels)
  np.testing.assert_array_equal(image.from_model_range(jnp.asarray(x)), levels)
  floats = jnp.array([0.3, -2.0])
  assert image.to_model_range(floats) is floats


def test_back_to_levels_rounds_and_clips():
  x = np.array([-3, -1, -0.9951, 0.9972, 1, 9, np.nan], np.float32)
  assert image.from_model_range(x).tolist() == [0, 0, 1, 255, 255, 255, 0]
  assert isinstance(image.from_model_range(x), np.ndarray)


@pytest.mark.parametrize('shape', [(8, 8, 1), (28, 28, 1), (16, 32, 3)])
def test_grid_cell_k_is_sample_k(shape):
  height, width, channels = shape
  rng = np.random.default_rng(0)
  samples = rng.uniform(-1, 1, (10, *shape)).astype(np.float32)
  sheet = np.asarray(image.picture(samples))
  columns, scale = 4, 600 // (4 * width)
  gap = image.GAP
  assert sheet.shape == (
    3 * (height * scale + gap) + gap,
    columns * (width * scale + gap) + gap,
    3,
  )
  for k, sample in enumerate(samples):
    top = gap + k // columns * (height * scale + gap)
    left = gap + k % columns * (width * scale + gap)
    centre = scale // 2
    cell = sheet[top + centre :: scale, left + centre :: scale]
    cell = cell[:height, :width].astype(np.float64)
    expected = np.broadcast_to((sample + 1) * 127.5, (height, width, 3))
    assert abs(cell - expected).max() <= 0.51, k


def test_grid_takes_uint8_as_it_stands_and_nan_as_black():
  full = image.pixels(np.full((1, 2, 2, 1), 200, np.uint8))
  assert (full == 200).all()
  assert (image.pixels(np.full((1, 2, 2, 3), np.nan)) == 0).all()


def test_grid_labels_lie_beneath_the_images():
  samples = np.full((4, 8, 8, 1), -1.0)
  bare = np.asarray(image.picture(samples))
  named = np.asarray(image.picture(samples, labels=['cat', 'dog', 'a', 'b']))
  assert named.shape[0] == bare.shape[0] + 2 * image.CAPTION
  assert named[:300].max() < 60 < named[302 : 302 + image.CAPTION].max()
