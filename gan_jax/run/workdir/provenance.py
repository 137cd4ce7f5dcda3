"""What decides a run's numbers besides its config: code, packages, machine."""

import datetime
import functools
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata

import jax

import gan_jax

# Whatever of these is installed; nothing else computes numbers.
PACKAGES = re.compile(
  r'jax|jaxlib|jax[-_]\w+([-_](plugin|pjrt))|libtpu|nvidia[-_].*|flax|optax|'
  r'orbax[-_]checkpoint|numpy|scipy|ml[-_]collections|ml[-_]dtypes|opt[-_]einsum|'
  r'tensorflow[-_]datasets|array[-_]record|pillow|scikit[-_]learn',
  re.IGNORECASE,
)
# Environment variables that may change numbers, and of these the ones that do
# not: paths, logs, and who takes part, which is recorded elsewhere.
VARIABLES = re.compile(
  r'(JAX|XLA|LIBTPU|TPU|NCCL|CUBLAS|CUDNN|TF_(CUDNN|DETERMINISTIC))_.*|'
  r'NVIDIA_TF32_OVERRIDE|(OMP|MKL|OPENBLAS)_NUM_THREADS'
)
IDLE_VARIABLES = re.compile(
  r'XLA_FLAGS|.*(CACHE|LOG|DEBUG|TRACE|DUMP|MEM_|MEMORY|PREALLOCATE).*|'
  r'JAX_(PLATFORMS|PLATFORM_NAME|NUM_CPU_DEVICES|NUM_PROCESSES|PROCESS_ID)|'
  r'JAX_(COORDINATOR|CUDA_VISIBLE|ROCM_VISIBLE|MTLS).*|'
  r'TPU_(WORKER|SKIP|NAME|PROCESS|ACCELERATOR|TOPOLOGY|HOST).*|NCCL_SOCKET.*'
)
# Values of jax.config that change numbers; not every version of JAX has all.
JAX_CONFIG = (
  'eager_constant_folding', 'jax_accurate_erf_inv', 'jax_allow_f16_reductions',
  'jax_compiler_enable_remat_pass', 'jax_cpu_collectives_implementation',
  'jax_default_dtype_bits', 'jax_default_matmul_precision',
  'jax_default_prng_impl', 'jax_disable_jit', 'jax_disable_most_optimizations',
  'jax_enable_custom_prng', 'jax_enable_pgle', 'jax_enable_x64',
  'jax_explicit_x64_dtypes', 'jax_high_dynamic_range_gumbel',
  'jax_memory_fitting_level', 'jax_numpy_dtype_promotion',
  'jax_optimization_level', 'jax_random_seed_offset',
  'jax_softmax_custom_jvp', 'jax_threefry_gpu_kernel_lowering',
  'jax_threefry_partitionable', 'jax_use_direct_linearize',
  'jax_use_hlo_logistic_lowering', 'jax_use_shardy_partitioner',
)  # fmt: skip
# XLA and the host's libraries choose their code by these instructions.
_INSTRUCTIONS = re.compile(
  r'(ss?se|avx|bmi|amx|vaes|vpclmul|asimd|sve)\w*|fma4?|f16c|gfni|bf16|i8mm|fp'
)


def describe() -> dict:
  """All of this as plain values; starts JAX."""
  return {
    'command': ' '.join(sys.argv),
    'host': platform.node(),
    'started': datetime.datetime.now()
    .astimezone()
    .isoformat(timespec='seconds'),
    'gan_jax': gan_jax.__version__,
    **git_revision(),
    'source': source(),
    'python': platform.python_version(),
    'packages': packages(),
    'platform': platform.platform(),
    'backend': jax.default_backend(),
    'device_kind': jax.devices()[0].device_kind,
    'num_devices': jax.device_count(),
    'num_processes': jax.process_count(),
    'cpu': cpu(),
    'xla_flags': os.environ.get('XLA_FLAGS', ''),
    'environment': environment(),
    'jax_config': jax_config(),
  }


@functools.cache
def _packages():
  # A folder that is damaged has no name.
  there = [d for d in metadata.distributions() if d.name]
  installed = {d.name.lower().replace('_', '-'): d for d in there}
  return {
    name: distribution.version
    for name, distribution in sorted(installed.items())
    if PACKAGES.fullmatch(name)
  }


def packages() -> dict[str, str]:
  """The versions of those of PACKAGES that are installed."""
  return dict(_packages())


@functools.cache
def source() -> str:
  """SHA-256 of the package's own source, wherever it is installed."""
  root, sha = pathlib.Path(gan_jax.__file__).parent, hashlib.sha256()
  for path in sorted(root.rglob('*.py')):
    sha.update(f'{path.relative_to(root).as_posix()}\0'.encode())
    sha.update(hashlib.sha256(path.read_bytes()).digest())
  return sha.hexdigest()


def git_revision() -> dict:
  """The clone's revision, and how the tree differs from it.

  Returns:
    git_revision, git_changed, and git_diff: SHA-256 of the output of `git diff
    HEAD`, '' where that is empty. {} outside a clone, or without git.
  """
  return dict(_git_revision())


@functools.cache
def _git_revision():
  root = pathlib.Path(gan_jax.__file__).resolve().parents[1]
  if not (root / '.git').exists() or not shutil.which('git'):
    return {}

  def git(*args):
    result = subprocess.run(
      ('git', '-C', root, *args), capture_output=True, check=False
    )
    return result.stdout if result.returncode == 0 else b''

  diff = git('diff', 'HEAD', '--binary', '--no-ext-diff')
  return {
    'git_revision': git('rev-parse', 'HEAD').decode().strip() or None,
    'git_changed': bool(diff),
    'git_diff': hashlib.sha256(diff).hexdigest() if diff else '',
  }


@functools.cache
def _cpu():
  try:
    text = pathlib.Path('/proc/cpuinfo').read_text()
  except OSError:  # not Linux
    return {'model': platform.processor(), 'instructions': ''}
  fields = re.findall(r'^([\w ]+?)\s*:[ ]*(.*)$', text, re.MULTILINE)
  first = dict(reversed(fields))  # of several cores the first one
  model = first.get('model name') or first.get('CPU part') or platform.machine()
  every = (first.get('flags') or first.get('Features') or '').split()
  chosen = sorted(one for one in every if _INSTRUCTIONS.fullmatch(one))
  return {'model': model, 'instructions': ' '.join(chosen)}


def cpu() -> dict[str, str]:
  """The processor's model, and the instructions that decide the code for it."""
  return dict(_cpu())


def environment() -> dict[str, str]:
  """Variables that may change numbers; XLA_FLAGS is recorded by itself."""
  return {
    name: value
    for name, value in sorted(os.environ.items())
    if VARIABLES.fullmatch(name) and not IDLE_VARIABLES.fullmatch(name)
  }


def jax_config() -> dict:
  """Values of jax.config that change numbers, as plain values."""
  plain = lambda v: v if isinstance(v, bool | int | str | None) else str(v)
  values = jax.config.values
  return {name: plain(values[name]) for name in JAX_CONFIG if name in values}
