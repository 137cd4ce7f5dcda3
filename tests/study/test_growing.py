"""What a study of many cells and jobs does once, and not for each."""

import io
import json

import jax
import pytest

from gan_jax.game import optim
from gan_jax.game.health import diagnosis
from gan_jax.report import board
from gan_jax.run.config import recipe
from gan_jax.storage import files
from gan_jax.study import jobs, memory, schedule, status
from gan_jax.study.report import report
from tests.study.test_study_plan import clone, load  # noqa: F401

RATES = tuple(1e-3 * 1.1**k for k in range(12))


@pytest.fixture
def counted(monkeypatch):
  """count(module, name): the calls of a function, a list that grows."""

  def count(module, name):
    calls, real = [], getattr(module, name)
    spy = lambda *args, **kw: calls.append(args) or real(*args, **kw)
    monkeypatch.setattr(module, name, spy)
    return calls

  return count


def test_cells_that_differ_in_numbers_share_their_traces(tmp_path, counted):
  traced, read = counted(memory, '_bound'), counted(recipe, 'load')
  counts = []
  for rates in (RATES[:3], RATES):
    study = load(tmp_path, factors={'optim.g.learning_rate': rates})
    assert len(study.cells) == len(rates)
    schedule.schedule(study, tmp_path / f'runs{len(rates)}', workers=1)
    counts.append((len(traced), len(read)))
    del traced[:], read[:]
  assert counts == [(1, 1), (1, 1)]


def test_each_structure_is_measured(tmp_path, counted):
  """Those of other losses are other programs."""
  traced = counted(memory, '_bound')
  study = load(tmp_path, factors={'loss.name': ('hinge', 'lsgan', 'ragan')})
  schedule.schedule(study, tmp_path / 'runs', workers=1)
  assert len(traced) == 3


def test_each_optimizer_is_tried_once(tmp_path, counted, monkeypatch):
  monkeypatch.setattr(optim, '_fine', optim._Tried())
  monkeypatch.setattr(optim, '_traceable', optim._Tried())
  fine, traceable = counted(optim, '_check'), counted(optim, '_is_traceable')
  load(tmp_path, factors={'optim.g.learning_rate': RATES})
  # Each rate of G, D's own, and both of them while they were completed.
  assert len(fine) <= len(RATES) + 2
  assert len(traceable) <= 2


def test_an_optimizer_that_fails_fails_again():
  for _ in range(2):
    with pytest.raises(ValueError, match='clip_norm=-1'):
      optim.make_optimizer('adam', learning_rate=1e-3, clip_norm=-1.0)


def test_only_the_last_trials_are_kept():
  tried, calls = optim._Tried(), []
  for key in range(optim.KEPT + 1):
    tried.get((key,), lambda: calls.append(1))
  tried.get((optim.KEPT,), lambda: calls.append(1))
  assert len(calls) == optim.KEPT + 1
  tried.get((0,), lambda: calls.append(1))
  assert len(calls) == optim.KEPT + 2


def test_traced_numbers_are_not_tried(counted):
  tried = counted(optim, '_check')
  make = lambda rate: optim.make_optimizer('adam', learning_rate=rate).init(0.0)
  jax.eval_shape(make, 1e-3)
  assert not tried


@pytest.fixture
def running(tmp_path):
  """(status, finish): a study of four jobs; finish() ends the next one."""
  study = load(tmp_path, factors={'optim.g.learning_rate': RATES[:4]})
  workdir = tmp_path / 'runs'
  ids = schedule.schedule(study, workdir, workers=1)
  queue = jobs.Queue(workdir)
  left = [queue.jobs()[one] for one in ids]

  def finish():
    job = left.pop(0)
    folder = workdir / job.folder
    files.write_json(folder / 'config.json', {'seed': job.config['seed']})
    losses = [0.5] * len(job.runs)
    row = {'step': 5, 'd_loss': losses, 'g_loss': losses}
    (folder / 'metrics.jsonl').write_text(json.dumps(row) + '\n')
    fixed = {'status': 'finished', 'reason': '', 'steps': 5}
    rows = [
      {'run': run, 'seed': job.config['seed'] + i, 'scores': {'modes': 7.0}}
      for i, run in enumerate(job.runs)
    ]
    result = {'rows': [row | fixed for row in rows], 'seconds': 1.0}
    queue.finish(job, result)

  quiet = board.Board(stream=io.StringIO())
  return status.StudyStatus(study, workdir, ids, board=quiet), finish


def test_a_run_is_judged_once(running, counted):
  watched, finish = running
  judged = counted(diagnosis, 'diagnose')
  for _ in range(4):
    finish()
    watched.watch()
    assert len(judged) == 3  # the seeds of the one that has ended
    del judged[:]
  watched.write()
  assert not judged


def test_the_report_takes_a_share_of_the_time(running, counted, monkeypatch):
  watched, finish = running
  written = counted(report, 'write')
  monkeypatch.setattr(status, 'REPORT_SHARE', 1e-9)
  for _ in range(3):
    finish()
    watched.watch()
  assert len(written) == 1
  monkeypatch.setattr(status, 'REPORT_SHARE', 1e9)
  view = watched.write()  # the last one is never left out
  assert view.state == '9 of 12 runs' and len(written) == 2
  finish()
  watched.watch()
  assert len(written) == 3


def test_results_are_read_as_often_as_they_change(tmp_path):
  queue = jobs.Queue(tmp_path)
  job = jobs.Job('a', 'cell', ('r0',), 'folder', {'seed': 0})
  queue.add(job)
  queue.finish(job, {'seconds': 1.0})
  first, known = queue.results()['a'], queue.jobs()['a']
  assert queue.results()['a'] is first and queue.jobs()['a'] is known
  queue.finish(job, {'seconds': 2.0})
  assert queue.results()['a'] == {'seconds': 2.0}
  queue.add(job._replace(config={'seed': 1}))
  assert queue.jobs()['a'].config == {'seed': 1}
  queue.reopen(['a'])
  assert queue.results() == {}


def test_a_worker_has_a_config_of_its_own(tmp_path):
  queue = jobs.Queue(tmp_path)
  queue.add(jobs.Job('a', 'cell', ('r0',), 'folder', {'seed': 0}))
  queue.jobs()
  job, lease = queue.take(['a'])
  lease.__exit__()
  job.config['seed'] = 9
  assert queue.jobs()['a'].config == {'seed': 0}
