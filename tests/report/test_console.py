"""The progress of a run on a terminal and elsewhere."""

import io
import re

import numpy as np
import pytest

from gan_jax.report import console


class _Terminal(io.StringIO):
  encoding = 'utf-8'

  def isatty(self):
    return True


def _report(stream, **kwargs):
  with console.Progress(1000, stream=stream, **kwargs) as progress:
    progress.advance(10)
    progress.scores(10, {'fid': [0.5, 1.0]})
    progress.report(
      50, {'d_loss': [1.0, 2.0], 'g_loss': 0.25, 'samples_per_s': 4210.0}
    )
    progress.say('saved')


def test_progress_is_plain_lines_without_a_terminal():
  stream = io.StringIO()
  _report(stream)
  lines = stream.getvalue().splitlines()
  assert len(lines) == 3
  assert lines[1].startswith('step 50/1,000')
  for part in ('4,210 samples/s', 'D 1.500', 'G 0.2500', 'fid 0.7500'):
    assert part in lines[1]
  assert not re.search(r'[\x00-\x09\x0b-\x1f\x7f]', stream.getvalue())


def test_progress_keeps_the_latest_scores():
  stream = io.StringIO()
  progress = console.Progress(10, stream=stream)
  progress.report(1, {}, scores={'fid': np.float32(0.5)})
  progress.report(2, {})
  progress.report(3, {'d_loss': 1.0, 'kid': 0.25}, scores={'mine': 2})
  tails = [line.split('  ')[-1] for line in stream.getvalue().splitlines()]
  assert tails == ['fid 0.5000', 'fid 0.5000', 'D 1']


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


PARTS = {'d_loss': 1.25, 'g_loss': 0.75, 'samples_per_s': 12345.0}


@pytest.mark.parametrize('width', [60, 80, 100, 120, 200])
def test_the_score_is_whole_at_any_width(width, monkeypatch):
  monkeypatch.setenv('TERM', 'xterm-256color')
  monkeypatch.setenv('COLUMNS', str(width))
  stream = _Terminal()
  with console.Progress(100_000, stream=stream) as progress:
    progress.advance(10)
    progress.report(99_999, PARTS, scores={'precision': 0.8765})
  shown = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', stream.getvalue())
  last = shown.rstrip().splitlines()[-1].split('\r')[-1]
  assert 'step 99,999/100,000  precision 0.8765' in last
  assert '…' not in last and len(last) <= width
  assert ('12,345 samples/s' in last) == (width >= 80)


def test_whole_parts_are_left_out():
  parts = ['step 1/9', 'fid 12.50', 'D 1.000', 'G 1.000']
  assert console.fitting(parts, 40) == parts
  assert console.fitting(parts, 28) == parts[:3]
  assert console.fitting(parts, 19) == parts[:2]
  assert console.fitting(parts, 12) == ['fid 12.50']


def test_compiling_is_said_until_the_first_step(monkeypatch):
  monkeypatch.setattr(console.time, 'monotonic', lambda: 7.0)
  progress = console.Progress(9, stream=io.StringIO())
  monkeypatch.setattr(console.time, 'monotonic', lambda: 19.0)
  assert list(progress._parts()) == ['step 0/9', 'compiling, 12 s']
  progress.advance(1)
  assert list(progress._parts()) == ['step 1/9']
  with progress.waits_for('scoring'):
    monkeypatch.setattr(console.time, 'monotonic', lambda: 22.0)
    assert list(progress._parts()) == ['step 1/9', 'scoring, 3 s']
  assert list(progress._parts()) == ['step 1/9']


def test_compiling_is_said_without_a_terminal_too(monkeypatch):
  monkeypatch.setattr(console.time, 'monotonic', lambda: 7.0)
  stream = io.StringIO()
  progress = console.Progress(9, start=2, stream=stream)
  progress.advance(2)  # nothing has been compiled
  progress.compiles()
  assert stream.getvalue() == 'compiling\n'
  monkeypatch.setattr(console.time, 'monotonic', lambda: 19.25)
  progress.advance(3)
  progress.advance(4)
  assert stream.getvalue() == 'compiling\ncompiled in 12.2 s\n'


def test_on_a_terminal_the_live_line_says_so(monkeypatch):
  monkeypatch.setenv('TERM', 'xterm-256color')
  monkeypatch.setenv('COLUMNS', '200')
  stream = _Terminal()
  with console.Progress(9, stream=stream) as progress:
    progress.compiles()
    progress.advance(1)
  assert 'compiled in' not in stream.getvalue()


@pytest.mark.parametrize('width', [40, 60, 100])
def test_what_it_waits_for_is_said_however_many_scores_there_are(
  width, monkeypatch
):
  monkeypatch.setattr(console.time, 'monotonic', lambda: 7.0)
  names = ('fid', 'precision', 'recall', 'density', 'coverage', 'vendi')
  progress = console.Progress(900, stream=io.StringIO())
  progress.scores(100, dict.fromkeys(names, 0.123))
  metrics = {'d_loss': 1.0, 'g_loss': 1.0, 'samples_per_s': 9.0}
  progress.report(100, metrics)
  with progress.waits_for('scoring'):
    line = '  '.join(console.fitting(list(progress._parts()), width))
  assert line.startswith('step 100/900  fid 0.1230  scoring, 0 s')
  assert len(line) <= width


@pytest.mark.parametrize(
  'score, shown',
  [
    ({'kid': -9.5, 'kid_low': -88., 'kid_high': 69.}, 'kid -9.500 (-88 to 69)'),
    ({'kid': 5.0, 'kid_low': 4.0, 'kid_high': 6.0}, 'kid 5'),
    ({'kid': [-1.0, 3.0], 'kid_low': [-4.0, 1.0], 'kid_high': [2.0, 5.0]},
     'kid 1 (-1 to 3)'),
    ({'fid': 0.25, 'fid_low': 0.0, 'fid_high': 1.0}, 'fid 0.2500 (0 to 1)'),
    ({'kid': 2.0, 'kid_low': None, 'kid_high': None}, 'kid 2'),
    ({'recall': 0.0, 'recall_low': 0.0, 'recall_high': 0.0}, 'recall 0'),
    ({'mine': -3.0}, 'mine -3'),
  ],
)  # fmt: skip
def test_what_may_be_zero_has_its_interval_on_the_line(score, shown):
  stream = io.StringIO()
  console.Progress(9, stream=stream).scores(2, score)
  assert stream.getvalue() == f'step 2  scores  {shown}\n'


def test_time_left_from_the_pace(monkeypatch):
  clock = iter([0.0, 0.0, 10.0])
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


def test_slow_work_is_said_every_ten_seconds(monkeypatch):
  clock, said = [100.0], []
  monkeypatch.setattr(console.time, 'monotonic', lambda: clock[0])
  work = console.SlowWork('samples drawn', said.append)
  for done in range(1, 41):  # a second each
    work(done * 256, 40 * 256)
    clock[0] += 1
  assert said == [
    f'{done * 256:,} of 10,240 samples drawn' for done in (11, 21, 31)
  ]
  said.clear()
  for _ in range(5):  # five pieces of five seconds
    for done in (1, 2, 3, 4, 5):
      work(done, 5)
      clock[0] += 1
  assert said == []
