"""Decoding, cropping, resizing, colours."""

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import images
from gan_jax.types import UserError


def test_fit_cuts_the_centre_and_averages():
  x = np.zeros((4, 8, 1), np.uint8)
  x[:, 2:6] = 100
  np.testing.assert_array_equal(images.fit(x, image_size=4), x[:, 2:6])
  ramp = np.arange(64, dtype=np.float32)[None, :, None] / 32 - 1
  small = images.fit(np.repeat(ramp, 64, 0), image_size=16)
  means = ramp.reshape(16, 4).mean(1)  # away from the edges a ramp stays one
  np.testing.assert_allclose(small[8, 3:-3, 0], means[3:-3], atol=1e-5)


def test_fit_changes_channels():
  colour = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
  grey = images.fit(colour, channels=1)
  assert grey[0, :, 0].tolist() == [76, 150, 29] and grey.dtype == np.uint8
  assert images.fit(grey, channels=3)[0, 1].tolist() == [150] * 3
  with pytest.raises(UserError, match='4 channels'):
    images.fit(np.zeros((2, 2, 4), np.uint8), channels=1)


@pytest.mark.parametrize(
  ('mode', 'pixel', 'expected'),
  [
    ('L', 7, [7]),
    ('1', 1, [255]),
    ('RGBA', (9, 8, 7, 255), [9, 8, 7]),
    ('LA', (9, 255), [9]),
    ('I;16', 513, [2]),
    ('CMYK', (0, 255, 255, 0), [255, 0, 0]),
  ],
)
def test_decode_takes_every_mode(tmp_path, mode, pixel, expected):
  path = tmp_path / ('a.jpg' if mode == 'CMYK' else 'a.png')
  Image.new(mode, (3, 2), pixel).save(path)
  found = images.decode(path)
  assert found.shape == (2, 3, len(expected)) and found.dtype == np.uint8
  loss = 1 if mode == 'CMYK' else 0  # of a JPEG
  np.testing.assert_allclose(found[1, 2].astype(int), expected, atol=loss)


def test_decode_turns_photographs_upright(tmp_path):
  image = Image.new('RGB', (6, 3))
  exif = image.getexif()
  exif[0x0112] = 6  # turned by a quarter
  image.save(tmp_path / 'a.jpg', exif=exif)
  assert images.decode(tmp_path / 'a.jpg').shape == (6, 3, 3)
