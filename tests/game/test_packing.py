"""Packs: who lies beside whom, D's input, slopes of packs, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import beginning, forward, keys, packing, step
from gan_jax.game.gradients import input_gradient, squared_norm
from gan_jax.game.health import probe
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.run.config.keys import ADDED
from gan_jax.types import Augmentation, UserError
from tests import tiny
from tests.components import conformance
from tests.untrained import untrained

KEY = jax.random.key(3)


@pytest.mark.parametrize('shape', [(3,), (4, 3), (2, 5, 3)])
@pytest.mark.parametrize('size', [1, 2, 3])
def test_consecutive_samples_lie_beside_each_other(shape, size):
  x = np.random.default_rng(0).normal(size=(6, *shape)).astype(np.float32)
  found = packing.packed(jnp.asarray(x), size)
  want = np.stack([
    np.concatenate(list(x[i : i + size]), axis=-1) for i in range(0, 6, size)
  ])  # fmt: skip
  np.testing.assert_array_equal(found, want)
  np.testing.assert_array_equal(packing.unpacked(found, size), x)
  one = packing.of_one(jnp.asarray(x[:1]), size)
  np.testing.assert_array_equal(one[0], np.concatenate([x[0]] * size, axis=-1))


def packs(size=2, **kw):
  """(Game, its state) of the tiny game, whose D sees packs of 2-D points."""
  game = tiny.rules(pack=size, **kw)
  one = {'x': jnp.zeros((1, 2)), 'index': jnp.zeros(1, int), 'step': 0}
  return game, beginning.init(game, KEY, one)


BATCH = {'x': tiny.DATA['x'][:6], 'index': jnp.arange(6), 'step': 0}


def judge(state, x):
  """The logits [P] of packs [P, 4], by hand."""
  p = jax.tree.map(np.float64, state.players['d'].params)
  last, first = p['Dense_0'], p['Dense_1']
  h = np.tanh(x @ first['kernel'] + first['bias'])
  return (h @ last['kernel'] + last['bias'])[:, 0]


def test_d_judges_packs_of_what_it_is_shown():
  """Each sample is augmented with its own key before it is packed."""
  noise = lambda x, memo, *, key: (
    x + jax.vmap(lambda k: jax.random.normal(k, (2,)))(key)
  )
  game, state = packs(augment=Augmentation(apply=noise))
  seen, _ = forward.forward(game, state, BATCH, KEY)
  assert seen.real.shape == seen.fake.shape == (6, 2)
  own = keys.fold_each(keys.fold_examples(KEY, BATCH['index']), 1)
  shown = np.asarray(noise(seen.real, None, key=own), np.float64)
  want = judge(state, shown.reshape(3, 4))
  np.testing.assert_allclose(seen.on_real['logits'], want, rtol=1e-5)
  np.testing.assert_allclose(seen.critic(seen.real)['logits'], want, rtol=1e-5)
  assert seen.on_fake['logits'].shape == (3,)


def test_slopes_are_those_of_packs():
  """R1 of a pack; and points between packs, by one number for each pack."""
  penalties = {'r1': {'gamma': 2.0}, 'gradient_penalty': {'target': 0.0}}
  game, state = packs(penalties=penalties)
  seen, _ = forward.forward(game, state, BATCH, KEY)
  each = keys.fold_examples(KEY, BATCH['index'])
  value = lambda name: game.terms['d'][name].value(seen, (), key=each)[0]
  critic = lambda x: forward.heads_of(
    game.nets['d'].apply({'params': state.players['d'].params}, x, train=False)
  )['logits']
  square = lambda x: squared_norm(input_gradient(critic, x))
  real, fake = (x.reshape(3, 4) for x in (seen.real, seen.fake))
  np.testing.assert_allclose(value('r1'), square(real), rtol=1e-5)
  alpha = jnp.stack([jax.random.uniform(k) for k in each[::2]])[:, None]
  between = real + alpha * (fake - real)
  np.testing.assert_allclose(
    value('gradient_penalty'), 10 * square(between), rtol=1e-4
  )


def test_the_health_of_packs_is_measured():
  game, state = packs()
  look = probe.make_probe(game)
  many = {**BATCH, 'x': BATCH['x'][None]}
  found = jax.jit(lambda s: look(s, s, many, KEY, {}))(state)
  assert 0 <= found['health_separation'] <= 1
  assert found['health_nonfinite'] == 0


def test_a_step_of_packs_moves_both():
  made, state, batch = conformance.game_of((2,), pack=3)
  assert made.game.pack == 3
  kernel = state.players['d'].params['hidden_0']['kernel']
  assert kernel.shape[0] == 6
  grads, _ = step.gradient(made.game, ('g',))(state, batch, KEY)
  assert max(np.abs(x).max() for x in jax.tree.leaves(grads)) > 0


def test_runs_of_before_have_none():
  assert ADDED['pack'] == 1


@pytest.mark.parametrize(
  'recipe, changes, words',
  [
    ('ring8', {'pack': 3}, r'^pack=3: does not divide batch_size=8\.$'),
    ('ring8', {'pack': 0}, r'^pack=0: expected at least 1\.$'),
    (
      'digits',
      {'pack': 2, 'conditional': True},
      r'^pack=2: with conditional=True',
    ),
    (
      'ring8',
      {'pack': 4, 'microbatches': 4},
      r'^pack=4: does not divide the 2 samples',
    ),
    (
      'ring8',
      {'pack': 2, 'model': {'name': 'bigan', 'g': {}, 'd': {}}},
      r'^pack=2: this model shows D pairs',
    ),
  ],
)
def test_what_is_refused(recipe, changes, words):
  config = command.load_config(f'configs/{recipe}.py:tiny') | changes
  with pytest.raises(UserError, match=words):
    setup_lib.build(config)


def test_a_trained_d_judges_packs():
  config = command.load_config('configs/ring8.py:tiny') | {'pack': 2}
  run = untrained(config)
  x = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
  found = run.discriminate(x)
  assert found.shape == (3,)
  np.testing.assert_allclose(found[1:2], run.discriminate(x[2:4]), rtol=1e-5)
  with pytest.raises(UserError, match=r'^pack=2: does not divide the 3 samp'):
    run.discriminate(x[:3])
