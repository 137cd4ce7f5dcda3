"""Checkpoints written by hand, as the two layouts of torch.save are."""

import collections
import hashlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from gan_jax.metrics.features import torch_checkpoint
from gan_jax.types import UserError

# Two tensors, of which one is the transpose of a part of its storage.
STORAGES = {
  '7': np.arange(8, dtype=np.float32),
  '9': np.array([3, -1], np.int64),
}
WANTED = {
  'a.weight': STORAGES['7'][2:8].reshape(2, 3).T,
  'count': STORAGES['9'][1],
}
KINDS = {'7': 'FloatStorage', '9': 'LongStorage'}


# An assembler for the few opcodes of pickle's protocol 2 that are needed.


def word(text):
  raw = text.encode()
  return b'X' + struct.pack('<I', len(raw)) + raw


def number(n):
  return b'J' + struct.pack('<i', n)


def sequence(*parts):
  return b'(' + b''.join(parts) + b't'


def name(module, what):
  return f'c{module}\n{what}\n'.encode()


def call(function, *args):
  return function + sequence(*args) + b'R'


EMPTY = call(name('collections', 'OrderedDict'))


def storage(key, size=None, view=b''):
  size = len(STORAGES[key]) if size is None else size
  told = (word('storage'), name('torch', KINDS[key]), word(key), word('cpu'))
  return sequence(*told, number(size), view) + b'Q'


def tensor(key, offset, shape, strides, **how):
  return call(
    name('torch._utils', '_rebuild_tensor_v2'),
    storage(key, **how),
    number(offset),
    sequence(*map(number, shape)),
    sequence(*map(number, strides)),
    b'\x89',  # False: no gradient
    EMPTY,
  )


def state(view=b'', **more):
  found = {
    'a.weight': tensor('7', 2, (3, 2), (1, 3), view=view),
    'count': tensor('9', 1, (), (), view=view),
    **more,
  }
  items = b''.join(word(k) + x for k, x in found.items())
  # PyTorch hangs its versions on the dict as an attribute.
  attribute = b'}(' + word('_metadata') + EMPTY + b'u'
  return b'\x80\x02' + EMPTY + b'(' + items + b'u' + attribute + b'b.'


def as_zip(path, pickled=None, order='little'):
  with zipfile.ZipFile(path, 'w') as f:
    f.writestr('some/data.pkl', state() if pickled is None else pickled)
    f.writestr('some/byteorder', order)
    for key, x in STORAGES.items():
      f.writestr(f'some/data/{key}', x.tobytes())


def as_legacy(path, pickled=None, order='little'):
  system = {'protocol_version': 1001, 'little_endian': order == 'little'}
  head = [0x1950A86A20F9469CFC6C, 1001, system]
  pickled = state(view=b'N') if pickled is None else pickled
  parts = [pickle.dumps(x, 2) for x in head]
  parts += [pickled, pickle.dumps(list(STORAGES), 2)]
  for x in STORAGES.values():
    parts += [struct.pack('<q', len(x)), x.tobytes()]
  path.write_bytes(b''.join(parts))


@pytest.fixture(params=[as_zip, as_legacy], ids=['zip', 'legacy'])
def layout(request):
  return request.param


def test_reads_what_the_format_says(tmp_path, layout):
  path = tmp_path / 'x.pth'
  layout(path)
  found = torch_checkpoint.read(path)
  assert list(found) == list(WANTED)
  for k, x in found.items():
    np.testing.assert_array_equal(x, WANTED[k])
    assert x.dtype == WANTED[k].dtype


@pytest.mark.parametrize(
  ('kind', 'dtype'),
  [
    ('Double', 'f8'), ('Float', 'f4'), ('Half', 'f2'), ('Long', 'i8'),
    ('Int', 'i4'), ('Short', 'i2'), ('Char', 'i1'), ('Byte', 'u1'),
  ],
)  # fmt: skip
def test_every_type_of_numbers(kind, dtype, tmp_path, layout, monkeypatch):
  numbers = np.arange(8).astype(dtype)
  monkeypatch.setitem(KINDS, '7', f'{kind}Storage')
  monkeypatch.setitem(STORAGES, '7', numbers)
  layout(tmp_path / 'x.pth')
  found = torch_checkpoint.read(tmp_path / 'x.pth')['a.weight']
  assert found.dtype == dtype
  np.testing.assert_array_equal(found, numbers[2:].reshape(2, 3).T)


def test_a_name_promises_a_digest(tmp_path, layout):
  path = tmp_path / 'x.pth'
  layout(path)
  digest = hashlib.sha256(path.read_bytes()).hexdigest()
  right = path.rename(tmp_path / f'x-{digest[:8]}.pth')
  assert set(torch_checkpoint.read(right)) == set(WANTED)
  wrong = right.rename(tmp_path / 'x-6726825d.pth')
  with pytest.raises(UserError, match=f'{digest[:8]}, not 6726825d'):
    torch_checkpoint.read(wrong)


FOREIGN = {
  'a command': call(name('os', 'system'), word('touch {}')),
  'an import': call(name('builtins', '__import__'), word('this')),
  'a deep one': call(name('torch._utils', '_rebuild_tensor_v2.__globals__')),
  'a new kind': name('torch', 'BFloat16Storage'),
  'another type': name('torch', 'Tensor'),
}


@pytest.mark.parametrize('what', FOREIGN)
def test_nothing_foreign_is_called(tmp_path, layout, what):
  path, touched = tmp_path / 'x.pth', tmp_path / 'touched'
  foreign = FOREIGN[what]
  if what == 'a command':
    foreign = call(name('os', 'system'), word(f'touch {touched}'))
  layout(path, state(evil=foreign))
  with pytest.raises(UserError, match='calls .* refused'):
    torch_checkpoint.read(path)
  assert not touched.exists()


@pytest.mark.parametrize(
  'more, message',
  [
    ({'step': number(3)}, 'something other than tensors by name'),
    ({'x': tensor('7', 3, (3, 2), (1, 3))}, 'beyond its storage'),
    ({'x': tensor('7', 0, (2,), (-1,))}, 'beyond its storage'),
    ({'x': tensor('7', -1, (2,), (1,))}, 'beyond its storage'),
    ({'x': tensor('7', 0, (2, 2), (1,))}, 'not an intact checkpoint'),
    ({'x': tensor('7', 0, (2,), (1,), size=100)}, 'numbers of 100'),
    ({'x': tensor('7', 0, (2,), (1,), view=number(1))}, 'something other'),
    (
      {'x': call(name('torch._utils', '_rebuild_tensor_v2'), *[number(0)] * 6)},
      'a tensor without numbers',
    ),
  ],
)
def test_what_does_not_fit(tmp_path, layout, more, message):
  path = tmp_path / 'x.pth'
  layout(path, state(**more))
  with pytest.raises(UserError, match=f'x.pth .*{message}'):
    torch_checkpoint.read(path)


def test_storages_of_one_name_and_two_types(tmp_path, layout, monkeypatch):
  # The reach of a tensor is measured on the numbers that are there.
  path = tmp_path / 'x.pth'
  wide = tensor('7', 0, (8,), (1,))
  monkeypatch.setitem(KINDS, '7', 'CharStorage')
  narrow = tensor('7', 0, (8,), (1,))
  layout(path, state(x=wide, y=narrow))
  with pytest.raises(UserError, match='in a storage'):
    torch_checkpoint.read(path)
  described = torch_checkpoint._describe(
    torch_checkpoint._Storage('7', '<f8', 8), 0, (8,), (1,)
  )
  found = torch_checkpoint._view(described, {'7': np.zeros(8, np.int8)})
  assert found.nbytes == 8


def test_every_cut_is_noticed(tmp_path, layout):
  path = tmp_path / 'x.pth'
  layout(path)
  whole = path.read_bytes()
  for size in range(0, len(whole) - 1, 7):
    path.write_bytes(whole[:size])
    with pytest.raises(UserError, match=r'^x\.pth ') as e:
      torch_checkpoint.read(path)
    assert '\n' not in str(e.value)


def test_garbage_never_gets_further_than_an_error(tmp_path, layout):
  path = tmp_path / 'x.pth'
  layout(path)
  whole, rng = path.read_bytes(), np.random.default_rng(0)
  for _ in range(300):
    damaged = bytearray(whole)
    for at in rng.integers(0, len(whole), 3):
      damaged[at] = rng.integers(256)
    path.write_bytes(damaged)
    try:
      found = torch_checkpoint.read(path)
    except UserError as e:
      assert '\n' not in str(e)
    else:
      assert all(isinstance(x, np.ndarray) for x in found.values())


def test_other_files(tmp_path, layout):
  path = tmp_path / 'x.pth'
  with pytest.raises(UserError, match='there is no file'):
    torch_checkpoint.read(path)
  layout(path, order='big')
  with pytest.raises(UserError, match='big-endian'):
    torch_checkpoint.read(path)
  path.write_bytes(pickle.dumps(collections.OrderedDict(a=1)))
  with pytest.raises(UserError, match='x.pth '):
    torch_checkpoint.read(path)
