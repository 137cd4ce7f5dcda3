"""Reports: what is written can be read back, survives kills and looks right."""

import base64
import glob
import hashlib
import html.parser
import io
import json
import math
import re
import struct

import numpy as np
import PIL.Image
import pytest

from gan_jax.report import (
  charts,
  console,
  gallery,
  page,
  pictures,
  text,
  writers,
)
from gan_jax.storage import files
from gan_jax.types import UserError

RING = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)


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


# Pictures


@pytest.mark.parametrize('shape', [(8, 8, 1), (28, 28, 1), (16, 32, 3)])
def test_grid_cell_k_is_sample_k(shape):
  height, width, channels = shape
  rng = np.random.default_rng(0)
  samples = rng.uniform(-1, 1, (10, *shape)).astype(np.float32)
  sheet = np.asarray(pictures.picture('image', samples))
  columns, scale = 4, 600 // (4 * width)
  gap = pictures.GAP
  assert sheet.shape == (
    3 * (height * scale + gap) + gap,
    columns * (width * scale + gap) + gap,
    3,
  )
  for k, sample in enumerate(samples):
    top = gap + k // columns * (height * scale + gap)
    left = gap + k % columns * (width * scale + gap)
    centre = scale // 2
    cell = sheet[top + centre :: scale, left + centre :: scale]
    cell = cell[:height, :width].astype(np.float64)
    expected = np.broadcast_to((sample + 1) * 127.5, (height, width, 3))
    assert abs(cell - expected).max() <= 0.51, k


def test_grid_takes_uint8_as_it_stands_and_nan_as_black():
  full = pictures.pixels(np.full((1, 2, 2, 1), 200, np.uint8))
  assert (full == 200).all()
  assert (pictures.pixels(np.full((1, 2, 2, 3), np.nan)) == 0).all()


def test_grid_labels_lie_beneath_the_images():
  samples = np.full((4, 8, 8, 1), -1.0)
  bare = np.asarray(pictures.grid(samples))
  named = np.asarray(pictures.grid(samples, labels=['cat', 'dog', 'a', 'b']))
  assert named.shape[0] == bare.shape[0] + 2 * pictures.CAPTION
  assert named[:300].max() < 60 < named[302 : 302 + pictures.CAPTION].max()


def _blue(image):
  """Centre of the accent-coloured pixels, [2] as (x, y)."""
  r, g, b = np.asarray(image, np.int32).transpose(2, 0, 1)
  return np.argwhere((b > 180) & (r < 140))[:, ::-1].mean(axis=0)


def test_scatter_axes_come_from_the_modes():
  modes = {'centers': RING, 'std': 0.01}
  there = [
    _blue(pictures.picture('point', np.full((50, 2), at), modes=modes))
    for at in (0.0, 0.5)
  ]
  few = _blue(pictures.picture('point', np.full((2, 2), 0.5), modes=modes))
  assert there[1][0] > there[0][0] + 50 and there[1][1] < there[0][1] - 50
  assert abs(few - there[1]).max() < 2
  with_nan = np.array([[0.0, 0.0], [np.nan, 1.0], [9.0, 9.0]])
  assert pictures.picture('point', with_nan, modes=modes).size == (600, 600)


@pytest.mark.parametrize('points', [np.zeros((4, 2)), np.full((4, 2), np.nan)])
def test_scatter_of_degenerate_points(points):
  image = pictures.picture('point', points, labels=[0, 1, 1, 0])
  assert image.size == (600, 600) and image.mode == 'RGB'


def test_chart_from_zero():
  rows = [{'step': 100 + k, 'a': 100.0 + k % 2} for k in range(1, 40)]
  line = charts.line('a', rows)
  assert '>0</text>' not in charts.chart('A', [line])
  assert '>0</text>' in charts.chart('A', [line], zero=True)


def test_unknown_kind_and_suffix_are_the_users_mistake(tmp_path):
  with pytest.raises(UserError, match="'image' and 'point'"):
    pictures.picture('smell', np.zeros((1, 2)))
  with pytest.raises(UserError, match='out.bmp'):
    pictures.save(tmp_path / 'out.bmp', PIL.Image.new('RGB', (2, 2)))


@pytest.mark.parametrize('suffix', ['.png', '.webp'])
def test_save_is_lossless(tmp_path, suffix):
  image = pictures.grid(np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)))
  pictures.save(tmp_path / f'out{suffix}', image)
  loaded = PIL.Image.open(tmp_path / f'out{suffix}').convert('RGB')
  assert (np.asarray(loaded) == np.asarray(image)).all()


def test_animation_of_at_most_so_many_frames(tmp_path):
  assert pictures.animate(tmp_path) is None
  for k in range(9):
    image = PIL.Image.new('RGB', (8, 8), (k * 28, 0, 0))
    pictures.save_step(tmp_path, 100 * k, image)
  path = pictures.animate(tmp_path, frames=5)
  assert path == tmp_path / 'progress.webp'
  with PIL.Image.open(path) as film:
    assert film.is_animated and film.n_frames == 5
    film.seek(0)
    assert film.convert('RGB').getpixel((4, 4))[0] < 20
    film.seek(4)
    assert film.convert('RGB').getpixel((4, 4))[0] > 200
  assert not list(tmp_path.glob('.*')), 'temporary files are left'


def test_later_step_pictures_are_dropped(tmp_path):
  for step in (100, 200, 300):
    pictures.save_step(tmp_path, step, PIL.Image.new('RGB', (2, 2)))
  pictures.drop_later(tmp_path, 200)
  names = [path.name for path in pictures.step_pictures(tmp_path)]
  assert names == ['step_00000100.png', 'step_00000200.png']


# Console


class _Terminal(io.StringIO):
  encoding = 'utf-8'

  def isatty(self):
    return True


def _report(stream, **kwargs):
  with console.Progress(1000, stream=stream, **kwargs) as progress:
    progress.advance(10)
    progress.scores(10, {'fid': [0.5, 1.0]})
    progress.report(
      50, {'d_loss': [1.0, 2.0], 'g_loss': 0.25, 'images_per_s': 4210.0}
    )
    progress.say('saved')


def test_progress_is_plain_lines_without_a_terminal():
  stream = io.StringIO()
  _report(stream)
  lines = stream.getvalue().splitlines()
  assert len(lines) == 3
  assert lines[1].startswith('step 50/1,000')
  for part in ('5%', '4,210 images/s', 'D 1.500', 'G 0.2500', 'fid 0.7500'):
    assert part in lines[1]
  assert not re.search(r'[\x00-\x09\x0b-\x1f\x7f]', stream.getvalue())


def test_progress_keeps_the_latest_scores():
  stream = io.StringIO()
  progress = console.Progress(10, stream=stream)
  progress.report(1, {}, scores={'fid': np.float32(0.5)})
  progress.report(2, {})
  progress.report(3, {'d_loss': 1.0, 'kid': 0.25}, scores={'mine': 2})
  tails = [line.split('  ')[-1] for line in stream.getvalue().splitlines()]
  assert tails == ['fid 0.5000', 'fid 0.5000', 'mine 2']


def test_progress_is_quiet_where_it_is_not_the_main_process():
  stream = io.StringIO()
  _report(stream, main=False)
  assert stream.getvalue() == ''


def test_progress_is_one_live_line_on_a_terminal(monkeypatch):
  monkeypatch.setenv('TERM', 'xterm-256color')
  monkeypatch.setenv('COLUMNS', '200')
  stream = _Terminal()
  _report(stream)
  shown = stream.getvalue()
  assert '\x1b[' in shown
  last = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', shown).rstrip().splitlines()[-1]
  assert 'step 50/1,000' in last and 'fid 0.7500' in last


def test_time_left_from_the_pace(monkeypatch):
  clock = iter([0.0, 10.0])
  monkeypatch.setattr(console.time, 'monotonic', lambda: next(clock))
  progress = console.Progress(1000, stream=io.StringIO())
  progress.advance(100)
  assert progress.seconds_left() is None
  progress.advance(300)
  assert progress.seconds_left() == pytest.approx(35.0)  # 700 at 20 a second


def _count(stream, monkeypatch, seconds, **kwargs):
  """A thousand more of 3,000 samples at each of the seconds, then words."""
  clock = iter([0.0, *seconds])
  monkeypatch.setattr(console.time, 'monotonic', lambda: next(clock))
  with console.Counter('samples', stream=stream, **kwargs) as counter:
    for k, _ in enumerate(seconds, 1):
      counter.tick(1000 * k, 3000)
    counter.say('done')
    counter.say('really')
  counter.close()
  return stream.getvalue()


def test_counter_is_a_line_every_ten_seconds_without_a_terminal(monkeypatch):
  said = _count(io.StringIO(), monkeypatch, [1.0, 11.0, 12.0, 22.0])
  assert (
    said == '2,000 of 3,000 samples\n4,000 of 3,000 samples\ndone\nreally\n'
  )
  assert _count(io.StringIO(), monkeypatch, [1.0]) == 'done\nreally\n'


def test_counter_is_one_line_that_is_wiped_on_a_terminal(monkeypatch):
  monkeypatch.setenv('TERM', 'xterm-256color')
  said = _count(_Terminal(), monkeypatch, [0.01, 0.2, 0.25, 0.4])
  wipe = '\r\x1b[K'
  assert said == (
    f'{wipe}2,000 of 3,000 samples{wipe}4,000 of 3,000 samples{wipe}'
    'done\nreally\n'
  )


@pytest.mark.parametrize('term', ['', 'dumb'])
def test_counter_does_not_move_the_cursor_of_what_is_no_terminal(
  term, monkeypatch
):
  monkeypatch.setenv('TERM', term)
  said = _count(_Terminal(), monkeypatch, [1.0, 11.0])
  assert said == '2,000 of 3,000 samples\ndone\nreally\n'


def test_counter_is_quiet_where_it_is_not_the_main_process(monkeypatch):
  monkeypatch.setenv('TERM', 'xterm')
  said = _count(_Terminal(), monkeypatch, [20.0, 40.0], main=False)
  assert said == ''


def test_counter_speaks_on_stderr(capsys):
  counter = console.Counter('samples')
  counter.say('a word')
  assert capsys.readouterr() == ('', 'a word\n')


# Charts


@pytest.mark.parametrize(
  'low, high', [(0, 1), (-3.2, 7.9), (1e-5, 2e-5), (0, 12345)]
)
def test_ticks_are_round_few_and_inside(low, high):
  found = charts.ticks(low, high)
  assert 2 <= len(found) <= 7
  assert low - 1e-9 <= found[0] and found[-1] <= high * (1 + 1e-9)
  mantissas = {
    f'{b - a:.2e}'[0] for a, b in zip(found, found[1:], strict=False)
  }
  assert mantissas <= {'1', '2', '5'}


def test_thinning_keeps_extremes():
  rows = [{'step': k, 'a': 1.0} for k in range(5000)]
  rows[2345]['a'] = 50.0
  thin = charts.line('a', rows).points
  assert len(thin) <= charts.POINTS
  assert max(point.high for point in thin) == 50.0


def test_a_value_that_is_no_number_is_a_gap():
  rows = [{'step': k, 'a': None if k == 2 else 1.0 * k} for k in range(5)]
  drawn = charts.chart('A', [charts.line('a', rows)])
  (path,) = re.findall(r'class="line s0" d="([^"]+)"', drawn)
  assert path.count('M') == 2


# Page

TAGS = ('figure', 'section', 'table', 'dl', 'details', 'svg', 'div', 'main')


class _Reader(html.parser.HTMLParser):
  """Collects tags, addresses and text; complains of what is not closed."""

  def __init__(self, document):
    super().__init__()
    self.open, self.urls, self.counts, self.texts = [], [], {}, []
    self.feed(document)
    assert not self.open, self.open

  def handle_starttag(self, tag, attrs):
    self.counts[tag] = self.counts.get(tag, 0) + 1
    self.urls += [v for k, v in attrs if k in ('src', 'href', 'xlink:href')]
    if tag in TAGS:
      self.open.append(tag)

  def handle_endtag(self, tag):
    if tag in TAGS:
      assert self.open.pop() == tag

  def handle_data(self, data):
    self.texts.append(data)


def _score(metric, value, seed, **also):
  protocol = {'features': 'classifier', 'n_real': 1797, 'n_fake': 2000}
  result = {'metric': metric, 'value': value, 'step': 200, 'seed': seed}
  return result | protocol | also


RECORDS = [
  _score('fid', 0.83124, 0),
  _score('fid', 0.91357, 1),
  _score('fid', 7.7531, 0, features='pixels'),
  _score('my_score', 0.4242, 0, k=5),
]
EVIL = '<script>alert(1)</script>"\'&'


@pytest.fixture
def workdir(tmp_path):
  files.write_json(
    tmp_path / 'config.json',
    {'steps': 200, 'num_seeds': 2, 'data': {'name': EVIL}, 'loss': {}},
  )
  files.write_json(tmp_path / 'manifest.json', {'classes': [EVIL], EVIL: 1})
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl')
  for step in (100, 200):
    lines.write(step, {'d_loss': [1.0, 1.5], 'g_loss': [0.5, 0.7], EVIL: 2.0})
    lines.write(step, {'fid': [50.0 / step, 60.0 / step]})
    picture = pictures.grid(np.full((4, 8, 8, 1), step / 200))
    pictures.save_step(tmp_path / 'samples', step, picture)
  lines.close()
  pictures.save(tmp_path / 'samples' / 'real.png', picture)
  pictures.animate(tmp_path / 'samples')
  records = [*RECORDS, _score(EVIL, 1.0, 0, reference=EVIL)]
  files.write_json(tmp_path / 'scores.json', records)
  return tmp_path


def test_page_is_whole_and_needs_nothing_from_outside(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  reader = _Reader(document)
  assert reader.counts['img'] == 4  # two steps, the animation, real ones
  assert reader.urls and all(u.startswith('data:image/') for u in reader.urls)
  assert not re.search(r'https?://|url\(|@import', document)
  assert 'link' not in reader.counts
  assert reader.counts['svg'] >= 2
  assert len(document) < 3_000_000


def test_page_escapes_what_comes_from_outside(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  assert '<script>alert' not in document
  assert _Reader(document).counts['script'] == 1
  assert '&lt;script&gt;alert(1)' in document


def test_page_holds_every_score_under_its_own_protocol(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  for record in RECORDS:
    assert f'<data value="{record["value"]}"' in document
  # classifier; pixels; the one with a reference
  assert document.count('class="card score"') == 3
  assert text.number((0.83124 + 0.91357) / 2) in document


def test_page_script_is_allowed_by_its_own_policy(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  (script,) = re.findall(r'<script>(.*?)</script>', document, re.DOTALL)
  digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  assert f"script-src 'sha256-{digest}'" in document


@pytest.mark.parametrize(
  'missing',
  ['config.json', 'manifest.json', 'metrics.jsonl', 'scores.json', 'samples'],
)
def test_page_without_one_piece(workdir, missing):
  path = workdir / missing
  path.rename(workdir.parent / f'{workdir.name}_{missing}')
  _Reader(page.write_page(workdir).read_text('utf-8'))


def test_page_of_nothing(tmp_path):
  document = page.write_page(tmp_path).read_text('utf-8')
  assert 'Not reported yet' in document


@pytest.mark.parametrize(
  'last, config, said',
  [
    ({'d_loss': 1.0}, {'steps': 200}, 'At step 100 of 200'),
    ({'d_loss': 1.0}, {'steps': 100}, 'Finished, 100 steps'),
    ({'d_loss': [None, 1.0]}, {'steps': 100}, '1 of 2 seeds'),
    (
      {'fid': [5.0, 7.0]},
      {'stop_when': {'metric': 'fid', 'below': 10.0}},
      'Fréchet distance below 10',
    ),
  ],
)
def test_page_says_how_the_run_stands(tmp_path, last, config, said):
  files.write_json(tmp_path / 'config.json', config)
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl')
  lines.write(100, last)
  lines.close()
  assert said in page.write_page(tmp_path).read_text('utf-8')


# Gallery


def _folder(tmp_path, *names, size=64):
  """A folder of pictures of noise, so that they need their bytes."""
  rng = np.random.default_rng(0)
  for name in names:
    noise = rng.integers(0, 256, (size, size, 3), np.uint8)
    pictures.save(tmp_path / name, PIL.Image.fromarray(noise))
  return tmp_path


def test_gallery_shows_the_nearest_neighbours(tmp_path):
  assert gallery.gallery(_folder(tmp_path, 'neighbours.png')) == ''
  bare = gallery.gallery(_folder(tmp_path, 'step_00000100.png'))
  assert bare.count('<img') == 2 and 'Nearest real examples' in bare
  (tmp_path / 'neighbours.png').unlink()
  without = gallery.gallery(tmp_path)
  assert without.count('<img') == 1 and 'Nearest' not in without
  _Reader(bare)


def test_gallery_shows_neighbours_that_are_new(tmp_path):
  _folder(tmp_path, 'step_00000100.png', 'neighbours.png')
  before = gallery.embed(tmp_path / 'neighbours.png')
  assert before in gallery.gallery(tmp_path)
  pictures.save(tmp_path / 'neighbours.png', PIL.Image.new('RGB', (64, 63)))
  after = gallery.embed(tmp_path / 'neighbours.png')
  assert after != before and after in gallery.gallery(tmp_path)


def test_neighbours_leave_less_room_for_the_animation(tmp_path, monkeypatch):
  folder = _folder(tmp_path, 'step_00000100.png', 'progress.webp')
  without = gallery.gallery(folder)
  assert 'class="film"' in without
  pictures_alone = len(gallery.embed(folder / 'step_00000100.png')) * 3 // 4
  film = (folder / 'progress.webp').stat().st_size
  monkeypatch.setattr(gallery, 'BUDGET', pictures_alone + film + 1000)
  assert 'class="film"' in gallery.gallery(folder)
  _folder(tmp_path, 'neighbours.png')
  shown = gallery.gallery(folder)
  assert 'class="film"' not in shown and 'Nearest real examples' in shown
