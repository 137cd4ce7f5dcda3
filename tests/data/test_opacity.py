"""Opacity is laid on white or kept, as is said, and so on every path."""

import numpy as np
import PIL.Image
import pytest

from gan_jax.data import images, loading
from gan_jax.kinds import image
from gan_jax.run import sample_folder, sources
from gan_jax.types import UserError


def levels(channels):
  rng = np.random.default_rng(0)
  return rng.integers(0, 256, (6, 5, 5, channels), np.uint8)


@pytest.mark.parametrize('channels', [2, 4])
def test_samples_in_a_folder_are_those_that_were_drawn(channels, tmp_path):
  x, out, path = levels(channels), tmp_path / 'out', tmp_path / 'real.npz'
  np.savez(path, images=x)
  data = loading.load('npz', path=str(path))
  sample_folder.write(out, np.asarray(image.to_model_range(x)) * 1.0, data)
  fake, real = sources.open_pair(
    str(out), str(path), published=False, data_options={}, samples_options={}
  )
  for one in (fake, real):
    np.testing.assert_array_equal(one.read(np.arange(6))['x'], x)
  fake, _ = sources.open_pair(
    str(path), str(path), published=False, data_options={}, samples_options={}
  )
  np.testing.assert_array_equal(fake.read(np.arange(6))['x'], x)
  fake = loading.load('folder', dir=str(out), channels=channels)
  white = loading.load('folder', dir=str(out))
  assert white.shape == (5, 5, 3) and white.fingerprint != fake.fingerprint


@pytest.mark.parametrize(
  'mode, channels, expected',
  [
    ('L', 2, 'L1'), ('LA', 2, 'LA'), ('RGB', 4, 'RGB1'), ('RGBA', 4, 'RGBA'),
    ('L', 4, 'LLL1'), ('LA', 4, 'LLLA'),
  ],
)  # fmt: skip
def test_files_of_any_mode_with_their_opacity(
  mode, channels, expected, tmp_path
):
  made = PIL.Image.fromarray(levels(4)[0]).convert(mode)
  made.save(tmp_path / 'a.png')
  read = images.decode(tmp_path / 'a.png', channels=channels)
  bands = dict(zip(made.getbands(), made.split(), strict=True))
  for k, name in enumerate(expected):
    band = np.asarray(bands[name]) if name in bands else np.full((5, 5), 255)
    np.testing.assert_array_equal(read[..., k], band)


def test_where_there_are_no_files_there_is_no_opacity(tmp_path):
  for channels in (2, 4):
    with pytest.raises(UserError, match='expected 1, 3 or 0'):
      loading.load('digits', channels=channels)
  with pytest.raises(UserError, match='expected 1, 3, with opacity 2, 4 or 0'):
    loading.load('folder', dir=str(tmp_path), channels=5)
