"""The same kernels after a resume: XLA's choices on a GPU, kept with the run.

On GPUs XLA times several kernels for a product or a convolution and takes the
fastest, which another time may be another one, of other bits. A command that
trains hands it what it chose when the run began
(https://openxla.org/xla/persisted_autotuning); that has to be said by flags,
before JAX starts. Of several processes each would have to hold the same: there
nothing is kept.
"""

import hashlib
import os
import pathlib
import shutil
import sys

from gan_jax.devices import multihost
from gan_jax.report import console
from gan_jax.run import determinism
from gan_jax.run.workdir import differences
from gan_jax.storage import autotune, paths
from gan_jax.types import UserError

DUMP = 'xla_gpu_dump_autotune_results_to'
LOAD = 'xla_gpu_load_autotune_results_from'
SHORT = 12  # characters of a hash
ROOM = 2**24  # bytes, far more than all choices of a run


def prepare(workdir: pathlib.Path):
  """Lets XLA choose as it has for this run, and write down what it chooses.

  Does nothing without GPUs, or where XLA_FLAGS say what to do with choices.

  Args:
    workdir: of the run that this process trains; it may not exist yet.
  """
  flags = os.environ.get('XLA_FLAGS', '')
  if {DUMP, LOAD} & set(differences.xla_flags(flags)):
    return
  if not determinism.expects_gpu() or determinism.has_started():
    return
  if multihost.several():
    return
  own = [*_load(workdir), *_dump(workdir)]
  os.environ['XLA_FLAGS'] = ' '.join([*filter(None, [flags]), *own])


def keep(workdir: pathlib.Path):
  """Copies what XLA has chosen so far into the workdir, if it was to say so.

  Raises:
    OSError: it cannot be written.
  """
  place = _flag(DUMP)
  if place and place == str(_place(workdir)) and os.path.exists(place):
    results = pathlib.Path(place).read_text('utf-8')
    if results.strip():
      autotune.write(workdir, results)


def loaded() -> str:
  """A short hash of the choices that this process was given; '' of none."""
  place = _flag(LOAD)
  try:
    return _short(pathlib.Path(place).read_bytes()) if place else ''
  except OSError:
    return ''


def _short(content):
  return hashlib.sha256(content).hexdigest()[:SHORT]


def _flag(name):
  return differences.xla_flags(os.environ.get('XLA_FLAGS', '')).get(name, '')


def _load(workdir):
  """The flag that loads what the run has kept, if that is whole."""
  try:
    there = autotune.read(workdir)
  except (autotune.Damaged, OSError) as error:
    console.say(f'kernels are chosen anew: {error}', stream=sys.stderr)
    return []
  path = (workdir / autotune.NAME).absolute()
  return [f'--{LOAD}={path}'] if there and _is_one_word(path) else []


def _dump(workdir):
  """The flag by which XLA writes down its choices, outside of the workdir.

  There is none before the run is found to be sound, and XLA does not write
  whole files or none. The place is that of the run: the flags are part of what
  JAX knows compiled programs by, and a program of another run may have other
  kernels.
  """
  try:
    place = _place(workdir)
    place.parent.mkdir(parents=True, exist_ok=True)
    room = shutil.disk_usage(place.parent).free
  except (OSError, UserError):
    return []
  # XLA does not compile what it cannot write the choices of.
  writable = room > ROOM and os.access(place.parent, os.W_OK | os.X_OK)
  return [f'--{DUMP}={place}'] if writable and _is_one_word(place) else []


def _place(workdir):
  name = _short(os.fsencode(os.path.abspath(workdir)))
  return paths.cache_dir().absolute() / 'autotune' / f'{name}.textproto'


def _is_one_word(path):
  """Whether XLA_FLAGS can name it, whose words are split at spaces."""
  return not any(c.isspace() or c in '\'"\\' for c in str(path))
