"""Conditionings: what is refused, and what takes the place of the loss."""

import jax
import numpy as np
import pytest

from gan_jax.game import forward
from gan_jax.run import label_use
from gan_jax.types import UserError
from tests.components.conformance import game_of
from tests.components.test_conditioning import K, crammer_singer


def play(num_classes=K, shape=(2,), **changed):
  game_of(shape, num_classes, **changed)


@pytest.mark.parametrize(
  'name', ['ac', 'tac', 'adc', 'contrastive', 'd2d_ce', 'multi_hinge']
)
def test_a_head_of_classes_without_classes(name):
  says = (
    'conditioning.name: .* needs classes: expected conditional=True .* 0 cl'
  )
  with pytest.raises(UserError, match=says):
    play(0, conditioning={'name': name}, loss={'name': 'hinge'})


@pytest.mark.parametrize(
  'changed, says',
  [
    ({'loss': {'name': 'lsgan'}}, 'usual game, there is loss.name=lsgan'),
    (
      {
        'loss': {'name': 'hinge'},
        'model': {'name': 'bigan'} | dict.fromkeys('gde', {}),
      },
      'in the usual game, model.name=bigan has a game of its own',
    ),
  ],
)
def test_a_loss_in_whose_place_multi_hinge_cannot_stand(changed, says):
  says = f'conditioning.name=multi_hinge is a loss in place of hinge: .*{says}'
  with pytest.raises(UserError, match=says):
    play(conditioning={'name': 'multi_hinge'}, shape=(8, 8, 1), **changed)


@pytest.mark.parametrize(
  'options, says',
  [
    ({'variant': 'code'}, "variant='code': expected one of paper, studiogan"),
    ({'auxiliary': 'ac'}, "auxiliary='ac': expected one of none, adc, tac"),
    ({'margins': 0.9}, 'conditioning.margins: unknown; .* margin'),
    ({'embedding': 0.5}, 'conditioning.embedding=0.5: expected a whole number'),
    ({'embedding': 0}, 'a layer of 0 features; expected at least 1'),
  ],
)
def test_options_that_there_are_not(options, says):
  with pytest.raises(UserError, match=says):
    play(conditioning={'name': 'd2d_ce', **options})


def test_multi_hinge_is_the_loss():
  """It is d_loss and g_loss; nothing is added to the hinge."""
  made, state, batch = game_of(
    (2,), K, conditioning={'name': 'multi_hinge'}, loss={'name': 'hinge'}
  )
  terms = made.game.terms
  assert {player: set(own) for player, own in terms.items()} == {
    'd': {'loss'},
    'g': {'loss'},
  }
  assert [terms[p]['loss'].label for p in 'dg'] == ['d_loss', 'g_loss']
  seen, _ = forward.forward(made.game, state, batch, jax.random.key(0))
  scores = seen.on_real['class_logits'], seen.on_fake['class_logits']
  value, _ = terms['d']['loss'].value(seen, (), key=None)
  d = crammer_singer(np.asarray(scores[0]), np.asarray(batch['label']))
  fakes = np.full(len(value), K)
  d = d + crammer_singer(np.asarray(scores[1]), fakes)
  np.testing.assert_allclose(value, d, 1e-5)


def test_a_d_that_ignores_the_label_is_refused_but_where_it_is_meant():
  """unconditional_d says so; a g without labels is refused all the same."""
  made, state, batch = game_of(
    (2,), K, conditioning={'name': 'unconditional_d'}
  )
  key = jax.random.key(0)
  label_use.check(lambda numbers: made, state, batch, key, {})
  meant = made.conditioning._replace(sees_label=True)
  with pytest.raises(UserError, match='the discriminator ignores the label'):
    label_use.check(
      lambda numbers: made._replace(conditioning=meant), state, batch, key, {}
    )
