"""Lazy terms, microbatches, augmentation, a play of its own: all by hand."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import select
from gan_jax.game import beginning, forward, keys, latents, step, terms
from gan_jax.types import Augmentation
from tests import tiny

RATE, INDEX, KEY = 0.1, np.arange(4), jax.random.key(2)
REAL = np.float32([[3.0], [5.0], [1.0], [2.0]])
BATCH = {'x': jnp.asarray(REAL), 'index': INDEX, 'step': 0}


class Line(nn.Module):
  """w x, a sample of G and (its first number) a logit of D."""

  judge: bool = False
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    w = self.param('w', nn.initializers.ones, (1,))
    return w * x[:, 0] if self.judge else w[None] * x


def rules(**kw):
  parts = {
    'loss': 'wasserstein',
    'g': Line,
    'd': lambda: Line(judge=True),
    'optimizer': optax.sgd(RATE),
    'prior': latents.make_prior(dim=1),
  }
  return tiny.rules(**{**parts, **kw})


def start(game):
  return beginning.init(game, KEY, jax.tree.map(jnp.asarray, BATCH))


def weight(state, player='d'):
  return float(state.players[player].params['w'][0])


def z_of(index=INDEX):
  """What G makes of the latents of one move: its weight is 1."""
  draw = lambda i: jax.random.normal(jax.random.fold_in(KEY, i), (1,))
  return np.stack([draw(i) for i in index])


# Lazy terms


def lazy(every):
  return rules(penalties={'r1': {'gamma': 0.5, 'every': every}})


@pytest.mark.parametrize('at', range(5))
def test_a_lazy_term_is_an_update_of_its_own_when_it_is_due(at):
  """R1 of D(x) = w x is gamma / 2 w^2; in one of three steps, times 3."""
  game = lazy(3)
  move = jax.jit(step.move(game, ('d',)))
  state, metrics = move(start(game), {**BATCH, 'step': jnp.int32(at)}, KEY)
  w = 1 + RATE * (REAL.mean() - z_of().mean())  # the loss alone
  penalty = 3 * 0.25 * w**2 if at % 3 == 0 else 0.0
  slope = 3 * 0.5 * w if at % 3 == 0 else 0.0
  assert float(metrics['penalty_r1']) == pytest.approx(penalty, rel=1e-5)
  assert weight(state) == pytest.approx(w - RATE * slope, rel=1e-5)


def test_a_lazy_term_stays_a_branch_over_seeds():
  game = lazy(2)
  move = jax.vmap(step.move(game, ('d',)), in_axes=(0, None, 0))
  both = jax.random.split(KEY, 2)
  states = jax.vmap(lambda _: start(game))(both)
  text = str(
    jax.make_jaxpr(move)(states, {**BATCH, 'step': jnp.int32(0)}, both)
  )
  assert ' cond[' in text


# Microbatches


@pytest.mark.parametrize('parts', [1, 2, 4])
def test_microbatches_are_played_one_by_one_and_averaged(parts):
  played = []

  def play(run, net, batch, latent):
    played.append(batch['x'].shape)
    return forward.play(run, net, batch, latent)

  penalties = {'r1': {}, 'gradient_penalty': {}}
  whole = rules(penalties=penalties)
  game = rules(penalties=penalties, microbatches=parts, play=play)
  state = start(whole)
  for who in (('d',), ('g',)):
    played.clear()
    found, change = step.gradient(game, who)(state, BATCH, KEY)
    want, expected = step.gradient(whole, who)(state, BATCH, KEY)
    assert played == parts * [(4 // parts, 1)]
    assert tiny.distance(found, want) < 1e-5
    assert tiny.distance(change.metrics, expected.metrics) < 1e-5


# A play of its own, an augmentation


def test_a_play_is_given_both_modes_of_all_networks():
  def play(run, net, batch, latent):
    fake = run('g', latent)
    shift = net('d', batch['x'])
    return batch['x'] + shift[:, None], fake, latent

  game = rules(play=play)
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  np.testing.assert_allclose(seen.real, 2 * REAL)


def drawn(stream):
  """What the augmentation draws for reals (1) and for fakes (2)."""
  own = [jax.random.fold_in(KEY, i) for i in INDEX]
  return np.array(
    [float(jax.random.uniform(jax.random.fold_in(k, stream))) for k in own]
  )


def augmented():
  """Adds a draw of each example and the memo, which adds up the logits."""

  def apply(x, memo, *, key):
    return x + jax.vmap(jax.random.uniform)(key)[:, None] + memo

  update = lambda memo, logits: memo + logits.sum()
  augment = Augmentation(apply, update, lambda: jnp.float32(2))
  return rules(augment=augment, penalties={'gradient_penalty': {}})


def test_reals_and_fakes_are_augmented_by_streams_of_their_own():
  game = augmented()
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  reals = REAL[:, 0] + drawn(1) + 2
  fakes = z_of()[:, 0] + drawn(2) + 2
  np.testing.assert_allclose(seen.on_real['logits'], reals, rtol=1e-5)
  np.testing.assert_allclose(seen.on_fake['logits'], fakes, rtol=1e-5)
  # The samples stay as they are; a critic sees what D was shown.
  np.testing.assert_allclose(seen.real, REAL)
  np.testing.assert_allclose(seen.critic(seen.real)['logits'], reals, rtol=1e-5)


def test_an_augmentation_learns_from_the_logits_of_ds_move_only():
  game = augmented()
  state, _ = step.move(game, ('g',))(start(game), BATCH, KEY)
  assert float(state.memo[forward.AUGMENT]) == 2
  state, _ = step.move(game, ('d',))(start(game), BATCH, KEY)
  total = (REAL[:, 0] + drawn(1) + 2).sum()
  assert float(state.memo[forward.AUGMENT]) == pytest.approx(
    2 + total, rel=1e-5
  )


# Dynamics


def three(level):
  """A step's batch: reals of 1, of 2 and of `level`."""
  x = jnp.stack([jnp.full((4, 1), v) for v in (1.0, 2.0, level)])
  return {'x': x, 'index': INDEX, 'step': 0}


def test_alternating_moves_d_once_unless_told_otherwise():
  game = rules()
  once, metrics = select.dynamics('alternating')(game)(
    start(game), three(9.0), KEY
  )
  assert float(metrics['d_real']) == 1  # D saw the first
  move = select.dynamics('alternating', d_steps=2)(game)
  twice, metrics = move(start(game), three(9.0), KEY)
  assert float(metrics['d_real']) == pytest.approx(2 * weight(once), rel=1e-5)
  assert weight(twice) != weight(once)


def test_simultaneous_shows_d_the_first_batch_and_g_the_last():
  """A relativistic G sees reals: its loss is softplus(real - fake), w = 1."""
  game = rules(loss='rpgan')
  move = select.dynamics('simultaneous')(game)
  _, metrics = move(start(game), three(9.0), KEY)
  assert float(metrics['d_real']) == 1
  own = KEY
  for i in (keys.STEP, 0, keys.G_MOVE):
    own = jax.random.fold_in(own, i)
  z = np.stack(
    [jax.random.normal(jax.random.fold_in(own, i), (1,)) for i in INDEX]
  )
  want = np.logaddexp(0, 9.0 - z).mean()
  assert float(metrics['g_loss']) == pytest.approx(want, rel=1e-5)


def counting(player):
  """A term that costs nothing and counts its moves."""

  def value(seen, memo, *, key):
    return 0.0 * seen.on_fake['logits'], memo + 1

  return terms.Term(value, lambda: jnp.int32(0), label=f'{player}_count')


@pytest.mark.parametrize('dynamics', ['alternating', 'simultaneous'])
def test_each_player_s_terms_keep_their_memos(dynamics):
  game = augmented()
  more = {
    player: {**game.terms[player], 'count': counting(player)} for player in 'dg'
  }
  game = game._replace(terms=more)
  move = select.dynamics(dynamics)(game)
  state = start(game)
  for at in range(2):
    state, _ = move(state, {**three(9.0), 'step': at}, KEY)
  assert int(state.memo['d/count']) == int(state.memo['g/count']) == 2
  assert float(state.memo[forward.AUGMENT]) > 2


# Over devices


def test_means_and_gathered_logits_over_an_axis():
  mean, gather = forward.make_means('i')
  tree = lambda x: {'x': x, 'count': jnp.int32(7)}
  over = lambda f: jax.vmap(f, axis_name='i')
  x = jnp.arange(6.0).reshape(2, 3)
  found = over(lambda x: mean(tree(x)))(x)
  np.testing.assert_allclose(found['x'], [[1.5, 2.5, 3.5]] * 2)
  assert found['count'].tolist() == [7, 7]
  np.testing.assert_allclose(over(gather)(x), [np.arange(6.0)] * 2)
  mean, gather = forward.make_means(None)
  assert mean(x) is x and gather(x) is x


def test_what_is_minimised():
  losses = ('d_loss', 'g_loss', 'penalty_r1', 'g_penalty_path')
  assert all(map(terms.is_minimised, losses))
  assert not any(map(terms.is_minimised, ('d_real', 'd_fake', 'fid')))
