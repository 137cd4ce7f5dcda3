"""Cells of every design, their names, and the mistakes in a study."""

import pytest

from gan_jax.study import design
from gan_jax.types import UserError

LOSS, RATE = ('lsgan', 'hinge'), (0.001, 0.01)


def names(*args):
  return [cell.name for cell in design.cells(*args)]


def test_a_grid_has_every_combination_in_the_order_of_the_factors():
  found = design.cells(
    'grid', {'loss.name': LOSS, 'optim.d.learning_rate': RATE}
  )
  assert [c.name for c in found] == [
    'lsgan, learning_rate=0.001',
    'lsgan, learning_rate=0.01',
    'hinge, learning_rate=0.001',
    'hinge, learning_rate=0.01',
  ]
  assert found[2].overrides == {
    'loss.name': 'hinge', 'optim.d.learning_rate': 0.001
  }  # fmt: skip
  assert found[2].levels['optim.d.learning_rate'] == 'learning_rate=0.001'


def test_one_at_a_time_leaves_all_others_at_the_base():
  found = design.cells('one_at_a_time', {'loss.name': LOSS, 'batch_size': (8,)})
  assert [c.name for c in found] == ['base', 'lsgan', 'hinge', 'batch_size=8']
  assert [len(c.overrides) for c in found] == [0, 1, 1, 1]


def test_leave_one_out_sets_all_but_one():
  factors = {
    'penalties': {'R1': {'r1': {}}},
    'ema.halflife_kimg': {'EMA': 10.0},
    'model.d.norm': ('spectral',),
  }
  found = design.cells('leave_one_out', factors)
  assert [c.name for c in found] == [
    'full', 'without R1', 'without EMA', 'without spectral'
  ]  # fmt: skip
  assert found[0].overrides == {
    'penalties': {'r1': {}},
    'ema.halflife_kimg': 10.0,
    'model.d.norm': 'spectral',
  }  # fmt: skip
  assert set(found[2].overrides) == {'penalties', 'model.d.norm'}


def test_a_list_of_overrides_named_and_not():
  assert names(({}, {'loss.name': 'hinge', 'batch_size': 8}), {}) == [
    'base', 'hinge, batch_size=8'
  ]  # fmt: skip
  found = design.cells({'mine': {'d_steps': 2}}, {})
  assert found == (design.Cell('mine', {'d_steps': 2}, {}),)


@pytest.mark.parametrize(
  'factor, value, name',
  [
    ('loss.name', 'lsgan', 'lsgan'),
    ('data.split', '', 'none'),
    ('penalties', {}, 'none'),
    ('penalties', {'r1': {'gamma': 0.1}}, 'r1 gamma=0.1'),
    ('penalties', {'r1': {}, 'r2': {'gamma': 1}}, 'r1 + r2 gamma=1'),
    ('loss', {'name': 'fgan', 'divergence': 'kl'}, 'fgan divergence=kl'),
    ('model.g', {'hidden': (8, 8)}, 'hidden=8-8'),
    ('fresh_real', True, 'fresh_real=True'),
    ('ema.halflife_kimg', 0.5, 'halflife_kimg=0.5'),
  ],
)
def test_a_level_in_words(factor, value, name):
  assert design.level_name(factor, value) == name


@pytest.mark.parametrize(
  'args, words',
  [
    (('grid', {}), ('factors is empty', "'grid'")),
    (('grid', {'loss.name': ()}), ("factors['loss.name']", 'one level')),
    (('grid', {'loss.name': 'lsgan'}), ("'lsgan'", 'one level')),
    (('square', {'loss.name': LOSS}), ("'square'", 'one_at_a_time')),
    (('leave_one_out', {'loss.name': LOSS}), ('2 levels', 'leave_one_out')),
    (('grid', {'loss.name': ('a', 'a')}), ('two levels', "'a'")),
    (((), {}), ('design is empty',)),
    (((3,), {}), ('expected dicts', '3')),
    ((({}, {}), {}), ('two cells', "'base'")),
    ((({},), {'loss.name': LOSS}), ('cannot be used with',)),
  ],
)
def test_mistakes_are_told(args, words):
  with pytest.raises(UserError) as told:
    design.cells(*args)
  assert all(word in str(told.value) for word in words), told.value
