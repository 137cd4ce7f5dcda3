"""Slices of TPU chips that are not there, for which a program is compiled.

`jax.experimental.topologies` describes them to libtpu's compiler, which needs
no TPU: the extra `tpu`.
"""

import importlib.util
import math
import os
import re
from typing import NamedTuple

from gan_jax.devices import chips
from gan_jax.types import UserError

# What libtpu asks of a machine, which it would look for on the network; and
# that several programs may compile at once, where one alone may use a TPU.
SETTINGS = {
  'TPU_SKIP_MDS_QUERY': '1',
  'TPU_WORKER_HOSTNAMES': 'localhost',
  'ALLOW_MULTIPLE_LIBTPU_LOAD': '1',
}
LARGEST = 1024  # chips; of more the description alone takes long


class Slice(NamedTuple):
  """Chips that are connected, and what JAX sees of them."""

  name: str  # 'v5e:4x4'
  chip: chips.Chip
  chips: int
  devices: tuple  # one, or of some generations two, of each chip

  @property
  def per_chip(self) -> int:
    """Devices of a chip."""
    return len(self.devices) // self.chips

  @property
  def memory(self) -> int:
    """Bytes of a device."""
    return self.chip.memory // self.per_chip


def available() -> bool:
  """Whether libtpu is installed."""
  return importlib.util.find_spec('libtpu') is not None


def find(name: str) -> Slice:
  """A slice by its name.

  Args:
    name: 'GENERATION:SHAPE': v5e:4x4, v6e:1x1, v4:2x2x4, v5p:2x2x1.

  Raises:
    UserError: no such generation or shape, or libtpu is not installed.
  """
  chip, shape = _parsed(name)
  if not available():
    raise UserError(
      f'--topology={name}: compiling for a TPU needs libtpu: pip install'
      " 'gan_jax[tpu]', or pip install libtpu."
    )
  from jax.experimental import topologies

  for key, value in (SETTINGS | {'TPU_ACCELERATOR_TYPE': chip.host}).items():
    os.environ.setdefault(key, value)
  # A host has four chips, unless the slice is smaller.
  whole = all(n % 2 == 0 for n in shape[:2])
  host = (2, 2, 1) if whole else (1, 1, 1)
  name = f'{chip.libtpu}:{"x".join(map(str, shape))}'
  try:
    made = topologies.get_topology_desc(name, 'tpu', chips_per_host_bounds=host)
  except Exception as e:  # of XLA's runtime, which has no type of its own
    raise UserError(f'--topology={name}: {e}') from e
  return Slice(name, chip, math.prod(shape), tuple(made.devices))


def _parsed(name):
  """(chip, shape) of 'v5e:4x4'."""
  there = {c.name: c for c in chips.CHIPS if c.libtpu}
  generation, _, text = name.partition(':')
  if generation not in there:
    raise UserError(
      f'--topology={name}: expected GENERATION:SHAPE, such as v5e:4x4; there'
      f' are {", ".join(there)}.'
    )
  chip = there[generation]
  example = 'x'.join('2' * chip.axes)
  if not re.fullmatch(r'[1-9]\d*(x[1-9]\d*)*', text):
    raise UserError(f'--topology={name}: expected a shape, such as {example}.')
  shape = tuple(map(int, text.split('x')))
  if len(shape) != chip.axes or math.prod(shape) > LARGEST:
    raise UserError(
      f'--topology={name}: expected {chip.axes} numbers, such as {example}, and'
      f' at most {LARGEST:,} chips.'
    )
  return chip, shape
