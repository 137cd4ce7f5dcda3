"""A long log in few rows: right, read once, and made again where it must be."""

import json
import math

import numpy as np
import pytest

from gan_jax.report import averaging, condensed, page, protocols, writers
from gan_jax.storage import files

STEPS = 700  # of long logs: 43 times as many rows as stay


@pytest.fixture
def small(monkeypatch):
  """Few rows are many."""
  monkeypatch.setattr(averaging, 'MOST', 16)
  monkeypatch.setattr(averaging, 'LEAST', 8)
  monkeypatch.setattr(averaging, 'AT_ONCE', 4)
  monkeypatch.setattr(condensed, 'OFTEN', 32)


@pytest.fixture
def parsed(monkeypatch):
  """The lines that have been parsed, a list that grows."""
  lines, real = [], files.row_of
  monkeypatch.setattr(
    files, 'row_of', lambda line: lines.append(line) or real(line)
  )
  return lines


def rows_of(count, *, seed=0, first=1):
  """Reports of two seeds; every fifth step is scored."""
  rng = np.random.default_rng(seed)
  for step in range(first, first + count):
    reported = rng.normal(size=4).tolist()
    yield {'step': step, 'd_loss': reported[:2], 'g_loss': reported[2:]}
    if step % 5 == 0:
      fid = rng.uniform(1, 2)
      yield {'step': step, 'fid': fid, 'fid_low': fid - 1, 'fid_high': fid + 3}


def write(workdir, rows):
  with open(workdir / 'metrics.jsonl', 'a') as log:
    log.writelines(json.dumps(row) + '\n' for row in rows)


def fresh(workdir, tmp_path_factory):
  """What is known of the same log by who has never seen it."""
  other = tmp_path_factory.mktemp('fresh')
  for name in ('metrics.jsonl', protocols.FILE):
    if (workdir / name).exists():
      (other / name).write_bytes((workdir / name).read_bytes())
  return condensed.of(other)


def test_few_rows_are_those_of_the_log(tmp_path):
  write(tmp_path, [*rows_of(800), {'step': 900, 'odd': [1.0, None, 2.0]}])
  reports = condensed.of(tmp_path)
  assert reports.rows == files.read_rows(tmp_path / 'metrics.jsonl')
  assert len(reports.rows) == 961 and reports.since == {}


def test_many_rows_keep_means_extremes_and_the_last(tmp_path, small):
  rows = list(rows_of(STEPS))
  write(tmp_path, rows)
  short = condensed.of(tmp_path).rows
  for name in ('d_loss', 'fid'):
    own = [row for row in rows if name in row]
    few = [row for row in short if name in row]
    assert 8 <= len(few) <= 18 and few[-1] == own[-1]
    assert [row['step'] for row in few] == sorted(row['step'] for row in few)
    at = 0
    for row in few[:-1]:
      part = own[
        at : next(i for i, r in enumerate(own) if r['step'] > row['step'])
      ]
      part = [one for one in part if one is not own[-1]]
      at += len(part)
      values = np.array([one[name] for one in part])
      np.testing.assert_allclose(row[name], values.mean(0), rtol=1e-12)
      low = [one.get(f'{name}_low', one[name]) for one in part]
      high = [one.get(f'{name}_high', one[name]) for one in part]
      np.testing.assert_array_equal(row[f'{name}_low'], np.min(low, 0))
      np.testing.assert_array_equal(row[f'{name}_high'], np.max(high, 0))
    assert at == len(own) - 1


def test_the_best_is_that_of_all_rows(tmp_path, small):
  rows = list(rows_of(STEPS))
  write(tmp_path, rows)
  best = condensed.of(tmp_path).best
  fids = [(row['fid'], row['step']) for row in rows if 'fid' in row]
  assert best['fid'].least == min(fids)
  assert best['fid'].most == max(fids) and best['fid'].last == fids[-1][0]
  losses = [(np.mean(r['d_loss']), r['step']) for r in rows if 'd_loss' in r]
  assert best['d_loss'].least == pytest.approx(min(losses))


def test_of_equal_scores_the_first_is_the_best(tmp_path):
  write(tmp_path, [{'step': s, 'fid': 2.0, 'is': 3.0} for s in (5, 6, 7)])
  best = condensed.of(tmp_path).best
  assert best['fid'].least == (2.0, 5) and best['is'].most == (3.0, 5)


def test_a_seed_without_a_number_has_no_mean_but_extremes(tmp_path, small):
  rows = [{'step': s, 'd_loss': [1.0 * s, 2.0]} for s in range(1, 41)]
  rows[3]['d_loss'] = [math.nan, 7.0]
  write(tmp_path, rows)
  first = condensed.of(tmp_path).rows[0]
  assert first['step'] == 4 and first['d_loss'] == [None, 3.25]
  assert first['d_loss_low'] == [1.0, 2.0]
  assert first['d_loss_high'] == [3.0, 7.0]


def test_wide_rows_become_fewer_earlier():
  narrow, wide = {'step': 1, 'a': 1.0}, {'step': 1, 'a': [1.0] * 400}
  assert averaging.most_rows(narrow) == averaging.MOST
  assert averaging.most_rows(wide) == 2 * (averaging.VALUES // 401 // 2)
  assert averaging.most_rows({'a': [1.0] * 10**5}) == averaging.LEAST


def test_what_is_known_is_not_read_again(tmp_path, small, parsed):
  log = condensed.Log(tmp_path)
  write(tmp_path, rows_of(STEPS))
  log.reports()
  assert len(parsed) == STEPS * 6 // 5
  for step in range(STEPS, STEPS + 50, 10):
    del parsed[:]
    write(tmp_path, rows_of(10, first=step + 1))
    log.reports()
    assert len(parsed) == 12
  # Another process finds it beside the log.
  del parsed[:]
  condensed.Log(tmp_path).reports()
  assert len(parsed) < condensed.OFTEN


def test_the_page_of_a_long_log_reads_what_is_new(tmp_path, small, parsed):
  write(tmp_path, rows_of(STEPS))
  page.write_page(tmp_path)
  before = len(parsed)
  document = page.write_page(tmp_path).read_text('utf-8')
  assert before == STEPS * 6 // 5 and len(parsed) == before
  best = condensed.of(tmp_path).best['fid']
  assert f'at step {best.least[1]:,}' in document


def test_whoever_only_looks_writes_nothing(tmp_path, small):
  write(tmp_path, rows_of(STEPS))
  condensed.of(tmp_path)
  assert [path.name for path in tmp_path.iterdir()] == ['metrics.jsonl']


def test_step_by_step_or_at_once(tmp_path, small, tmp_path_factory):
  log = condensed.Log(tmp_path)
  for row in rows_of(300):
    write(tmp_path, [row])
    log.reports()
  assert log.reports() == fresh(tmp_path, tmp_path_factory)


def test_half_a_line_waits_for_its_end(tmp_path, small):
  log = condensed.Log(tmp_path)
  write(tmp_path, rows_of(3))
  with open(tmp_path / 'metrics.jsonl', 'a') as file:
    file.write('{"step": 9, ')
    file.flush()
    assert log.reports().rows[-1]['step'] == 3
    file.write('"d_loss": 1}\n')
  assert log.reports().rows[-1] == {'step': 9, 'd_loss': 1}


@pytest.mark.parametrize('resume', [0, 20, 350, STEPS - 1, STEPS])
def test_a_resumed_run_writes_other_rows(
  tmp_path, small, resume, tmp_path_factory
):
  log = condensed.Log(tmp_path)
  write(tmp_path, rows_of(STEPS))
  log.reports()
  lines = writers.JsonLines(tmp_path / 'metrics.jsonl', resume)
  for row in rows_of(STEPS + 90 - resume, seed=1, first=resume + 1):
    lines.write(row.pop('step'), row)
  known = fresh(tmp_path, tmp_path_factory)
  assert log.reports() == known
  assert condensed.of(tmp_path) == known
  rows = files.read_rows(tmp_path / 'metrics.jsonl')
  scores = [(row['fid'], row['step']) for row in rows if 'fid' in row]
  assert known.best['fid'].least == min(scores)


def test_resuming_reads_what_follows_the_known(tmp_path, small, parsed):
  write(tmp_path, rows_of(STEPS))
  condensed.Log(tmp_path).reports()
  write(tmp_path, rows_of(10, first=STEPS + 1))
  whole = (tmp_path / 'metrics.jsonl').read_bytes()
  del parsed[:]
  writers.JsonLines(tmp_path / 'metrics.jsonl', STEPS)
  assert len(parsed) < condensed.OFTEN
  kept = (tmp_path / 'metrics.jsonl').read_bytes()
  assert whole.startswith(kept)
  assert json.loads(kept.splitlines()[-1])['step'] == STEPS


def test_resuming_leaves_out_what_is_no_row(tmp_path, small):
  write(tmp_path, rows_of(100))
  with open(tmp_path / 'metrics.jsonl', 'a') as log:
    log.write('nonsense\n')
  write(tmp_path, rows_of(100, first=101))
  condensed.Log(tmp_path).reports()
  writers.JsonLines(tmp_path / 'metrics.jsonl', 200)
  kept = files.read_rows(tmp_path / 'metrics.jsonl')
  assert len((tmp_path / 'metrics.jsonl').read_text().splitlines()) == 240
  assert kept == [*rows_of(100), *rows_of(100, first=101)]


def spoil(path, how):
  text = path.read_text()
  if how == 'gone':
    path.unlink()
  elif how == 'half':
    path.write_text(text[: len(text) // 2])
  elif how == 'other':
    path.write_text('{}')
  else:
    path.write_text(text.replace('"step"', '"stop"', 1))


@pytest.mark.parametrize('how', ['gone', 'half', 'other', 'changed'])
def test_what_is_damaged_is_made_again(tmp_path, small, how, tmp_path_factory):
  write(tmp_path, rows_of(STEPS))
  condensed.Log(tmp_path).reports()
  path = tmp_path / condensed.FILE
  before = path.read_bytes()
  spoil(path, how)
  known = condensed.Log(tmp_path).reports()
  assert known == fresh(tmp_path, tmp_path_factory)
  assert path.read_bytes() == before


def test_a_log_of_another_run_is_read_anew(tmp_path, small, tmp_path_factory):
  log = condensed.Log(tmp_path)
  write(tmp_path, rows_of(STEPS))
  log.reports()
  (tmp_path / 'metrics.jsonl').unlink()
  assert log.reports().rows == []
  write(tmp_path, rows_of(STEPS + 50, seed=3))
  known = fresh(tmp_path, tmp_path_factory)
  assert log.reports() == known == condensed.of(tmp_path)


def test_scores_of_two_protocols_are_not_averaged(tmp_path, small):
  change = STEPS // 2 + 3
  spans = {'fid': [[5, 'a'], [change, 'b']]}
  log = condensed.Log(tmp_path)
  write(tmp_path, rows_of(change - 1))
  log.reports()
  (tmp_path / protocols.FILE).write_text(json.dumps(spans))
  later = [row | {'fid': 50.0} if 'fid' in row else row for row in rows_of(100)]
  write(tmp_path, [row | {'step': row['step'] + change} for row in later])
  reports = log.reports()
  scored = [row for row in reports.rows if 'fid' in row]
  assert reports.since == {'fid': change} and scored
  assert {row['fid'] for row in scored} == {50.0}
  assert reports.best['fid'].least == (50.0, change + 5)
  assert reports == condensed.of(tmp_path)


def test_a_protocol_noted_late_parts_what_was_together(
  tmp_path, small, tmp_path_factory
):
  log = condensed.Log(tmp_path)
  write(tmp_path, rows_of(STEPS))
  log.reports()
  spans = {'fid': [[5, 'a'], [333, 'b']]}
  (tmp_path / protocols.FILE).write_text(json.dumps(spans))
  assert log.reports() == fresh(tmp_path, tmp_path_factory)
