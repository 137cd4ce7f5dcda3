"""What all feature nets share: the range of samples, and their batches."""

import jax
import numpy as np
import pytest

from gan_jax.metrics.features import base


def test_bytes_come_into_the_model_s_range_and_floats_are_there():
  found = base.to_model_range(np.array([0, 51, 255], np.uint8))
  assert found.dtype == np.float32
  np.testing.assert_allclose(found, [-1, -0.6, 1], atol=1e-7)
  np.testing.assert_array_equal(base.to_model_range([0.25, 51.0]), [0.25, 51])


@pytest.mark.parametrize(
  ('backend', 'devices', 'size'),
  [('cpu', 1, 10), ('cpu', 8, 16), ('gpu', 1, 10), ('gpu', 4, 40)],
)
def test_a_batch_is_for_all_devices(backend, devices, size, monkeypatch):
  """Those of a CPU are made up, and share its memory; each has its part."""
  monkeypatch.setattr(jax, 'default_backend', lambda: backend)
  monkeypatch.setattr(jax, 'local_device_count', lambda: devices)
  assert base.batch_size(10) == size
