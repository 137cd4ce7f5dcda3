"""What the chips of a slice tell each other, read from a compiled program."""

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


def count(text: str) -> dict[str, dict[str, int]]:
  """{kind: {'count', 'bytes'}} of the collectives of a program.

  Args:
    text: of the compiled program; bytes are those that a device gets.
  """
  made = {}
  for line in text.splitlines():
    if seen := _LINE.search(line):
      shapes, kind, start, _ = seen.groups()
      arrays = [_nbytes(*array) for array in _ARRAY.findall(shapes)]
      # What is started gives its operands back, beside its results; all-reduce
      # its results alone.
      twice = start and kind != 'all-reduce' and len(arrays) > 1
      own = made.setdefault(kind, {'count': 0, 'bytes': 0})
      own['count'] += 1
      own['bytes'] += sum(arrays[len(arrays) // 2 :] if twice else arrays)
  return made


def _nbytes(dtype, shape):
  bits = 8 if dtype == 'pred' else int(re.search(r'\d+', dtype).group())
  return math.prod(int(n) for n in shape.split(',') if n) * bits // 8
