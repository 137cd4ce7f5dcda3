"""Sound as .wav files: read whatever PCM there is, written as 16 bits."""

import io
import struct
import warnings
import wave

import numpy as np

# What reading a damaged or foreign file raises.
UNREADABLE = (
  OSError, ValueError, EOFError, struct.error, TypeError, NameError,
  ArithmeticError, LookupError, MemoryError,
)  # fmt: skip
FULL = 2**15  # the level beyond the loudest of 16 bits


def levels(samples: np.ndarray) -> np.ndarray:
  """[-1, 1] -> int16, rounded; clipped beyond, silent where not a number."""
  if samples.dtype == np.int16:
    return samples
  x = np.nan_to_num(samples.astype(np.float32), posinf=0, neginf=0)
  return np.rint(np.clip(x * FULL, -FULL, FULL - 1)).astype(np.int16)


def encoded(x: np.ndarray, rate: int) -> bytes:
  """A mono file of 16 bits: x [T] as `levels` takes it, samples a second."""
  buffer = io.BytesIO()
  with wave.open(buffer, 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(rate)
    file.writeframes(levels(x).astype('<i2').tobytes())
  return buffer.getvalue()


def read(path) -> tuple[np.ndarray, int, int]:
  """Reads a file of 8, 16, 24 or 32 bits, or of floats.

  Returns:
    (x [T, channels] float32 in [-1, 1], samples a second, bits).

  Raises:
    one of UNREADABLE: damaged, compressed, or not a .wav file.
  """
  import scipy.io.wavfile

  with warnings.catch_warnings():
    # Of chunks that are no sound, and of an end that comes too soon.
    warnings.simplefilter('ignore', scipy.io.wavfile.WavFileWarning)
    rate, x = scipy.io.wavfile.read(path)
  if not rate > 0:
    raise ValueError(f'a sample rate of {rate}')
  x = x.reshape(len(x), -1)
  if not x.size:
    raise ValueError('no sound in it')
  if x.dtype.kind == 'f':
    return x.astype(np.float32), rate, 8 * x.dtype.itemsize
  if x.dtype == np.uint8:  # 8 bits have their silence at 128
    return (x.astype(np.float32) - 128) / 128, rate, 8
  # SciPy leaves 24 bits in the upper ones of 32.
  bits = 8 * x.dtype.itemsize
  return (x / 2.0 ** (bits - 1)).astype(np.float32), rate, bits
