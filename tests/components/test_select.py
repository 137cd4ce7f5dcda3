"""From names to components, and what is said when there is none."""

import inspect

import jax
import jax.numpy as jnp
import pytest

from gan_jax import select
from gan_jax.components import options as options_lib
from gan_jax.types import UserError
from tests.components.shipped import OTHER_SAMPLES, SHIPPED

POINTS = {'mlp'}  # models for which a sample may be one


@pytest.mark.parametrize('kind', ['losses', 'penalties', 'models', 'datasets'])
def test_every_component_that_is_there_is_found(kind):
  names = select.available(kind)
  assert len(names) > 1 and names == sorted(names)
  for name in names:
    found = select.module(kind, name, flag='x')
    assert found.__name__ == f'gan_jax.{kind}.{name}'
    assert select.module(kind, f'gan_jax.{kind}.{name}', flag='x') is found


@pytest.mark.parametrize(
  'name', ['', 'foo', 'no.such', '.', '..', 'a b', 'os.']
)
def test_what_is_not_there_is_named_with_what_is(name):
  with pytest.raises(UserError, match="loss.name='.*no such module.*hinge"):
    select.loss(name)


@pytest.mark.parametrize(
  ('make', 'lacks'),
  [
    (select.loss, r"loss.name='json.decoder': .* no d_loss"),
    (select.conditioning, r'conditioning.name=.* no Head'),
    (select.augmentation, r'augment.name=.* no apply'),
    (select.dynamics, r'dynamics.name=.* no make'),
    (select.penalty, r'penalties.json.decoder: .* no penalty, .* no d_term'),
  ],
)
def test_a_module_of_another_kind_is_told_what_it_lacks(make, lacks):
  with pytest.raises(UserError, match=lacks):
    make('json.decoder')


@pytest.mark.parametrize('name', sorted(SHIPPED['losses']))
def test_losses_are_bound(name):
  pair = select.loss(name)
  logits = jax.ShapeDtypeStruct((5,), jnp.float32)
  for function in pair:
    assert jax.eval_shape(function, logits, logits).shape == (5,)
  with pytest.raises(UserError, match=r'^loss\.foo: unknown'):
    select.loss(name, foo=3)


def test_options_reach_both_players():
  pair = select.loss('lsgan', b=3.0)
  assert inspect.signature(pair.d_loss).parameters['b'].default == 3.0
  real, fake = jnp.full(1, 3.0), jnp.zeros(1)
  assert pair.d_loss(real, fake) < select.loss('lsgan').d_loss(real, fake)
  with pytest.raises(UserError, match=r"^loss\.b='abc'"):
    select.loss('lsgan', b='abc')


@pytest.mark.parametrize('name', sorted(SHIPPED['penalties']))
def test_penalties_are_bound(name):
  found = select.penalty(name)
  assert (found.penalty is None) != (found.project is None)
  assert found.per_example == (found.penalty is not None)
  with pytest.raises(UserError, match=f'penalties.{name}.foo: unknown'):
    select.penalty(name, foo=3)


def test_a_value_that_does_not_do_is_found_before_the_training():
  for name, options in (
    ('r1', {'gamma': 'a'}),
    ('weight_clip', {'limit': 'a'}),
  ):
    with pytest.raises(UserError, match=rf'penalties.{name}.\w+='):
      select.penalty(name, **options)


@pytest.mark.parametrize('name', sorted(SHIPPED['models'] - set(OTHER_SAMPLES)))
def test_models_are_given_what_they_know(name):
  shape = (2,) if name in POINTS else (8, 8, 1)
  common = {'shape': shape, 'num_classes': 3, 'dtype': jnp.bfloat16}
  own = select.model(name, g={}, d={}, **common).nets
  named = 'norm' in own['g'].__dataclass_fields__
  options = {'g': {'norm': 'none'}, 'd': {'norm': 'spectral'}} if named else {}
  nets = select.model(name, **options, **common).nets
  g, d = nets['g'], nets['d']
  if named:
    assert (g.norm, d.norm) == ('none', 'spectral')
  assert g.shape == shape and not hasattr(d, 'shape')
  assert g.num_classes == d.num_classes == 3
  assert g.dtype == d.dtype == jnp.bfloat16
  # What is given to both, or is the program's own, is no option.
  for option in ('foo', 'dtype', 'axis_name', 'parent'):
    with pytest.raises(UserError, match=f'model.d.{option}: unknown; '):
      select.model(name, g={}, d={option: 3}, **common)


def test_call_names_what_is_wrong_with_options():
  def function(a, *, b, c=1.0):
    return a + b / c

  assert options_lib.call('x', function, {'b': 4, 'c': 2}, a=1) == 3
  for options, words in (
    ({'b': 1, 'd': 2}, 'x.d: unknown; x takes b, c'),
    ({}, "x: missing a required.*'b'"),
    ({'b': 'abc'}, 'x: unsupported operand'),
    ({'b': 1, 'c': 0}, 'x: .*zero'),
    (3, 'x=3: expected a group'),
  ):
    with pytest.raises(UserError, match=words):
      options_lib.call('x', function, options, a=1)
