"""How much of their range a folder's image files use.

All files are judged together: dark pictures are as good as bright ones. Where
the first picture uses its range, nothing else is decoded.
"""

import functools
import itertools
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from gan_jax.data import images, news, ranges
from gan_jax.types import UserError

LOOKED = 4096  # files whose depth is looked up, evenly spread
CHUNK = 64  # files decoded at a time


def judge(files: Sequence, limits: tuple | None, where: str):
  """Refuses files that may be of another range than their type says, or asks.

  Args:
    files: paths of images, or functions () -> an open one; those that cannot be
      read are left to their reader.
    limits: their range, where it was given: only asked about if files of
      several depths are to have it.
    where: what the line begins with.

  Raises:
    UserError: they use too little of it, or are of a type without a usual one.
  """
  depths = _depths(files)
  if limits:
    _ask_if_mixed(depths, limits, where)
    return
  step = _step(files)
  rows = np.arange(len(files))
  order = np.concatenate([rows[::step], rows[rows % step > 0]])
  for depth in depths:
    _judge_one(depth, _extents(depth, files, order), where)


def _ask_if_mixed(depths, limits, where):
  if len(depths) > 1:
    several = ' and of '.join(map(str, depths))
    low, high = limits
    news.tell(
      f'warning: {where}: files of {several} bits; data.range={low:g},{high:g}'
      ' is taken to be that of all of them.'
    )


def _step(files):
  return -(-len(files) // LOOKED)


def _depths(files):
  """Bits of the files, the fewest first, without those of black and white."""
  depth_of = functools.partial(_attempt, images.depth_of)
  depths = set(images.in_parallel(depth_of, files[:: _step(files)]))
  return sorted(depths - {None, 1})


def _judge_one(depth, extents, where):
  most = 2**depth - 1
  low, high = float('inf'), float('-inf')
  for lowest, highest in extents:
    low, high = min(low, lowest), max(high, highest)
    if depth < 32 and high > ranges.ASKED * most:
      return
  if high < low:
    return
  if depth == 32:
    raise UserError(
      f'{where}: files of 32 bits with values in [{low:g}, {high:g}];'
      ' data.range=LOW,HIGH says which there may be.'
    )
  ranges.judge_whole(int(high), most, where)


def _extents(depth, files, order) -> Iterator[tuple]:
  """(lowest, highest value) of the files of a depth, in an order of them."""
  ends = [0, 1, *range(1 + CHUNK, len(order), CHUNK), len(order)]
  for start, end in itertools.pairwise(ends):
    yield from _of(depth, [files[i] for i in order[start:end]])


def _of(depth, files):
  look = lambda path: _attempt(images.extent, path)
  looks = images.in_parallel(look, files)
  return [own[1:] for own in looks if own and own[0] == depth]


def _attempt(look, file):
  try:
    if isinstance(file, pathlib.Path):
      return look(file) if file.is_file() else None
    return look(file())
  except images.UNREADABLE:
    return None
