"""What a run was made with: code, packages, devices, data."""

import os
import pathlib
import platform
import subprocess
import sys
from importlib import metadata

import jax

import gan_jax

PACKAGES = (
  'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy', 'scipy',
  'ml-collections', 'tensorflow-datasets',
)  # fmt: skip


def _version(package):
  try:
    return metadata.version(package)
  except metadata.PackageNotFoundError:
    return None


def git_revision() -> dict:
  """The package's git revision and whether the tree differs from it."""
  root = pathlib.Path(gan_jax.__file__).resolve().parents[1]
  if not (root / '.git').exists():
    return {}

  def git(*args):
    result = subprocess.run(
      ('git', '-C', root, *args), capture_output=True, text=True, check=False
    )
    return result.stdout.strip() if result.returncode == 0 else None

  changed = git('status', '--porcelain', '--untracked-files=no')
  return {
    'git_revision': git('rev-parse', 'HEAD'),
    'git_changed': bool(changed),
  }


def describe(**also) -> dict:
  """A plain dict for manifest.json; `also` is added as it stands."""
  device = jax.devices()[0]
  return {
    'command': ' '.join(sys.argv),
    'gan_jax': gan_jax.__version__,
    **git_revision(),
    'python': platform.python_version(),
    'packages': {name: _version(name) for name in PACKAGES},
    'platform': platform.platform(),
    'backend': jax.default_backend(),
    'device_kind': device.device_kind,
    'num_devices': jax.device_count(),
    'num_processes': jax.process_count(),
    'xla_flags': os.environ.get('XLA_FLAGS', ''),
    **also,
  }
