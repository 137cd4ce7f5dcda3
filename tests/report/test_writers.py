"""Numbers in words, JSON lines, JSON documents and TensorBoard events."""

import glob
import io
import json
import math
import struct

import numpy as np
import PIL.Image
import pytest

from gan_jax.report import text, writers
from gan_jax.storage import files


def _rows(path):
  return [json.loads(line) for line in path.read_text().splitlines()]


# Values


@pytest.mark.parametrize(
  'value, shown',
  [
    (0.83124, '0.8312'),
    (12.0, '12'),
    (12345.6, '12,346'),
    (1e-7, '1.00e-07'),
    (math.nan, '–'),
    (None, '–'),
  ],
)
def test_number(value, shown):
  assert text.number(value) == shown


@pytest.mark.parametrize(
  'seconds, shown', [(42.4, '0:42'), (185, '3:05'), (7385, '2:03:05')]
)
def test_duration(seconds, shown):
  assert text.duration(seconds) == shown


def test_plain_keeps_float32_short_and_exact():
  assert files.plain(np.float32(0.1)) == 0.1
  values = np.random.default_rng(0).normal(size=50).astype(np.float32)
  assert (np.array(files.plain(values), np.float32) == values).all()


# Writers


def test_json_lines_are_strict_and_keep_seeds(tmp_path):
  lines = writers.JsonLines(tmp_path / 'm.jsonl')
  lines.write(1, {'a': np.float32(np.nan), 'b': np.array([1.5, np.inf])})
  lines.write(2, {'one_seed': np.array([2.5], np.float32)})
  # Not closed: every line must already be there for others to read.
  assert _rows(tmp_path / 'm.jsonl') == [
    {'step': 1, 'a': None, 'b': [1.5, None]},
    {'step': 2, 'one_seed': 2.5},
  ]
  lines.close()


def test_json_lines_resume_drops_later_rows_and_a_half_line(tmp_path):
  path = tmp_path / 'm.jsonl'
  whole = ''.join(f'{{"step": {k}, "a": {k}}}\n' for k in (10, 20, 30))
  path.write_text(whole + '{"step": 15, "a": 1')
  lines = writers.JsonLines(path, 20)
  lines.write(30, {'a': -1})
  lines.close()
  assert [(row['step'], row['a']) for row in _rows(path)] == [
    (10, 10),
    (20, 20),
    (30, -1),
  ]


def test_json_lines_drop_a_valid_line_without_its_newline(tmp_path):
  # 12 may be all that was written of 123.
  path = tmp_path / 'm.jsonl'
  path.write_text('{"step": 1, "a": 1}\n{"step": 2}')
  writers.JsonLines(path).close()
  assert _rows(path) == [{'step': 1, 'a': 1}]


def test_write_json_failing_leaves_the_old_file_alone(tmp_path, monkeypatch):
  path = tmp_path / 'scores.json'
  files.write_json(path, [{'value': math.inf}])
  assert json.loads(path.read_text()) == [{'value': None}]

  def fail(*_):
    raise OSError('disk full')

  monkeypatch.setattr(writers.os, 'replace', fail)
  with pytest.raises(OSError, match='disk full'):
    files.write_json(path, [])
  assert json.loads(path.read_text()) == [{'value': None}]
  assert [p.name for p in tmp_path.iterdir()] == ['scores.json']


def _events(directory):
  """All events of a folder, read by the record format itself."""
  from tensorboardX.proto.event_pb2 import Event

  for name in sorted(glob.glob(f'{directory}/events.*')):
    with open(name, 'rb') as file:
      while head := file.read(12):
        (length,) = struct.unpack('<Q', head[:8])
        yield Event.FromString(file.read(length))
        file.read(4)


def test_tensorboard_events(tmp_path):
  board = writers.TensorBoard(tmp_path)
  board.write(5, {'d_loss': np.array([1.0, 3.0]), 'fid': 0.5, 'bad': np.nan})
  board.picture(5, PIL.Image.new('RGB', (4, 3), (255, 0, 0)))
  # Read before it is closed: a killed run keeps what was reported.
  values = [v for event in _events(tmp_path) for v in event.summary.value]
  board.close()
  scalars = {v.tag: v.simple_value for v in values if v.tag != 'samples'}
  assert scalars == {
    'd_loss': 2.0,
    'd_loss/seed_0': 1.0,
    'd_loss/seed_1': 3.0,
    'fid': 0.5,
  }
  (image,) = [v.image for v in values if v.tag == 'samples']
  shown = PIL.Image.open(io.BytesIO(image.encoded_image_string))
  assert shown.size == (4, 3) and shown.getpixel((0, 0)) == (255, 0, 0)


def test_tensorboard_resume_purges_what_is_written_again(tmp_path):
  writers.TensorBoard(tmp_path, 7).close()
  starts = [e.step for e in _events(tmp_path) if e.HasField('session_log')]
  assert starts == [8]
