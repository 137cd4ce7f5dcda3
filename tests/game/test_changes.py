"""What takes the place of a player's loss: order, memos, draws, refusals."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import changes, keys, objectives, rules, terms
from gan_jax.run import setup as setup_lib
from gan_jax.types import Conditioning, Loss, Penalty, UserError
from tests.components.packages import importable
from tests.pairs.bases import config_of

REAL, FAKE = np.float32([1, 2, 3]), np.float32([5, 7, -2])
KEYS = keys.fold_examples(jax.random.key(4), jnp.arange(3))
LOSS = Loss(lambda real, fake: fake - real, lambda real, fake: -fake)


def seen(step=0):
  """A pass of three examples whose logits are known."""
  heads = [{'logits': jnp.asarray(x)} for x in (REAL, FAKE)]
  batch = {'step': jnp.int32(step)}
  return terms.Forward(batch, None, None, None, *heads, None, None)


def changing(value, init=tuple, player='g', **fields):
  """A Penalty that is one change, as `select` makes it."""
  own = {player: functools.partial(value)}
  return Penalty(init, None, None, {}, False, changes=own, **fields)


def double(loss, f, memo, *, key):
  return 2 * loss(f), memo


def more(loss, f, memo, *, key):
  return loss(f) + 1, memo


def value_of(penalties, player='g', step=0, **kw):
  """(value, memo after) of a player's loss."""
  term = objectives.terms_of(LOSS, penalties, **kw)[player]['loss']
  return term.value(seen(step), term.init(), key=KEYS)


def test_changes_follow_each_other_in_the_order_of_the_config():
  one, other = changing(double), changing(more)
  value, _ = value_of({'double': one, 'more': other})
  np.testing.assert_allclose(value, 2 * -FAKE + 1)
  value, _ = value_of({'more': other, 'double': one})
  np.testing.assert_allclose(value, 2 * (-FAKE + 1))
  # They are of one player.
  value, _ = value_of({'double': one}, player='d')
  np.testing.assert_allclose(value, FAKE - REAL)


def test_without_a_change_a_loss_is_as_it_was():
  term = terms.loss_terms(LOSS)['g']
  assert changes.changed(term, {}) is term


def test_the_loss_can_be_asked_about_another_pass():
  def elsewhere(loss, f, memo, *, key):
    return loss(f._replace(on_fake=f.on_real)), memo

  value, _ = value_of({'double': changing(double), 'it': changing(elsewhere)})
  np.testing.assert_allclose(value, 2 * -REAL)


def test_of_the_global_batch_a_device_has_its_own_part():
  every = jnp.arange(6.0)
  part = lambda device: changes.of_device(every, 2, 'devices')
  made = jax.vmap(part, axis_name='devices')(jnp.arange(3))
  np.testing.assert_array_equal(made, every.reshape(3, 2))
  np.testing.assert_array_equal(changes.of_device(every, 6, None), every)


def test_a_loss_of_the_global_batch_is_changed_on_each_device():
  """The mean over the batch is subtracted from the logits gathered."""
  loss = LOSS._replace(g_loss=lambda real, fake: fake - fake.mean())
  gather = lambda x: jax.lax.all_gather(x, 'devices', tiled=True)
  own = {'double': changing(double)}
  term = objectives.terms_of(loss, own, gather=gather, axis='devices')['g']

  def run(logits):
    heads = {'logits': logits}
    f = seen()._replace(on_real=heads, on_fake=heads)
    return term['loss'].value(f, term['loss'].init(), key=KEYS[:2])[0]

  logits = jnp.float32([[1, 2], [5, 8]])
  made = jax.vmap(run, axis_name='devices')(logits)
  np.testing.assert_allclose(made, 2 * (logits - 4))


def test_each_remembers_by_itself():
  def counted(loss, f, memo, *, key):
    return loss(f) * memo, memo + 1

  one, other = (changing(counted, lambda i=i: jnp.int32(i)) for i in (2, 5))
  value, after = value_of({'one': one, 'other': other})
  np.testing.assert_allclose(value, 10 * -FAKE)
  assert after == {'loss': (), 'one': 3, 'other': 6}


def test_the_loss_of_a_conditioning_is_changed_with_its_memo():
  def own(f, memo, *, key):
    return memo * f.on_fake['logits'], memo + 1

  conditioning = Conditioning(
    None,
    {'g': functools.partial(own)},
    lambda: jnp.int32(3),
    in_place_of='hinge',
  )
  value, after = value_of(
    {'double': changing(double)}, 'g', 0, **{'conditioning': conditioning}
  )
  np.testing.assert_allclose(value, 2 * 3 * FAKE)
  assert after == {'loss': 4, 'double': ()}


def test_each_draws_from_a_stream_by_its_name():
  def drawn(loss, f, memo, *, key):
    return loss(f) + jax.vmap(jax.random.uniform)(key), memo

  one = value_of({'one': changing(drawn)})[0]
  two = value_of({'two': changing(drawn)})[0]
  both = value_of({'one': changing(drawn), 'two': changing(drawn)})[0]
  assert np.abs(one - two).min() > 1e-4
  np.testing.assert_allclose(both, one + two + FAKE, 1e-5)
  # One for each example, whoever else is in the batch.
  assert len(np.unique(np.round(one + FAKE, 4))) == 3


def test_an_option_may_follow_the_steps():
  def scaled(loss, f, memo, *, key, scale=1.0):
    return scale * loss(f), memo

  own = changing(functools.partial(scaled, scale=1.0))
  own = own._replace(rates={'scale': lambda step: 10.0 + step})
  np.testing.assert_allclose(value_of({'s': own}, step=3)[0], 13 * -FAKE)


def test_a_schedule_of_a_config_reaches_a_change():
  schedule = {
    'name': 'linear_schedule',
    'init_value': 1.0,
    'end_value': 0.0,
    'transition_steps': 10,
  }
  made = rules._scheduled('label_flip', {'p': schedule})
  first, last = (
    value_of({'label_flip': made}, 'd', step)[0] for step in (0, 10)
  )
  np.testing.assert_allclose(first, REAL - FAKE)
  np.testing.assert_allclose(last, FAKE - REAL)


@pytest.mark.parametrize(
  'made, words',
  [
    (
      lambda loss: loss,
      r'penalties.it: .* gives ArrayImpl; expected \(a value',
    ),
    (lambda loss: (loss.mean(), ()), r'penalties.it: .* is \[\]; expected \[B'),
    (lambda loss: (loss[:, None], ()), r'is \[B, 1\]; expected \[B\]'),
    (lambda loss: (loss, jnp.zeros(2)), 'penalties.it: memo gives'),
  ],
)
def test_what_a_change_may_not_give(made, words):
  def odd(loss, f, memo, *, key):
    return made(loss(f))

  with pytest.raises(UserError, match=words):
    value_of({'it': changing(odd)})


def test_every_has_no_meaning_for_a_change():
  with pytest.raises(UserError, match=r'top_k.every=2: expected 1, of what'):
    select.penalty('top_k', every=2)


WRONG = {
  'raises': 'def init(): return ()\n'
  'def g_change(loss, forward, memo):\n'
  "  raise RuntimeError('oh')\n",
  'flat': 'def init(): return ()\n'
  'def g_change(loss, forward, memo):\n'
  '  return loss(forward).sum(), memo\n',
  'without': 'def e_change(loss, forward, memo): return loss(forward), memo\n',
}


@pytest.mark.parametrize(
  'name, words',
  [
    ('raises', r'penalties.wrong.raises: RuntimeError: oh \(.*py, line 3\)'),
    ('flat', r'penalties.wrong.flat: its change of a loss is \[\]; expected'),
    ('without', r'has no penalty.* no d_change or g_change'),
  ],
)
def test_a_change_is_rehearsed_before_the_training(tmp_path, name, words):
  with importable(tmp_path, 'wrong', WRONG):
    config = config_of('point', penalties={f'wrong.{name}': {}})
    with pytest.raises(UserError, match=words):
      setup_lib.build(config)
