"""config.deterministic: the same bits again, or a refusal.

On CPU and TPU nothing has to be set. On GPUs XLA times kernels to choose the
fastest, and adds by atomic operations, unless a flag forbids both
(https://openxla.org/xla/determinism); it has to be set before JAX starts.
"""

import os
import pkgutil
from importlib import metadata

import jax

from gan_jax.run.workdir import differences
from gan_jax.types import UserError

GPU_FLAG = 'xla_gpu_deterministic_ops'
GPUS = ('cuda', 'rocm', 'gpu')
BACKENDS = ('cpu', 'gpu', 'tpu')


def prepare():
  """Sets what makes this process deterministic, before JAX starts.

  Raises:
    UserError: XLA_FLAGS forbids it, or JAX has started without it.
  """
  if not expects_gpu():
    return
  flags = os.environ.get('XLA_FLAGS', '')
  value = differences.xla_flags(flags).get(GPU_FLAG)
  if value in ('true', '1'):
    return
  if value is not None:
    raise UserError(f'deterministic=True, but XLA_FLAGS={flags!r} forbids it.')
  if has_started():
    raise UserError(
      'deterministic=True, but JAX has started without'
      f' XLA_FLAGS=--{GPU_FLAG}=true; set it before.'
    )
  os.environ['XLA_FLAGS'] = f'{flags} --{GPU_FLAG}=true'.strip()


def check_backend():
  """Refuses unknown kinds of devices; starts JAX.

  Raises:
    UserError: they are neither CPUs, GPUs nor TPUs.
  """
  if jax.default_backend() not in BACKENDS:
    raise UserError(
      f'deterministic=True, but nothing is known of the backend'
      f' {jax.default_backend()!r}; expected {", ".join(BACKENDS)}.'
    )


def expects_gpu():
  """Whether JAX will choose a GPU, or may, when it starts."""
  platforms = jax.config.jax_platforms
  if platforms:
    return any(gpu in platforms for gpu in GPUS)
  plugins = [one.name for one in metadata.entry_points(group='jax_plugins')]
  try:
    import jax_plugins

    plugins += [one.name for one in pkgutil.iter_modules(jax_plugins.__path__)]
  except ImportError:
    pass
  return any(gpu in name for name in plugins for gpu in GPUS)


def has_started():
  """Whether JAX has started: then its number of CPU devices is fixed."""
  name = 'jax_num_cpu_devices'
  value = jax.config.values[name]
  try:
    jax.config.update(name, value + 1)
  except RuntimeError:
    return True
  jax.config.update(name, value)
  return False
