"""JAX at its strictest: 8 fake devices, no silent broadcasting."""

import contextlib
import ctypes
import gc
import importlib.metadata
import itertools
import os
import pathlib
import platform
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Before JAX starts, and inherited by the commands that the tests start.
CACHE = pathlib.Path(tempfile.gettempdir()) / f'gan_jax_cache_{os.getuid()}'
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', str(CACHE))
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0')
os.environ.setdefault('GAN_JAX_CACHE', str(CACHE / 'features'))
os.environ.setdefault('MPLBACKEND', 'agg')
# Programs are tiny here: to compile them well takes longer than to run them.
os.environ.setdefault('JAX_DISABLE_MOST_OPTIMIZATIONS', '1')
# A third of that time with the older emitters, which later versions lack; and
# without FMA, so that bits do not depend on what is compiled beside them.
OLDER = '--xla_cpu_use_fusion_emitters=false --xla_cpu_max_isa=AVX'
if importlib.metadata.version('jaxlib').startswith('0.10.'):
  if platform.machine() in ('x86_64', 'AMD64'):
    os.environ.setdefault('XLA_FLAGS', OLDER)

import jax  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

jax.config.update('jax_numpy_rank_promotion', 'raise')
if jax.config.jax_platforms in (None, 'cpu'):
  jax.config.update('jax_num_cpu_devices', 8)

sys.path.insert(0, str(ROOT))  # experiments and configs, as in a clone

from tests import shared, slow_tests  # noqa: E402

shared_folder = shared.shared_folder  # fixture


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
  for item in items:
    if slow_tests.is_slow(item.nodeid):
      item.add_marker('slow')


@pytest.fixture(autouse=True, scope='session')
def quick_judges():
  """A classifier that learns for a moment judges badly, by the same rules."""
  from gan_jax.metrics.features import convnet

  with pytest.MonkeyPatch.context() as patch:
    patch.setitem(convnet.RECIPE, 'steps', (40, 40))
    yield


def pytest_collection_finish():
  """What is there by now stays: Python need not look for garbage in it."""
  gc.collect()
  gc.freeze()


STATUS = pathlib.Path('/proc/self/statm')
# Bytes that a process may have before it forgets: where a file begins, which
# shares few programs with the last one, and within it.
AT_FIRST, WITHIN = 1.0 * 2**30, 1.4 * 2**30
looks = itertools.count()


@pytest.fixture(autouse=True, scope='module')
def few_programs():
  """Forgets what earlier files have compiled before there is too much of it.

  What is compiled and traced stays with a process: a thousand cold compilations
  are some 4 GB, and as many mappings of memory as Linux allows.
  """
  _forget_programs(AT_FIRST)


def pytest_runtest_teardown():
  if next(looks) % 8 == 0:
    _forget_programs(WITHIN)


def _forget_programs(enough):
  if _resident() > enough:
    jax.clear_caches()
    gc.collect()
    _give_back()


def _resident():
  """Bytes of memory that this process has; 0 where nobody says."""
  if not STATUS.exists():
    return 0
  return int(STATUS.read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def _give_back():
  """What glibc keeps for later goes back to the system; others do so anyway."""
  with contextlib.suppress(OSError, AttributeError):
    ctypes.CDLL(None).malloc_trim(0)


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
