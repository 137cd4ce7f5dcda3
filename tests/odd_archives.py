"""Archives by hand: .npz files that are damaged, lie, or mean harm."""

import io
import os
import struct
import zipfile

import numpy as np

X = np.zeros((4, 2), np.float32)
CONTENT = X.tobytes()


class Evil:
  """Unpickled, it makes a folder."""

  def __reduce__(self):
    return os.mkdir, ('unpickled',)


def npy(x) -> bytes:
  """An array as NumPy writes it."""
  buffer = io.BytesIO()
  np.save(buffer, x, allow_pickle=True)
  return buffer.getvalue()


def header(text: str, *, version=b'\1\0', content=CONTENT) -> bytes:
  """An .npy file with a header of one's own."""
  size = struct.pack('<H' if version == b'\1\0' else '<I', len(text))
  return b'\x93NUMPY' + version + size + text.encode() + content


def told(descr="'<f4'", shape='(4, 2)', order='False', **how) -> bytes:
  """An .npy file whose header says this of the array."""
  text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}\n"
  return header(text, **how)


def archive(*members, packing=zipfile.ZIP_DEFLATED) -> bytes:
  """A zip archive of (name, bytes)."""
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w', packing) as f:
    for name, content in members:
      f.writestr(name, content)
  return buffer.getvalue()


def of(x=X, **also) -> bytes:
  """What np.savez writes."""
  buffer = io.BytesIO()
  np.savez(buffer, x=x, **also)
  return buffer.getvalue()


def promising(size: int) -> bytes:
  """An archive whose only member says that it is so large when unpacked."""
  raw = bytearray(archive(('x.npy', told(shape=f'({size // 8}, 2)'))))
  for magic, at in ((b'PK\1\2', 24), (b'PK\3\4', 22)):
    place = raw.index(magic) + at
    raw[place : place + 4] = struct.pack('<I', min(size + 80, 2**32 - 2))
  return bytes(raw)


def encrypted() -> bytes:
  """An archive that says that its member is encrypted."""
  raw = bytearray(of())
  for magic, at in ((b'PK\1\2', 8), (b'PK\3\4', 6)):
    raw[raw.index(magic) + at] |= 1
  return bytes(raw)


def changed() -> bytes:
  """An archive with one byte of an array altered."""
  raw = bytearray(of(np.ones((4, 2), np.float32)))
  at = raw.index(np.float32(1).tobytes() * 8)
  raw[at + 4] ^= 1
  return bytes(raw)


def twice() -> bytes:
  """Two members of one name, as zipfile does not write them."""
  raw = archive(('x.npy', npy(X)), ('y.npy', npy(X)))
  return raw.replace(b'y.npy', b'x.npy')


# What each file is, and what the answer has to say.
HOSTILE = {
  'objects': (of(np.array([Evil(), 1], object)), 'Python objects'),
  'objects within': (
    of(np.array([(1, Evil())], [('a', 'f4'), ('b', 'O')])),
    'Python objects',
  ),
  'labels that are objects': (
    of(y=np.array([Evil()] * 4, object)),
    'Python objects',
  ),
  'a pickle': (archive(('x.npy', b'\x80\x04cos\nsystem\n.')), 'npz file'),
  'a call for a header': (
    archive(('x.npy', header("__import__('os').mkdir('made')\n"))),
    'npz file',
  ),
  'a traversal': (archive(('../../x.npy', npy(X))), 'path to elsewhere'),
  'a traversal beside x': (
    archive(('x.npy', npy(X)), ('a/../../y.npy', npy(X))),
    'path to elsewhere',
  ),
  'a traversal of Windows': (
    archive(('..\\x.npy', npy(X)), ('x.npy', npy(X))),
    'path to elsewhere',
  ),
  'an absolute path': (archive(('/tmp/x.npy', npy(X))), 'path to elsewhere'),
  'a drive': (archive(('C:\\x.npy', npy(X))), 'path to elsewhere'),
  'two of a name': (twice(), 'two members'),
  'encrypted': (encrypted(), 'not as NumPy packs it'),
  'bzip2': (
    archive(('x.npy', npy(X)), packing=zipfile.ZIP_BZIP2),
    'not as NumPy packs it',
  ),
  'lzma': (
    archive(('x.npy', npy(X)), packing=zipfile.ZIP_LZMA),
    'not as NumPy packs it',
  ),
  'a promise of 3 GB': (promising(3 * 2**30), 'npz file'),
  'a bomb of 2 GB': (archive(('x.npy', told(shape='(2**28, 2)'))), 'npz file'),
  'terabytes': (
    archive(('x.npy', told(shape='(1099511627776, 2)'))),
    'holds 32',
  ),
  'more than there are numbers': (
    archive(('x.npy', told(shape=f'({2**62}, {2**62})'))),
    'holds 32',
  ),
  'an item of a gigabyte': (
    archive(('x.npy', told("'|V1073741824'", '(1,)'))),
    'holds 32',
  ),
  'fewer numbers than said': (
    archive(('x.npy', told(shape='(5, 2)'))),
    'holds',
  ),
  'more numbers than said': (archive(('x.npy', told(shape='(3, 2)'))), 'holds'),
  'a negative shape': (archive(('x.npy', told(shape='(-4, -2)'))), 'npz file'),
  'a shape of halves': (archive(('x.npy', told(shape='(4.0, 2)'))), 'npz file'),
  'no shape': (archive(('x.npy', told(shape='None'))), 'npz file'),
  'a shape of truths': (archive(('x.npy', told(shape='(True, 8)'))), ''),
  'no such type': (archive(('x.npy', told("'<q9'"))), 'npz file'),
  'no type': (archive(('x.npy', told('None'))), 'npz file'),
  'an order of its own': (archive(('x.npy', told(order='3'))), 'npz file'),
  'no dict': (archive(('x.npy', header('[1, 2]\n'))), 'npz file'),
  'other keys': (archive(('x.npy', header("{'a': 1}\n"))), 'npz file'),
  'no header': (archive(('x.npy', header(''))), 'npz file'),
  'a long header': (archive(('x.npy', header('(' * 60_000))), 'npz file'),
  'a deep header': (archive(('x.npy', header('[' * 9_000))), 'npz file'),
  'a later version': (
    archive(('x.npy', told(version=b'\x09\0'))),
    'no header of an array',
  ),
  'text': (archive(('x.npy', b'hello')), 'npz file'),
  'nothing': (archive(('x.npy', b'')), 'npz file'),
  'no array': (archive(('notes.txt', b'hello')), 'no array `x`'),
  'no member': (archive(), 'no array `x`'),
  'an array alone': (npy(X), 'npz file'),
  'cut': (of()[:-30], 'npz file'),
  'half': (of(np.zeros((400, 2)))[:1000], 'npz file'),
  'empty': (b'', 'npz file'),
  'altered': (changed(), 'CRC'),
  'a zip of a zip': (archive(('x.npy', of())), 'npz file'),
  'an archive of tar': (b'x.npy' + bytes(95) + b'0000644\0' + bytes(2000), ''),
  'compressed': (b'\x1f\x8b\x08\0' + bytes(100), 'npz file'),
}
# What NumPy reads, and is no data set.
OTHER = {
  'complex': (of(X.astype(complex)), 'complex128'),
  'texts': (of(np.array([['a', 'b']] * 4)), '<U1'),
  'bytes': (of(np.array([[b'a', b'b']] * 4)), '|S1'),
  'dates': (of(np.zeros((4, 2), 'M8[s]')), 'datetime64'),
  'spans of time': (of(np.zeros((4, 2), 'm8[s]')), 'timedelta64'),
  'records': (of(np.zeros(4, [('a', 'f4')])), "'a'"),
  'raw memory': (of(np.zeros((4, 2), 'V3')), '|V3'),
  'no rows': (of(X[:0]), '[0, 2]'),
  'no rows of images': (of(np.zeros((0, 8, 8, 1), np.uint8)), '[0, 8, 8, 1]'),
  'no pixels': (of(np.zeros((4, 0, 8, 1), np.uint8)), '[4, 0, 8, 1]'),
  'a number': (of(np.float32(3)), '[]'),
  'a list': (of(np.zeros(8)), '[8]'),
  'points in space': (of(np.zeros((4, 3))), '[4, 3]'),
  'five axes': (of(np.zeros((2, 2, 2, 2, 1))), '[2, 2, 2, 2, 1]'),
  'five channels': (of(np.zeros((2, 8, 8, 5))), '[2, 8, 8, 5]'),
  'channels first': (of(np.zeros((2, 3, 8, 8))), '[2, 3, 8, 8]'),
  'inf': (of(X + np.inf), 'not finite'),
  'one NaN in images': (
    of(np.where(np.arange(64).reshape(1, 8, 8, 1) == 9, np.nan, 0)),
    'not finite',
  ),
  'one -inf': (of(X - np.array([0, np.inf], np.float32)), 'not finite'),
  'more than float32': (of(X.astype(float) + 1e300), 'not finite'),
  'NaN of 16 bits': (of(np.full((4, 2), np.nan, np.float16)), 'not finite'),
  'uint16': (of(np.full((2, 8, 8, 1), 65535, np.uint16)), '65535'),
  'below zero': (of(np.full((2, 8, 8, 1), -1, np.int8)), '[-1, -1]'),
  'floats to 255': (of(np.full((2, 8, 8, 1), 255.0)), '[-1, 1]'),
  'floats to 1.01': (of(np.full((2, 8, 8, 1), 1.01)), '[-1, 1]'),
  'fewer labels': (of(y=np.arange(3)), 'expected 4 labels'),
  'no labels': (of(y=np.arange(0)), 'expected 4 labels'),
  'one label': (of(y=np.int64(3)), 'expected 4 labels'),
  'labels in a column': (of(y=np.eye(4, 1, dtype=int)), 'expected 4 labels'),
  'vectors of others': (of(y=np.eye(3)), 'expected 4 conditions [N, C]'),
  'vectors of nothing': (of(y=np.zeros((4, 0))), 'expected 4 conditions'),
  'vectors with NaN': (of(y=np.full((4, 2), np.nan)), 'NaN or infinity'),
  'vectors too large': (of(y=np.full((4, 2), 1e99)), 'NaN or infinity'),
  'vectors of vectors': (of(y=np.zeros((4, 2, 2))), 'expected 4 labels'),
  'labels below zero': (of(y=np.array([0, -1, 1, 2])), 'down to -1'),
  'labels that are floats': (of(y=np.arange(4.0)), 'float64'),
  'labels that are NaN': (of(y=np.full(4, np.nan)), 'float64'),
  'labels that are complex': (of(y=np.zeros(4, complex)), 'complex128'),
  'labels that are dates': (of(y=np.zeros(4, 'M8[s]')), 'datetime64'),
}  # fmt: skip
