"""A file of samples is whole or not there."""

import errno
import pathlib
import types

import numpy as np
import pytest

from gan_jax import sample
from gan_jax.data import memory
from gan_jax.run import sample_encoded

X = np.zeros((3, 4, 4, 1), np.float32)
SETUP = types.SimpleNamespace(
  dataset=memory.from_arrays('mine', 'image', X), num_classes=0
)
WRITE = {
  'drawn': lambda out: sample.write(out, X, SETUP),
  'encoded': lambda out: sample_encoded.write(out, SETUP, X, X[:, None]),
}


@pytest.mark.parametrize('which', WRITE)
def test_a_disk_that_is_full_leaves_what_was_there(
  which, tmp_path, monkeypatch
):
  out = tmp_path / 'x.npz'
  WRITE[which](out)
  before = out.read_bytes()
  with np.load(out) as arrays:
    np.testing.assert_array_equal(arrays['samples'], X)

  def half(file, **arrays):
    pathlib.Path(file).write_bytes(before[:99])
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(np, 'savez_compressed', half)
  with pytest.raises(OSError, match='No space') as caught:
    WRITE[which](out)
  assert caught.value.filename == str(out)
  assert [p.name for p in tmp_path.iterdir()] == ['x.npz']
  assert out.read_bytes() == before
