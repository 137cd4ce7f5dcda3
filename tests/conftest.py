"""JAX at its strictest: 8 fake devices, no silent broadcasting."""

import gc
import itertools
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Before JAX starts, and inherited by the commands that the tests start.
CACHE = pathlib.Path(tempfile.gettempdir()) / f'gan_jax_cache_{os.getuid()}'
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', str(CACHE))
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0')
os.environ.setdefault('GAN_JAX_CACHE', str(CACHE / 'features'))
os.environ.setdefault('MPLBACKEND', 'agg')

import jax  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

jax.config.update('jax_numpy_rank_promotion', 'raise')
if jax.config.jax_platforms in (None, 'cpu'):
  jax.config.update('jax_num_cpu_devices', 8)

sys.path.insert(0, str(ROOT))  # experiments and configs, as in a clone


MAPS = pathlib.Path('/proc/self/maps')
MOST_MAPS = 20_000
looks = itertools.count()


@pytest.fixture(autouse=True, scope='module')
def few_programs():
  """Forgets what earlier files have compiled before there is too much of it.

  Each compiled program takes some mappings of memory. Linux allows a process
  65,530 of them; the first one too many is a segmentation fault within XLA.
  """
  _forget_programs()


def pytest_runtest_teardown():
  if next(looks) % 8 == 0:  # to look takes some milliseconds
    _forget_programs()


def _forget_programs():
  if MAPS.exists() and MAPS.read_bytes().count(b'\n') > MOST_MAPS:
    jax.clear_caches()
    gc.collect()


@pytest.fixture(scope='session')
def anchor():
  """(real [1000, 64], fake [800, 64]) that frozen figures belong to."""
  rng = np.random.default_rng(20240501)
  mix = rng.normal(size=(64, 64)) / 8
  real = np.maximum(rng.normal(size=(1000, 64)) @ mix + 0.3, 0)
  fake = np.maximum(rng.normal(size=(800, 64)) @ mix * 1.1 + 0.35, 0)
  real, fake = real.astype(np.float32), fake.astype(np.float32)
  assert abs(real.sum(dtype=float) - 36312.631638046296) < 1e-6
  assert abs(fake.sum(dtype=float) - 32573.208643058122) < 1e-6
  return real, fake
