"""A score that cannot be computed costs only itself."""

import json
from importlib import metadata

import numpy as np
import pytest

import gan_jax
from gan_jax.metrics import compute, measures, records, scores
from gan_jax.report import lines
from gan_jax.run import neighbours, score_failures, scoring
from gan_jax.study import worker
from gan_jax.types import UserError
from tests.run.hooks_room import METRICS, outcome

UNEXPECTED = [
  RuntimeError('out of memory'),
  metadata.PackageNotFoundError('gan_jax'),
  OSError(5, 'Input/output error', 'cifar10/train.npz'),
  ZeroDivisionError('division by zero'),
]


@pytest.mark.parametrize('then', ['report', 'score', 'save', 'tick', 'finish'])
@pytest.mark.parametrize('where', ['fails', 'unready'])
def test_an_error_beside_the_training_costs_no_checkpoint(then, where, room):
  error = UNEXPECTED[len(then) % len(UNEXPECTED)]
  setattr(room, where, error)
  at, checkpoints = room.open()
  with checkpoints, pytest.raises(score_failures.Failed) as caught:
    with at:
      assert at.score(2, room.state(2)) is False
      at.save(2, room.state(2))
      setattr(room, where, None)
      if then in ('report', 'score', 'save', 'tick'):
        more = {'report': (METRICS,), 'tick': ()}.get(then, ())
        state = () if then == 'tick' else (room.state(3),)
        getattr(at, then)(3, *more, *state)
      at.finish(outcome(room, 4), lambda: None)
  assert type(error).__name__ in str(caught.value)
  assert 'score_errors.txt' in str(caught.value)
  assert type(error).__name__ in (room.workdir / 'score_errors.txt').read_text()
  assert room.saved()[2] is None
  kept = json.loads((room.workdir / 'scores.json').read_text())
  assert {r['step'] for r in kept} == {4}  # the last score was computed


def test_what_a_metric_refuses_is_no_failure_of_the_run(room, capsys):
  room.fails = UserError('prdc: at least 6 examples needed, got 5')
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    at.save(2, room.state(2))
    at.score(4, room.state(4))
    assert at.finish(outcome(room, 4), lambda: None) == []
  assert capsys.readouterr().out.count('no score') == 1  # said once
  assert room.saved() == {2: None}
  assert not (room.workdir / 'score_errors.txt').exists()


def test_a_picture_that_fails_costs_no_scores(room, monkeypatch):
  def fails(*args, **kwargs):
    raise MemoryError('features of 50,000 pictures')

  monkeypatch.setattr(neighbours, 'save', fails)
  at, checkpoints = room.open()
  with checkpoints, pytest.raises(score_failures.Failed, match='MemoryError'):
    with at:
      at.finish(outcome(room, 4), lambda: None)
  kept = json.loads((room.workdir / 'scores.json').read_text())
  assert {r['step'] for r in kept} == {4}


def broken(error):
  """A metric of one's own with an error in it."""

  def compute(real, fake, known):
    raise error

  return measures.Metric(('mine',), compute, ('features',), ('features',))


def scored(names, fake, **scorer):
  rng = np.random.default_rng(0)
  fields = measures.wanted(names, 'fake') & {'labels'}
  labels = (np.arange(len(fake)) % 2, np.arange(50) % 2) if fields else None
  reasons = []

  def refused(outputs, error):
    reasons.append((outputs, type(error)))
    return f'why: {error}'

  real = scores.from_arrays(
    rng.normal(size=(50, 3)).astype(np.float32),
    features=scores.pixels.load((3,)),
    labels=labels and labels[1],
  )
  made = scores.make_scorer(
    names,
    real,
    facts=compute.Facts('point', **scorer),
    features=scores.pixels.load((3,)),
  )
  collector = made.collector(len(fake))
  collector.add(fake, labels and labels[0])
  return made.score(collector.view(), refused=refused, seed=3), reasons


@pytest.mark.parametrize(
  'name, num, scorer',
  [
    ('coverage', 4, {}),  # with k = 5
    ('fd_infinity', 3, {}),
    ('kid', 1, {}),
    ('intra_fid', 3, {'num_classes': 2}),  # one of the second class
  ],
)
def test_a_metric_that_cannot_be_computed_leaves_the_others(name, num, scorer):
  fake = np.random.default_rng(1).normal(size=(num, 3)).astype(np.float32)
  found, reasons = scored((name, 'swd'), fake, **scorer)
  none, other = found
  assert none['metric'] == name and none['value'] is None
  assert none['reason'].startswith('why: ') and none['seed'] == 3
  assert none['n_fake'] == num and records.is_record(none)
  assert other['metric'] == 'swd' and other['value'] >= 0
  assert reasons == [([name], UserError)]
  assert lines.summary(found)[0].startswith(f'{name}: no score: why: ')


def test_an_error_in_a_metric_of_ones_own(monkeypatch):
  monkeypatch.setitem(measures._own, 'mine', broken(IndexError('of 4 modes')))
  found, reasons = scored(('fid', 'mine'), np.zeros((9, 3), np.float32))
  assert [r['value'] is None for r in found] == [False, True]
  assert reasons == [(['mine'], IndexError)]


def test_versions_where_the_project_was_not_installed(monkeypatch):
  def version(name):
    raise metadata.PackageNotFoundError(name)

  monkeypatch.setattr(metadata, 'version', version)
  records._version.cache_clear()
  found = records.versions()
  records._version.cache_clear()
  assert found['gan_jax'] == gan_jax.__version__
  assert found['numpy'] == np.__version__ and found['scipy'] and found['jax']


@pytest.mark.parametrize(
  'reason, status',
  [(scoring.NOT_FINITE, 'diverged'), ('too few samples', 'finished')],
)
def test_a_run_of_a_study_without_a_score(reason, status):
  job = type('Job', (), {'config': {'seed': 4, 'steps': 8}, 'runs': ['x']})
  none = {'metric': 'fid', 'value': None, 'reason': reason, 'seed': 4}
  row = worker._row(job, 0, [none], '')
  assert row['status'] == status and row['scores'] == {'fid': None}
