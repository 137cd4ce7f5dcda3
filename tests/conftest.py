"""JAX at its strictest: 8 fake devices, no silent broadcasting."""

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

jax.config.update('jax_numpy_rank_promotion', 'raise')
if jax.config.jax_platforms in (None, 'cpu'):
  jax.config.update('jax_num_cpu_devices', 8)

sys.path.insert(0, str(ROOT))  # experiments and configs, as in a clone
