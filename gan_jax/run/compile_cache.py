"""What is compiled, kept for the next process: JAX's persistent cache.

It lies beside the weights of feature nets, in `compiled` of $GAN_JAX_CACHE,
$XDG_CACHE_HOME/gan_jax or ~/.cache/gan_jax. JAX's own variables have the last
word: JAX_COMPILATION_CACHE_DIR is another place, JAX_ENABLE_COMPILATION_CACHE=0
none (https://docs.jax.dev/en/latest/persistent_compilation_cache.html).
"""

import errno
import functools
import hashlib
import os
import pathlib
import sys
import tempfile
import time
import warnings
from importlib import util

import jax

from gan_jax.report import console
from gan_jax.run.workdir import provenance
from gan_jax.storage import paths
from gan_jax.types import UserError

MAX_BYTES = 2**30  # the programs that were used least recently make room
FEWEST_SECONDS = 0.1  # what compiles sooner is compiled again
PROBE = bytes(2**16)  # what is written to see whether anything can be
ENTRY, USED = '-cache', '-atime'  # how JAX names a program, and its last use
OWN_TIME = 60.0  # s, that another process may take to write both


@functools.cache  # once in a process
def use() -> None:
  """Lets this process find what earlier ones have compiled, and add to it.

  Does nothing where JAX already has a cache, or is to have none. Where nothing
  can be written there is no cache, and a line says so.
  """
  config = jax.config
  there = config.jax_compilation_cache_dir is not None
  if there or not config.jax_enable_compilation_cache:
    return
  place = ''
  try:
    place = folder()
    _make(place)
  except (OSError, UserError) as error:
    why = getattr(error, 'strerror', None) or error
    line = ': '.join(map(str, filter(None, (place, why))))
    console.say(f'what is compiled is not kept: {line}', stream=sys.stderr)
    return
  config.update('jax_compilation_cache_dir', str(place))
  usual = {
    'jax_compilation_cache_max_size': (-1, MAX_BYTES),
    'jax_persistent_cache_min_compile_time_secs': (1.0, FEWEST_SECONDS),
  }
  if not util.find_spec('filelock'):  # nobody could make room then
    del usual['jax_compilation_cache_max_size']
  for name, (default, ours) in usual.items():
    if getattr(config, name) == default:
      config.update(name, ours)
  # A disk that fills up, or a file that was cut off, costs only the time to
  # compile; JAX would say so of each program.
  words = r'Error (reading|writing) persistent compilation cache'
  warnings.filterwarnings('ignore', words)


def folder() -> pathlib.Path:
  """Where programs for this processor and machine are kept.

  Raises:
    UserError: a place that nobody has, like ~nobody.
  """
  # XLA's programs for CPUs are made for the instructions of one; a home folder
  # is often shared by several.
  cpu = ' '.join(provenance.cpu().values())
  name = hashlib.sha256(cpu.encode()).hexdigest()[:12]
  return paths.cache_dir() / 'compiled' / name


def _make(place):
  """Makes the folder, without what killed processes have left of it.

  Raises:
    OSError: nothing can be written to it.
  """
  # A program runs as whoever has written it: nobody else may.
  place.mkdir(mode=0o700, parents=True, exist_ok=True)
  with tempfile.TemporaryFile(dir=place, buffering=0) as file:
    if file.write(PROBE) < len(PROBE):
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
  names = set(os.listdir(place))
  for name in names:
    if name.endswith(ENTRY):
      other = name.removesuffix(ENTRY) + USED
    elif name.endswith(USED):
      other = name.removesuffix(USED) + ENTRY
    else:
      continue
    # JAX writes the second when the first is whole, and cannot clear up where
    # one is missing.
    if other not in names:
      _drop(place / name)


def _drop(path):
  """Removes a file, unless it is just being written or gone already."""
  try:
    if time.time() - path.stat().st_mtime > OWN_TIME:
      path.unlink()
  except FileNotFoundError:
    pass
