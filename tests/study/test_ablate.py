"""The ablation command: what it runs, what it does not, and what it leaves."""

import json
import pathlib
import shutil
import signal

import pytest

from gan_jax import ablate
from gan_jax.run import command, signals, training
from gan_jax.storage import files, leases
from gan_jax.study import jobs, memory, plan, results, schedule, worker
from tests.run.test_commands import contents
from tests.study.small import FAST, RATE, SLOW, SLOWER, USUAL, edit

pytestmark = pytest.mark.usefixtures('clone')
MEASURED = memory.seeds_that_fit


@pytest.fixture(autouse=True)
def two_fit(monkeypatch):
  """Two seeds into a program, unless a test wants that measured; it is slow."""
  two = lambda setup, *, most, limit: min(most, 2)
  monkeypatch.setattr(memory, 'seeds_that_fit', two)


@pytest.fixture
def measured(two_fit, monkeypatch):
  monkeypatch.setattr(memory, 'seeds_that_fit', MEASURED)


def is_rate(config, level):
  return [config['optim']['g']['learning_rate']] == list(level.values())


def test_a_study_leaves_its_rows_tables_and_one_workdir_a_cell(finished):
  _, workdir = finished
  rows = results.read(workdir / 'results.jsonl')
  assert [(r['cell'], r['seed']) for r in rows] == [
    ('usual', 0), ('usual', 1), ('fast', 0), ('fast', 1)
  ]  # fmt: skip
  for row in rows:
    assert row['status'] == 'finished' and row['steps'] == 8
    assert set(row['scores']) == {'modes'} and 'verdict' in row['health']
    records = json.loads((workdir / row['folder'] / 'scores.json').read_text())
    own = [r['value'] for r in records if r['seed'] == row['seed']]
    assert own == [row['scores']['modes']]
  assert rows[2]['overrides'] == {RATE: 4e-3}
  for name in ('table.md', 'table.csv', 'table.tex', 'report.html'):
    assert (workdir / name).stat().st_size > 0
  assert len({row['folder'] for row in rows}) == 2
  assert not list((workdir / 'jobs').glob('*.lease'))


def test_a_finished_study_runs_nothing_again(copied, trained):
  study, workdir = copied
  before = contents(workdir)
  view = ablate.ablate(study, workdir)
  assert trained == [] and view.state == 'done'
  changed = {k for k, v in contents(workdir).items() if before.get(k) != v}
  assert {pathlib.Path(k).name for k in changed} <= {
    'study.json', 'plan.json', 'results.jsonl', 'report.html', 'table.md',
    'table.csv', 'table.tex',
  }  # fmt: skip


def test_an_edited_study_keeps_what_is_still_valid(copied, trained):
  study, workdir = copied
  before = (workdir / 'results.jsonl').read_text().splitlines()
  edit(study, factors={RATE: FAST | SLOW}, num_seeds=4)
  view = ablate.ablate(study, workdir)
  assert trained == [
    ('fast', 2, 2, ('modes',)),
    ('slow', 0, 2, ('modes',)), ('slow', 2, 2, ('modes',)),
  ]  # fmt: skip
  rows = (workdir / 'results.jsonl').read_text().splitlines()
  assert rows[:2] == before[2:]
  assert len(rows) == 8 and view.state == 'done'
  # A cell of two trainings has one curve, with all four seeds in it.
  assert [len(row['d_loss']) for row in view.cells[0].rows if 'd_loss' in row]
  assert all(
    len(row['d_loss']) == 4 and None not in row['d_loss']
    for row in view.cells[0].rows
    if 'd_loss' in row
  )


def test_another_metric_is_scored_and_nothing_is_trained_again(copied, trained):
  study, workdir = copied
  state = lambda: {
    k: v for k, v in contents(workdir).items() if '/checkpoints/' in k
  }
  before = state()
  edit(study, also=('high_quality',))
  view = ablate.ablate(study, workdir)
  assert [call[3] for call in trained] == [('modes', 'high_quality')] * 2
  assert state() == before
  values = view.analyses['high_quality'].cells
  assert all(None not in spread.values for spread in values)


def test_a_neighbour_s_runs_are_used(copied, trained):
  study, workdir = copied
  other = edit(study, factors={RATE: SLOW | USUAL})
  view = ablate.ablate(other, workdir.parent / 'other')
  assert [call[0] for call in trained] == ['slow']
  rows = results.read(workdir.parent / 'other' / 'results.jsonl')
  assert rows[2]['folder'].startswith('../mine/usual-')
  assert view.cells[1].picture.exists() and view.cells[1].rows


def test_a_failed_run_is_told_and_stops_nothing(copied, monkeypatch, capsys):
  study, workdir = copied
  edit(study, factors={RATE: SLOW | SLOWER | USUAL})
  real = training.train

  def broken(config, folder, **options):
    if is_rate(config, SLOW):
      raise RuntimeError('out of\nluck')
    return real(config, folder, **options)

  monkeypatch.setattr(training, 'train', broken)
  with pytest.raises(ablate.Failed, match=r'slow.*RuntimeError: out of luck'):
    ablate.ablate(study, workdir)
  rows = results.read(workdir / 'results.jsonl')
  assert [r['cell'] for r in rows] == ['slower'] * 2 + ['usual'] * 2
  with pytest.raises(SystemExit) as leaving:
    command.run(
      ablate.main, ['ablate', f'--study={study}', f'--workdir={workdir}']
    )
  assert 'out of luck' in str(leaving.value.code)
  # It is tried again, and then it is done.
  monkeypatch.setattr(training, 'train', real)
  assert ablate.ablate(study, workdir).state == 'done'


def test_a_diverged_run_is_a_result(copied, trained):
  study, workdir = copied
  edit(study, factors={RATE: (1e30,)}, baseline=None, metric='modes')
  view = ablate.ablate(study, workdir)
  rows = view.cells[0].runs
  assert [row['status'] for row in rows] == ['diverged'] * 2
  assert [row['scores'] for row in rows] == [{}, {}]
  assert all(row['health']['verdict'] == 'diverged' for row in rows)
  assert view.failures[0].count == 2
  del trained[:]
  ablate.ablate(study, workdir)
  assert trained == []


def test_told_to_stop_it_leaves_and_goes_on(copied, monkeypatch):
  study, workdir = copied
  edit(study, factors={RATE: SLOW | SLOWER})
  real = training.train

  def interrupted(config, folder, **options):
    if is_rate(config, SLOWER):
      signal.raise_signal(signal.SIGTERM)
    return real(config, folder, **options)

  monkeypatch.setattr(training, 'train', interrupted)
  with pytest.raises(SystemExit) as leaving:
    command.run(
      ablate.main, ['ablate', f'--study={study}', f'--workdir={workdir}']
    )
  assert leaving.value.code == 128 + signal.SIGTERM
  assert not list((workdir / 'jobs').glob('*.lease'))
  monkeypatch.setattr(training, 'train', real)
  assert ablate.ablate(study, workdir).state == 'done'


def test_a_signal_late_in_a_run_ends_the_study(copied, monkeypatch, trained):
  study, workdir = copied
  edit(study, factors={RATE: SLOW | SLOWER})
  real = training.train

  def late(config, folder, **options):
    with signals.catch_signals():  # as in a run that has done its last step
      records = real(config, folder, **options)
      signal.raise_signal(signal.SIGTERM)
      return records

  monkeypatch.setattr(training, 'train', late)
  with pytest.raises(signals.Stopped):
    ablate.ablate(study, workdir)
  assert [call[0] for call in trained] == ['slow']
  assert len(jobs.Queue(workdir).results()) == 3  # slow has been kept


def test_a_full_disk_is_told_in_one_line_and_loses_nothing(
  copied, monkeypatch, capsys
):
  study, workdir = copied
  before = contents(workdir / 'jobs')
  edit(study, factors={RATE: SLOW | SLOWER})

  def full(config, folder, **options):
    raise ValueError('RESOURCE_EXHAUSTED: x: No space left on device')

  monkeypatch.setattr(training, 'train', full)
  with pytest.raises(SystemExit) as leaving:
    command.run(
      ablate.main, ['ablate', f'--study={study}', f'--workdir={workdir}']
    )
  line = str(leaving.value.code)
  assert line.startswith('error: the disk is full') and '\n' not in line
  after = contents(workdir / 'jobs')
  assert {k: after[k] for k in before} == before
  assert not jobs.Queue(workdir).failures()


def test_seeds_are_split_so_that_they_fit_and_workers_have_work(
  copied, measured
):
  study, workdir = copied
  edit(study, factors={'loss.name': ('hinge',)}, num_seeds=5)
  asked = plan.load(study)

  def chunks(**options):
    shutil.rmtree(workdir / 'jobs')
    ids = schedule.schedule(asked, workdir, **options)
    found = jobs.Queue(workdir).jobs()
    return [
      (found[i].config['seed'], found[i].config['num_seeds']) for i in ids
    ]

  assert chunks(workers=1) == [(0, 5)]
  assert chunks(workers=2) == [(0, 3), (3, 2)]
  assert chunks(workers=1, limit=1) == [(i, 1) for i in range(5)]


def test_a_job_that_was_begun_stays_as_it_is(copied, measured):
  study, workdir = copied
  edit(study, factors={'loss.name': ('hinge',)}, num_seeds=4)
  asked = plan.load(study)
  first = schedule.schedule(asked, workdir, workers=1)
  assert schedule.schedule(asked, workdir, workers=4) == first


def test_a_worker_does_what_the_plan_says(copied):
  study, workdir = copied
  edit(study, factors={RATE: SLOW}, num_seeds=4)
  ids = schedule.schedule(plan.load(study), workdir, workers=2)
  assert len(ids) == 2
  worker.main(['worker', f'--study={study}', f'--workdir={workdir}'])
  assert list(jobs.Queue(workdir).open(worker.planned_ids(workdir))) == []


def test_progress_lets_go_of_a_job_that_is_somebody_else_s(tmp_path):
  path = tmp_path / 'a.lease'
  job = jobs.Job('a', 'c', ('r',), 'f', {'steps': 3})
  with leases.Watcher().take(path) as lease:
    progress = worker.Progress(lease, job, tmp_path / 'log.txt')
    progress.advance(1)
    lease._beat()
    assert files.read_json(path)['step'] == 1
    path.write_text('{"token": "other"}')
    lease._beat()
    with pytest.raises(leases.Lost):
      progress.advance(2)


def test_the_time_left_is_that_of_what_was_done(copied):
  from gan_jax.report.board import Board
  from gan_jax.study.status import StudyStatus

  study, workdir = copied
  queue, asked = jobs.Queue(workdir), plan.load(study)
  ids = [one for one in queue.jobs()]
  for one in ids:  # 2 seeds of 8 steps each
    queue.finish(queue.jobs()[one], queue.results()[one] | {'seconds': 32.0})
  queue.reopen(ids[1:])
  status = StudyStatus(asked, workdir, ids, board=Board())
  assert status._seconds_left({}) == pytest.approx(32.0)
  told = {'pace': 0.5, 'step': 4, 'steps': 8, 'seeds': 2}  # 8 at .5 a second
  assert status._seconds_left({ids[1]: told}) == pytest.approx(16.0)
