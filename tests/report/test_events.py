"""Events as TensorBoard reads them: by the protobufs of another package."""

import io

import numpy as np
import PIL.Image
import pytest
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

from gan_jax.report import events


def opened(record):
  """What a record holds, its length and checksums being right."""
  length = int.from_bytes(record[:8], 'little')
  data = record[12 : 12 + length]
  assert len(record) == length + 16
  sums = [int.from_bytes(r, 'little') for r in (record[8:12], record[-4:])]
  assert sums == [masked_crc32c(record[:8]), masked_crc32c(data)]
  return data


def test_checksum_of_the_rfc():
  """RFC 3720, appendix B.4, and the check value of CRC-32C."""
  assert events.crc32c(b'123456789') == 0xE3069283
  assert events.crc32c(bytes(32)) == 0x8A9136AA
  assert events.crc32c(b'\xff' * 32) == 0x62A8AB43
  assert events.crc32c(b'') == 0


@pytest.mark.parametrize('step', [1, 127, 128, 300, 2**40])
def test_scalars_are_byte_for_byte_theirs(step):
  tag = '/d loss/seed_1'  # which is no name there
  their = Event(wall_time=1.5, step=step, summary=summary.scalar(tag, -2.5))
  own = opened(events.scalar(1.5, step, tag, -2.5))
  assert own == their.SerializeToString()


def test_pictures():
  pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
  record = events.picture(1.5, 7, 'samples', PIL.Image.fromarray(pixels))
  event = Event.FromString(opened(record))
  assert (event.step, event.wall_time) == (7, 1.5)
  (value,) = event.summary.value
  image = value.image
  assert value.tag == 'samples'
  assert (image.height, image.width, image.colorspace) == (20, 30, 3)
  shown = PIL.Image.open(io.BytesIO(image.encoded_image_string))
  np.testing.assert_array_equal(np.asarray(shown), pixels)


def test_the_beginning_of_a_file_and_of_what_is_written_again():
  first = Event.FromString(opened(events.version(2.5)))
  assert first == Event(wall_time=2.5, file_version='brain.Event:2')
  again = Event.FromString(opened(events.restart(2.5, 8)))
  start = SessionLog(status=SessionLog.START)
  assert again == Event(wall_time=2.5, step=8, session_log=start)
