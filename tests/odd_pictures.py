"""Picture files by hand: what no program writes, or none should."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

ADAM7 = (
  (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
  (0, 1, 2, 2), (1, 0, 2, 1),
)  # fmt: skip
COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's number of a kind, by channels


def chunk(kind: bytes, content: bytes) -> bytes:
  """A chunk of a PNG file."""
  crc = zlib.crc32(kind + content)
  return (
    struct.pack('>I', len(content)) + kind + content + struct.pack('>I', crc)
  )


def png(x, *, size=None, interlaced=False, also=b'', packed=None) -> bytes:
  """A PNG file.

  Args:
    x: [H, W, C] uint8 or uint16.
    size: (width, height) that the header tells; that of x by default.
    interlaced: in the seven passes of Adam7.
    also: chunks before the pixels.
    packed: what the pixels' chunk holds, in place of x.
  """
  height, width, channels = x.shape
  passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
  lines = [
    b'\0' + row.tobytes()
    for y, left, down, right in passes
    for row in x.astype(x.dtype.newbyteorder('>'))[y::down, left::right]
    if row.size
  ]
  packed = zlib.compress(b''.join(lines)) if packed is None else packed
  told = (*(size or (width, height)), 8 * x.itemsize, COLOURS[channels])
  header = struct.pack('>IIBBBBB', *told, 0, 0, int(interlaced))
  return (
    b'\x89PNG\r\n\x1a\n'
    + chunk(b'IHDR', header)
    + also
    + chunk(b'IDAT', packed)
    + chunk(b'IEND', b'')
  )


def saved(image, kind: str, **options) -> bytes:
  """The bytes of a Pillow image in some format."""
  buffer = io.BytesIO()
  image.save(buffer, kind, **options)
  return buffer.getvalue()


def noise(mode='RGB', size=(8, 8)):
  """A Pillow image of noise."""
  channels = len(Image.new(mode, (1, 1)).getbands())
  shape = (*size[::-1], channels) if channels > 1 else size[::-1]
  x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
  return Image.fromarray(x, mode=None if channels < 4 else mode)


def broken() -> dict[str, bytes]:
  """Files by name that are no pictures, damaged, or too large."""
  x = np.asarray(noise())
  whole = {
    'png': png(x),
    'jpg': saved(noise(size=(64, 64)), 'JPEG'),
    'gif': saved(noise('L', (64, 64)), 'GIF'),
    'webp': saved(noise(size=(64, 64)), 'WEBP', lossless=True),
    'bmp': saved(noise(size=(64, 64)), 'BMP'),
  }
  damaged = bytearray(whole['png'])
  damaged[-20] ^= 255  # within the pixels
  jpeg, bmp = bytearray(whole['jpg']), bytearray(whole['bmp'])
  at = jpeg.index(b'\xff\xc0')
  jpeg[at + 5 : at + 9] = b'\xff\xdc\xff\xdc'
  bmp[18:26] = struct.pack('<ii', 10**5, 10**5)
  found = {f'empty.{end}': b'' for end in whole}
  found |= {f'cut.{end}': raw[: len(raw) // 2] for end, raw in whole.items()}
  found |= {f'begun.{end}': raw[:10] for end, raw in whole.items()}
  found |= {
    'text.png': b'no picture at all',
    'text.jpg': b'no picture at all' * 99,
    'page.gif': b'<html><script>alert(1)</script></html>',
    'zeros.webp': bytes(1000),
    'archive.png': b'PK\x03\x04' + bytes(100),
    'damaged.png': bytes(damaged),
    'none.png': png(x, size=(0, 8)),
    'negative.png': png(x, size=(2**32 - 1, 8)),
    'no_pixels.png': png(x, packed=b''),
    'no_zlib.png': png(x, packed=b'no zlib'),
    'bomb.png': png(x, size=(60_000, 60_000)),
    'large.png': png(x, size=(9_000, 9_000)),  # Pillow only warns
    'bomb.jpg': bytes(jpeg),
    'bomb.bmp': bytes(bmp),
    'bomb.gif': b'GIF89a' + b'\xff' * 4 + whole['gif'][10:],
    'text_bomb.png': png(
      x, also=chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(10**8)))
    ),
    'profile_bomb.png': png(
      x, also=chunk(b'iCCP', b'a\0\0' + zlib.compress(bytes(10**8)))
    ),
    'painting.png': saved(noise(), 'TGA'),
    'script.png': saved(noise(), 'EPS'),
    'portable.png': saved(noise(), 'SGI'),
    'document.jpg': saved(noise(), 'PDF'),
    'icon.bmp': saved(noise(size=(16, 16)), 'ICO'),
  }
  return found
