"""Whether two lists of records say the same, in all that they say."""

import pytest

# What names the files, and how the samples were made.
NAMES = ('source', 'reference', 'reference_hash', 'held_out', 'held_out_hash')
MAKER = ('ema', 'batch_norm', 'truncation', 'seed', 'labels')
EXTRAS = ('is_std', 'class_fid', 'class_shares', 'num_modes')


def check(found, wanted, *, besides=(), places=None):
  """Compares each field of each record; numbers to 1e-6.

  Args:
    found: records.
    wanted: records, in the same order.
    besides: fields that may differ.
    places: [C], the number in `found` of each class of `wanted`.
  """
  assert [r['metric'] for r in found] == [r['metric'] for r in wanted]
  for one, other in zip(found, wanted, strict=True):
    assert set(one) - {*besides} == set(other) - {*besides}
    for field in set(one) - {*besides}:
      mine, theirs = one[field], other[field]
      if places is not None and field in ('class_fid', 'class_shares'):
        mine = [mine[k] for k in places]
      _check(mine, theirs, f'{one["metric"]}: {field}')


def _check(mine, theirs, what):
  if isinstance(theirs, list):
    assert len(mine) == len(theirs), what
    for a, b in zip(mine, theirs, strict=True):
      _check(a, b, what)
  elif isinstance(theirs, float):
    assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-6), what
  else:
    assert mine == theirs, what
