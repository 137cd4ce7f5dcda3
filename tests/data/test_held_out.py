"""Real samples that are never trained on: where they come from."""

import numpy as np
import pytest

from gan_jax.data import held_out, loading
from gan_jax.run import command, setup
from gan_jax.types import UserError
from tests import tiny_data

SIZE = 40


@pytest.fixture
def whole(tmp_path):
  """Points whose first coordinate is their row; the label is its half."""
  row = np.arange(SIZE)
  x = np.stack([row, row], -1).astype(np.float32)
  np.savez(tmp_path / 'points.npz', x=x, label=row // 2)
  return loading.load('npz', path=str(tmp_path / 'points.npz'))


def rows_of(dataset):
  return loading.arrays(dataset)['x'][:, 0].astype(int)


def test_the_parts_make_the_whole(whole):
  train, unseen = held_out.part(whole, 0.25)
  assert (train.size, unseen.size) == (30, 10)
  assert sorted([*rows_of(train), *rows_of(unseen)]) == list(range(SIZE))
  assert train.nbytes == whole.nbytes * 30 // 40
  for dataset in (train, unseen):
    found = loading.arrays(dataset)
    assert np.array_equal(found['label'], rows_of(dataset) // 2)
  # Not the end, nor every fourth: data may be sorted.
  assert len(set(np.diff(rows_of(unseen)))) > 3


def test_the_choice_is_always_the_same(whole):
  once, again = (held_out.part(whole, 0.25) for _ in range(2))
  assert np.array_equal(rows_of(once[1]), rows_of(again[1]))
  assert rows_of(once[1]).tolist() == FROZEN


# So that a resumed run of a later version trains on the same examples.
FROZEN = [7, 11, 13, 15, 19, 27, 28, 30, 32, 39]


def test_each_part_has_its_fingerprint(whole):
  parts = held_out.part(whole, 0.25) + held_out.part(whole, 0.5)
  assert len({whole.fingerprint, *(p.fingerprint for p in parts)}) == 5
  assert held_out.part(whole, 0) == (whole, None)


@pytest.mark.parametrize('share', [-0.1, 1, 'half', True, 0.001, 0.999])
def test_shares_that_leave_nothing(share, whole):
  with pytest.raises(UserError, match=r'data\.held_out=.*expected'):
    held_out.part(whole, share)


def test_toys_draw_other_points():
  for options in ({}, {'data_seed': 4}):
    train = loading.load('ring8', **options)
    unseen = held_out.beside('ring8', options)
    assert unseen.size == held_out.MOST and unseen.shape == train.shape
    mine, theirs = (loading.arrays(d)['x'] for d in (train, unseen))
    points = lambda x: {point.tobytes() for point in x}
    assert not points(mine) & points(theirs)
    radius = np.hypot(*theirs.T)
    assert abs(radius.mean() - 1) < 0.01  # the same ring


def test_the_test_split_is_what_is_held_out(tmp_path):
  x = tiny_data.images(30, (28, 28, 1))
  splits = {'train': (x[:20], np.arange(20) % 10)}
  splits['test'] = (x[20:], np.arange(10))
  root = str(tiny_data.write_tfds(tmp_path, 'mnist', splits))
  unseen = held_out.samples(held_out.beside('mnist', {'dir': root}))
  assert unseen['x'].shape == (10, 28, 28, 1)
  assert sorted(unseen['label']) == list(range(10))
  assert unseen['x'].dtype == np.float32 and unseen['x'].min() == -1
  # Unless it is trained on.
  for split in ('test', 'train+test', 'test[:5]'):
    options = {'dir': root, 'split': split}
    assert held_out.beside('mnist', options) is None
  stacked = {'dir': root, 'size': 7, 'split': 'train'}
  unseen = held_out.beside('stacked_mnist', stacked)
  digits = unseen.modes['channel']
  assert digits.size == 10 and unseen.shape == (28, 28, 3)


def test_without_a_test_split_there_is_nothing(tmp_path):
  x = tiny_data.images(20, (28, 28, 1))
  splits = {'train': (x, np.arange(20) % 10)}
  root = str(tiny_data.write_tfds(tmp_path, 'mnist', splits))
  assert held_out.beside('mnist', {'dir': root}) is None
  assert held_out.beside('digits', {}) is None
  assert held_out.samples(None) == {}


def test_no_more_than_needed_is_read_and_from_everywhere(whole):
  seen = []

  def read(rows):
    seen.extend(rows)
    return {'x': np.zeros((len(rows), 2), np.float32)}

  held_out.samples(whole._replace(size=10_000, read=read))
  assert len(seen) == held_out.MOST
  assert seen[0] == 0 and seen[-1] > 9900 and np.diff(seen).max() < 21


def test_what_cannot_be_read_is_not_held_out(whole):
  def read(rows):
    raise UserError('a damaged image')

  assert held_out.samples(whole._replace(read=read)) == {}


# In a run.


def digits(**overrides):
  overrides = {k.replace('__', '.'): v for k, v in overrides.items()}
  return setup.build(command.load_config('configs/digits.py:tiny', overrides))


def test_a_run_trains_on_its_part_only():
  whole, part = digits(), digits(data__held_out=0.25)
  assert whole.dataset.size == 1797 and part.dataset.size == 1348
  assert whole.held_out() == {}
  unseen = part.held_out()
  assert len(unseen['x']) == 449 and set(unseen) == {'x', 'label'}
  trained = {x.tobytes() for x in loading.arrays(part.dataset)['x']}
  others = {x.tobytes() for x in unseen['x']}
  assert len(others - trained) > 440  # a few digits are there twice
  assert part.dataset.fingerprint != whole.dataset.fingerprint


def names(found):
  return set(setup.make_program(found, wrapper='jit').zeros)


def test_what_is_held_out_is_measured():
  assert 'health_held_out' in names(digits(data__held_out=0.25))
  found = names(digits())
  assert 'health_separation' in found and 'health_held_out' not in found
  assert not {n for n in names(digits(health_every=0)) if 'health' in n}


def test_also_by_networks_that_know_labels_and_of_streams():
  options = {'data__held_out': 0.25, 'conditional': True}
  assert 'health_held_out' in names(digits(**options))
  streamed = digits(data__memory_mb=0.01, **options)
  assert not streamed.structure.resident
  assert 'health_held_out' in names(streamed)


def test_mistakes():
  with pytest.raises(UserError, match=r'data\.held_out=2'):
    digits(data__held_out=2)
  with pytest.raises(UserError, match='health_every=-1'):
    digits(health_every=-1)
