"""Pixels as features."""

import numpy as np
import pytest

from gan_jax.metrics.features import pixels


def test_pixels():
  x = np.arange(32, dtype=np.float32).reshape(2, 4, 4, 1) / 32
  np.testing.assert_array_equal(pixels.extract(x), x.reshape(2, 16))
  black_white = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
  np.testing.assert_array_equal(pixels.extract(black_white), [[-1, 1]])
  got = pixels.extract(x[:1], shrink=2)
  np.testing.assert_allclose(got * 32, [[2.5, 4.5, 10.5, 12.5]])


@pytest.mark.parametrize(
  'shape, dims, told',
  [
    ((2,), 2, 'as_they_are'),
    ((28, 28, 1), 784, 'as_they_are'),
    ((32, 32, 3), 3072, 'as_they_are'),
    ((64, 64, 3), 3072, 'average_2x2'),
    ((90, 60, 1), 600, 'average_3x3'),
  ],
)
def test_pixels_of_large_images_are_averaged(shape, dims, told):
  net = pixels.load(shape)
  features, probabilities, _ = net.apply(np.zeros((2, *shape), np.float32))
  assert features.shape == (2, dims) and probabilities is None
  assert net.hash == told and net.accuracy is None
