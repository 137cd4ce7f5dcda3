"""What the chips of a slice tell each other, read from a compiled program."""

import itertools
import math
import re

KINDS = (
  'all-reduce', 'all-gather', 'reduce-scatter', 'all-to-all',
  'collective-permute', 'collective-broadcast',
)  # fmt: skip
# `%name = f32[8,128]{1,0:T(8,128)} all-reduce(...`, or with a tuple of shapes.
# What runs beside others is started and awaited: the start has the operands.
_LINE = re.compile(rf'= (.*?) ({"|".join(KINDS)})(-start)?\((.*)')
_ARRAY = re.compile(r'\b([a-z]+\d*(?:e\dm\d\w*)?)\[([\d,]*)\]')
MOST = 0.95  # of the bytes


def count(text: str) -> dict[str, dict[str, int]]:
  """The collectives of a program by kind.

  Args:
    text: of the compiled program.

  Returns:
    {kind: {'count', 'bytes', 'started', 'large'}}: bytes are those that a
    device gets; `started` are those that may run beside other operations, and
    `large` how few carry MOST of the bytes: the rest are numbers that somebody
    waits for, such as the statistics of a batch norm.
  """
  seen = {}
  for line in text.splitlines():
    if match := _LINE.search(line):
      kind, size, started = _of_line(*match.groups())
      seen.setdefault(kind, []).append((size, started))
  return {kind: _summary(sizes) for kind, sizes in seen.items()}


def _of_line(shapes, kind, start, _):
  """(kind, bytes, whether it is started)."""
  arrays = [_nbytes(*array) for array in _ARRAY.findall(shapes)]
  # What is started gives its operands back, beside its results; all-reduce
  # its results alone.
  twice = start and kind != 'all-reduce' and len(arrays) > 1
  own = arrays[len(arrays) // 2 :] if twice else arrays
  return kind, sum(own), bool(start)


def _summary(seen):
  sizes = sorted((size for size, _ in seen), reverse=True)
  whole = sum(sizes)
  reached = itertools.accumulate(sizes)
  return {
    'count': len(sizes),
    'bytes': whole,
    'started': sum(started for _, started in seen),
    'large': 1 + sum(1 for part in reached if part < MOST * whole),
  }


def _nbytes(dtype, shape):
  bits = 8 if dtype == 'pred' else int(re.search(r'\d+', dtype).group())
  return math.prod(int(n) for n in shape.split(',') if n) * bits // 8
