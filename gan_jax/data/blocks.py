"""Arrays of many examples a block at a time, wherever they lie."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

BYTES = 2**20  # of a block


class OnDisk:
  """An array [N, ...] whose rows stay in a file until they are asked for.

  Attributes:
    shape, dtype: of all of it.
  """

  def __init__(
    self,
    shape: tuple[int, ...],
    dtype: np.dtype,
    read: Callable,
    in_order: Callable[[], Iterator[np.ndarray]],
  ):
    """See the attributes.

    Args:
      shape: of all of it.
      dtype: of all of it.
      read: rows [n] -> [n, ...].
      in_order: () -> all rows, [n, ...] at a time.
    """
    self.shape, self.dtype = shape, dtype
    self._read, self.in_order = read, in_order

  def __len__(self):
    return self.shape[0]

  def __getitem__(self, rows):
    return self._read(rows)

  @property
  def nbytes(self) -> int:
    """Bytes of all rows, if they were read."""
    return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def of(x: Any) -> Iterator[np.ndarray]:
  """The rows of an array in order, some at a time.

  Args:
    x: [N, ...], in memory or OnDisk.
  """
  if isinstance(x, OnDisk):
    yield from x.in_order()
    return
  row = x.nbytes // max(len(x), 1)
  most = max(1, BYTES // max(row, 1))
  for at in range(0, len(x), most):
    yield x[at : at + most]


def are_finite(x: Any) -> bool:
  """Whether floats hold neither NaN nor infinity; see `of`."""
  return all(np.isfinite(block).all() for block in of(x))
