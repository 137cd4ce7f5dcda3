"""The queue in a folder: written whole, taken once, tried again when told."""

import json

import pytest

from gan_jax.storage import leases
from gan_jax.study import jobs

CONFIG = {'seed': 3, 'num_seeds': 2, 'model': {'g': {'hidden': (8, 4)}}}


def job(name, **fields):
  fixed = jobs.Job(name, 'cell', ('r0', 'r1'), f'folder-{name}', CONFIG)
  return fixed._replace(**fields)


@pytest.fixture
def queue(tmp_path):
  made = jobs.Queue(tmp_path)
  for name in 'ab':
    made.add(job(name))
  return made


def take(queue, ids):
  """The id of the job that is taken; it is given back at once."""
  taken = queue.take(ids)
  if taken is None:
    return None
  taken[1].__exit__()
  return taken[0].id


def test_a_job_comes_back_as_it_was(queue):
  assert queue.jobs() == {'a': job('a'), 'b': job('b')}


def test_jobs_are_taken_in_order_and_once(queue):
  first, lease = queue.take(['b', 'a'])
  assert first == job('b')
  with lease:
    assert take(queue, ['b', 'a']) == 'a'
    assert set(queue.working(['a', 'b'])) == {'b'}
  assert take(queue, ['b', 'a']) == 'b'


def test_what_is_done_or_failed_is_not_taken(queue):
  queue.finish(job('a'), {'rows': [1]})
  queue.fail('b', 'no reason')
  assert take(queue, ['a', 'b']) is None
  assert queue.results() == {'a': {'rows': [1]}}
  assert queue.failures() == {'b': 'no reason'}
  queue.forgive(['b'])
  assert take(queue, ['a', 'b']) == 'b'
  queue.reopen(['a'])
  assert take(queue, ['a', 'b']) == 'a'


def test_a_job_that_succeeds_after_a_failure_is_done(queue):
  queue.fail('a', 'for now')
  queue.finish(job('a'), {'rows': []})
  assert queue.failures() == {} and set(queue.results()) == {'a'}


def test_half_a_file_is_no_job_and_a_lost_job_is_not_taken(queue, tmp_path):
  (tmp_path / 'jobs' / 'c.json').write_text('{"id": "c", ')
  assert set(queue.jobs()) == {'a', 'b'}
  assert take(queue, ['c', 'nowhere']) is None
  assert not list((tmp_path / 'jobs').glob('*.lease'))


@pytest.mark.parametrize('field', jobs.Job._fields)
@pytest.mark.parametrize('value', [None, 3])
def test_a_file_without_a_field_is_no_job(field, value, queue, tmp_path):
  path = tmp_path / 'jobs' / 'a.json'
  told = json.loads(path.read_text())
  told.pop(field) if value is None else told.update({field: value})
  path.write_text(json.dumps(told))
  assert list(queue.jobs()) == ['b'] and take(queue, ['a', 'b']) == 'b'


def test_a_job_that_its_last_worker_finished_is_not_done_again(queue, tmp_path):
  # Between the look for open jobs and the lease, somebody finished it.
  looks = iter([['a'], []])
  queue.open = lambda ids: iter(next(looks))
  assert queue.take(['a']) is None
  assert not (tmp_path / 'jobs' / 'a.lease').exists()


def test_the_lease_of_a_dead_worker_is_seen_until_it_is_taken_over(
  queue, tmp_path
):
  told = {'token': 'x', 'host': leases.host(), 'pid': 2**22 + 1, 'born': '1'}
  (tmp_path / 'jobs' / 'a.lease').write_text(json.dumps(told))
  assert queue.working(['a']) == {}
  assert queue.leases(['a'])['a']['token'] == 'x'
  assert take(queue, ['a']) == 'a'


def test_one_process_plans(queue):
  with queue.plan_lease():
    assert queue.plan_lease() is None
  assert queue.plan_lease().__exit__() is None


def test_lists_become_tuples():
  assert jobs.as_tuples({'a': [1, [2]], 'b': {'c': []}}) == {
    'a': (1, (2,)), 'b': {'c': ()}
  }  # fmt: skip
