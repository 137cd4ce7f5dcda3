"""How much of their range a folder's image files use.

All files are judged together: dark pictures are as good as bright ones. Where
the first picture uses its range, nothing else is decoded.
"""

import pathlib
from collections.abc import Iterator, Sequence

from gan_jax.data import images, ranges
from gan_jax.types import UserError

LOOKED = 64  # files whose depth is looked up, evenly spread
CHUNK = 64  # files decoded at a time


def judge(files: Sequence[pathlib.Path], where: str):
  """Refuses files that may be of another range than their type says, or asks.

  Args:
    files: of images; those that cannot be read are left to their reader.
    where: what the line begins with.

  Raises:
    UserError: they use too little of it, or are of a type without a usual one.
  """
  step = -(-len(files) // LOOKED)
  depths = {_attempt(images.depth_of, path) for path in files[::step]}
  spread = [*files[::step], *(p for i, p in enumerate(files) if i % step)]
  for depth in sorted(depths - {None, 1}):
    _judge_one(depth, _extents(depth, spread), where)


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


def _extents(depth, files) -> Iterator[tuple]:
  """(lowest, highest value) of the files of a depth, in their order."""
  yield from _of(depth, files[:1])
  for start in range(1, len(files), CHUNK):
    yield from _of(depth, files[start : start + CHUNK])


def _of(depth, files):
  look = lambda path: _attempt(images.extent, path)
  looks = images.in_parallel(look, files)
  return [own[1:] for own in looks if own and own[0] == depth]


def _attempt(look, path):
  try:
    return look(path) if path.is_file() else None
  except images.UNREADABLE:
    return None
