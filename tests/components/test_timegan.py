"""TimeGAN: counts, its terms by formula, what moves whom, its phases."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.dynamics import timegan
from gan_jax.game import forward, step, terms
from gan_jax.penalties import moments, supervised
from gan_jax.types import UserError
from tests.components.shipped import THIN
from tests.components.test_encoder_models import KEY, game_of, started
from tests.game.test_step_extras import BATCH, rules, start

H, T, C, Z = 24, 6, 2, 5
SMALL = THIN['timegan']


def gru(inputs):
  """Of one GRU of H units, with a second bias for its candidate."""
  return (inputs + H + 1) * 3 * H + H


LATER, DENSE = 2 * gru(H), (H + 1) * H
GOLDEN = {
  'g': (gru(Z) + LATER + DENSE) + (LATER + DENSE) + (3 * gru(H) + (H + 1) * C),
  'd': 3 * gru(H) + (H + 1),
  'e': gru(C) + LATER + DENSE,
}


def game(nets=None, **changed):
  return game_of('timegan', shape=(T, C), dim=Z, nets=nets, **changed)


def test_golden_parameter_counts():
  made, batch = game()
  state = jax.eval_shape(lambda: started(made, batch))
  count = lambda player: sum(a.size for a in jax.tree.leaves(player.params))
  assert {k: count(p) for k, p in state.players.items()} == GOLDEN


def test_each_judges_embeddings_and_terms_see_series():
  made, batch = game(SMALL, classes=2)
  state = jax.eval_shape(lambda: started(made, batch))
  seen = jax.eval_shape(
    lambda state: forward.forward(made, state, batch, KEY)[0]._replace(
      **dict.fromkeys(('critic', 'net', 'slopes', 'prior'))
    ),
    state,
  )
  assert [x.shape for x in (*seen.real, *seen.fake)] == [(4, T, 3)] * 4
  assert seen.on_real['parts'].shape == (4, 2 * T)
  shapes = {k: x.shape for k, x in seen.also.items()}
  codes = dict.fromkeys(('code', 'next', 'next_of_fixed'), (4, T, 3))
  assert shapes == codes | {'rebuilt': (4, T, C), 'samples': (4, T, C)}


def seen_with(**also):
  x = also.pop('x', None)
  return types.SimpleNamespace(also=also, batch={'x': x}, fake=None)


def test_what_follows_is_learned_and_does_not_move_codes():
  rng = np.random.default_rng(0)
  code, guess = rng.normal(size=(2, 3, T, H)).astype(np.float32)
  square = ((code[:, 1:] - guess[:, :-1]) ** 2).reshape(3, -1).mean(1)
  seen = seen_with(code=code, next=guess, next_of_fixed=guess)
  value, _ = supervised.g_term(seen, (), g_weight=7.0)
  np.testing.assert_allclose(value, 7 * np.sqrt(square), 1e-5)
  value, _ = supervised.e_term(seen, (), e_weight=7.0)
  np.testing.assert_allclose(value, 7 * square, 1e-5)

  def total(code, term):
    seen = seen_with(code=code, next=guess, next_of_fixed=guess)
    return term(seen, ())[0].sum()

  of = lambda term: np.abs(jax.grad(total)(jnp.array(code), term)).max()
  assert of(supervised.g_term) == 0 < of(supervised.e_term)
  with pytest.raises(UserError, match='no supervisor; timegan has one'):
    supervised.g_term(seen_with(), ())


def test_moments_are_those_of_the_batch():
  rng = np.random.default_rng(0)
  x, made = rng.normal(size=(2, 5, T, C)).astype(np.float32)
  want = 3 * (
    np.abs(x.mean(0) - made.mean(0)).mean()
    + np.abs(x.std(0) - made.std(0)).mean()
  )
  value, _ = moments.g_term(seen_with(x=x, samples=made), (), weight=3.0)
  np.testing.assert_allclose(value, np.full(5, want), 1e-4)
  plain = types.SimpleNamespace(also={}, batch={'x': x}, fake=made)
  np.testing.assert_allclose(moments.g_term(plain, (), weight=3.0)[0], value)


# The phases, of G's and D's one weight each.


def phased(**options):
  """(step of a game with a term `supervised`, its state)."""
  plain = rules()
  more = terms.Term(
    lambda f, memo, *, key: (f.fake[:, 0] ** 2, memo), label='supervised'
  )
  own = {**plain.terms, 'g': {**plain.terms['g'], 'supervised': more}}
  made = plain._replace(terms=own)
  run = jax.jit(timegan.make(made, **options))
  return made, run, start(made)


def taken(run, state, at):
  many = {k: v[None] if k == 'x' else v for k, v in BATCH.items()}
  after, metrics = run(state, {**many, 'step': jnp.int32(at)}, KEY)
  return after, {k: float(v) for k, v in metrics.items()}


def test_a_phase_moves_its_own_by_its_term():
  made, run, state = phased(supervise=2, threshold=-100.0)
  names = set(step.metric_names(made.terms))
  for at in (0, 1):
    after, metrics = taken(run, state, at)
    assert set(metrics) == names and after.step == 1
    assert after.players['d'] == state.players['d']
    assert metrics['d_loss'] == metrics['g_loss'] == 0 < metrics['supervised']
  after, metrics = taken(run, state, 2)
  assert after.players['d'] != state.players['d']
  assert metrics['d_loss'] != 0


def test_without_its_term_there_is_no_phase():
  plain = rules()
  run = jax.jit(timegan.make(plain, threshold=-100.0))
  after, metrics = taken(run, start(plain), 0)
  assert metrics['d_loss'] != 0
  assert after.players['d'] != start(plain).players['d']


def test_d_waits_below_the_threshold_and_g_moves_as_often_as_said():
  _, run, state = phased(supervise=0, threshold=100.0, g_steps=1)
  once, _ = taken(run, state, 0)
  assert once.players['d'] == state.players['d']
  _, run, state = phased(supervise=0, threshold=100.0, g_steps=3)
  thrice, _ = taken(run, state, 0)
  assert once.players['g'] != thrice.players['g']


@pytest.mark.slow
def test_the_three_phases_of_timegan():
  made, batch = game(
    SMALL,
    penalties={'reconstruction': {}, 'supervised': {}, 'moments': {}},
  )
  state = jax.jit(lambda: started(made, batch))()
  run = jax.jit(timegan.make(made, embed=2, supervise=3, threshold=0.0))
  many = {k: v[None] if k == 'x' else v for k, v in batch.items()}
  moved = []
  for at in (0, 1, 2, 4, 5):
    after, _ = run(state, {**many, 'step': jnp.int32(at)}, KEY)
    moved.append(''.join(k for k in 'gde' if differ(after, state, k)))
  assert moved == ['ge', 'ge', 'g', 'g', 'gde']


def differ(one, other, player):
  pairs = zip(
    jax.tree.leaves(one.players[player].params),
    jax.tree.leaves(other.players[player].params),
    strict=True,
  )
  return any((a != b).any() for a, b in pairs)
