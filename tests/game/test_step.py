"""The update against one derived by hand: who moves, on what, and when."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax.game import ema, forward, keys, latents, step
from tests import tiny

RATE, INDEX = 0.1, np.arange(tiny.BATCH)


def batches(n):
  x = np.random.default_rng(1).normal(size=(n, tiny.BATCH, 2))
  return {'x': jnp.asarray(x, jnp.float32), 'index': INDEX, 'step': 0}


def softplus(x):
  return jnp.logaddexp(x, 0.0)


# By hand: tiny's networks, cross-entropy and SGD, without the package.


def hand_fake(g, stats, key):
  """Samples and the new batch statistics; one latent for each example."""
  draw = lambda i: jax.random.normal(jax.random.fold_in(key, i), (tiny.DIM,))
  z = jax.vmap(draw)(INDEX)
  h = z @ g['Dense_0']['kernel'] + g['Dense_0']['bias'][None]
  mean, var = h.mean(0), h.var(0)
  h = (h - mean[None]) / jnp.sqrt(var + 1e-5)[None]
  bn = g['BatchNorm_0']
  h = jnp.tanh(h * bn['scale'][None] + bn['bias'][None])
  old = stats['BatchNorm_0']
  new = {
    'mean': 0.9 * old['mean'] + 0.1 * mean,
    'var': 0.9 * old['var'] + 0.1 * var,
  }
  sample = h @ g['Dense_1']['kernel'] + g['Dense_1']['bias'][None]
  return sample, {'BatchNorm_0': new}


def hand_logits(d, x):
  last, first = d['Dense_0'], d['Dense_1']  # flax counts as they are written
  h = jnp.tanh(x @ first['kernel'] + first['bias'][None])
  return (h @ last['kernel'] + last['bias'][None])[:, 0]


def sgd(params, grads):
  return jax.tree.map(lambda p, g: p - RATE * g, params, grads)


@jax.jit
def hand_d(d, g, stats, real, key):
  fake, _ = hand_fake(g, stats, key)
  loss = lambda d: jnp.mean(
    softplus(-hand_logits(d, real)) + softplus(hand_logits(d, fake))
  )
  value, grads = jax.value_and_grad(loss)(d)
  return sgd(d, grads), value


@jax.jit
def hand_g(g, d, stats, key):
  def loss(g):
    fake, new = hand_fake(g, stats, key)
    return softplus(-hand_logits(d, fake)).mean(), new

  (value, new), grads = jax.value_and_grad(loss, has_aux=True)(g)
  return sgd(g, grads), new, value


def fold(key, *index):
  for i in index:
    key = jax.random.fold_in(key, i)
  return key


@pytest.mark.parametrize(
  'update, d_steps, unroll',
  [('alternating', 2, False), ('alternating', 2, True), ('simultaneous', 1, 0)],
)
def test_one_step_by_hand(update, d_steps, unroll):
  init, make_step = tiny.game(update=update, d_steps=d_steps)
  root = jax.random.key(3)
  state = init(root)._replace(step=jnp.int32(7))
  batch = batches(d_steps)
  run = jax.jit(make_step(None, unroll=unroll))
  after, metrics = run(state, batch, root)

  now = fold(root, keys.STEP, 7)
  g, d, stats = (
    state.players['g'].params,
    state.players['d'].params,
    state.players['g'].vars['batch_stats'],
  )
  for i in range(d_steps):
    d, d_loss = hand_d(d, g, stats, batch['x'][i], fold(now, keys.D_MOVE, i))
  met = d if update == 'alternating' else state.players['d'].params
  g, stats, g_loss = hand_g(g, met, stats, fold(now, keys.G_MOVE))

  assert tiny.distance(after.players['d'].params, d) < 1e-6
  assert tiny.distance(after.players['g'].params, g) < 1e-6
  assert tiny.distance(after.players['g'].vars['batch_stats'], stats) < 1e-6
  assert float(metrics['d_loss']) == pytest.approx(float(d_loss), abs=1e-6)
  assert float(metrics['g_loss']) == pytest.approx(float(g_loss), abs=1e-6)
  assert int(after.step) == 8
  assert tiny.distance(d, state.players['d'].params) > 1e-3
  # The two orders differ by more than the tolerance.
  other, *_ = hand_g(
    state.players['g'].params,
    state.players['d'].params if update == 'alternating' else d,
    state.players['g'].vars['batch_stats'],
    fold(now, keys.G_MOVE),
  )
  assert tiny.distance(after.players['g'].params, other) > 1e-5


EVERY = tiny.PENALTIES


@pytest.mark.parametrize(
  'update, penalties',
  [
    *(('alternating', {name, 'r1'}) for name in EVERY),
    *((update, ()) for update in ('alternating', 'simultaneous')),
    ('simultaneous', EVERY),
  ],
)
def test_a_step_measures_what_it_is_said_to(penalties, update):
  """A running total is made before the first step, by these names."""
  penalties = dict.fromkeys(penalties, {})
  init, make_step = tiny.game(update=update, penalties=penalties)
  found = lambda key: make_step(None)(init(key), batches(1), key)[1]
  metrics = jax.eval_shape(found, jax.random.key(0))
  assert sorted(metrics) == sorted(tiny.names(penalties))


def test_the_average_follows_g():
  init, make_step = tiny.game(update='simultaneous')
  state = init(jax.random.key(0))
  after, _ = jax.jit(make_step(None))(state, batches(1), jax.random.key(0))
  decay = float(ema.make_decay(halflife_kimg=1.0, batch_size=tiny.BATCH)(1))
  want = jax.tree.map(
    lambda a, b: decay * a + (1 - decay) * b,
    state.players['g'].params,
    after.players['g'].params,
  )
  assert tiny.distance(after.ema['g']['params'], want) < 1e-6


# Players that are numbers: what they are given can be read off their gradients.


class Number(nn.Module):
  """G: [w] for every example. D: w * (x + label). Both count their labels."""

  judge: bool = False
  heads: bool = False
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    w = self.param('w', nn.initializers.ones, (1,))
    shift = 0.0 if label is None else label.astype(jnp.float32)
    if not self.judge:
      return w[None] * (jnp.ones((len(x), 1)) + jnp.reshape(shift, (-1, 1)))
    logits = w * (x[:, 0] + shift)
    return {'logits': logits, 'other': x} if self.heads else logits


def numbers(*, heads=False, d_steps=1, **kw):
  """(init, D's and G's own move, a step of both)."""
  parts = {
    'loss': 'wasserstein',
    'g': Number,
    'd': lambda: Number(judge=True, heads=heads),
    'optimizer': optax.sgd(RATE),
    'prior': latents.make_prior(dim=1),
    **kw,
  }
  init, make_step = tiny.game(d_steps=d_steps, **parts)
  rules = tiny.rules(**parts)
  moves = {player: step.move(rules, (player,)) for player in 'dg'}
  return init, moves, make_step(None)


def weight(player):
  return float(player.params['w'][0])


def reals(*values, label=None):
  x = jnp.asarray(values, jnp.float32)[:, :, None]  # [n, b, 1]
  batch = {'x': x, 'index': np.arange(x.shape[1]), 'step': 0}
  if label is not None:
    batch['label'] = jnp.asarray(label)
  return batch


KEY = jax.random.key(0)


def test_labels_reach_both_players():
  """Wasserstein: D moves by mean(real + label) - mean(fake + label)."""
  init, _, move = numbers()
  batch = reals([5.0, 7.0], label=[[2, 4]])
  state, metrics = move(init(KEY, jnp.zeros(1, jnp.int32)), batch, KEY)
  # G makes 1 + label, 3 and 5; with their labels that is 5 and 9 to D.
  assert float(metrics['d_real']) == 9 and float(metrics['d_fake']) == 7
  d = 1 + RATE * (9 - 7)
  assert weight(state.players['d']) == pytest.approx(d)
  # dG: mean over examples of d * (1 + label) = d * 4.
  assert weight(state.players['g']) == pytest.approx(1 + RATE * d * 4)


def test_each_move_of_d_has_its_batch_and_g_the_last():
  init, _, move = numbers(d_steps=2)
  state, _ = move(init(KEY), reals([3.0, 3.0], [8.0, 8.0]), KEY)
  assert weight(state.players['d']) == pytest.approx(
    1 + RATE * (3 - 1) + RATE * (8 - 1)
  )
  # A relativistic G looks at the reals: one batch more is for it alone.
  init, moves, move = numbers(loss='rpgan')
  start = init(KEY)
  fresh, _ = move(start, reals([3.0, 3.0], [8.0, 8.0]), KEY)
  moved, _ = moves['d'](start, step.take(reals([3.0, 3.0]), 0), KEY)
  assert weight(fresh.players['d']) == pytest.approx(weight(moved.players['d']))
  d = weight(moved.players['d'])
  # softplus(-(D(fake) - D(real))) with D(x) = d x, G = w.
  slope = -d / (1 + np.exp(d * (1 - 8)))
  assert weight(fresh.players['g']) == pytest.approx(1 - RATE * slope, rel=1e-5)


def test_each_update_moves_its_player_only():
  init, moves, _ = numbers(penalties={'r1': {}})
  state = init(KEY)
  batch = step.take(reals([3.0, 5.0]), 0)
  after, metrics = moves['g'](state, batch, KEY)
  assert after.players['d'] is state.players['d'] and after.memo == state.memo
  assert after.ema is state.ema and set(metrics) == {'g_loss'}
  after, metrics = moves['d'](state, batch, KEY)
  assert after.players['g'] is state.players['g'] and after.ema is state.ema
  assert int(after.step) == 0 and 'penalty_r1' in metrics


def test_penalties_enter_the_gradient():
  """R1 of D(x) = w x: gamma / 2 * w^2, its slope gamma * w."""
  init, _, move = numbers(penalties={'r1': {'gamma': 0.5}})
  state, metrics = move(init(KEY), reals([4.0, 4.0]), KEY)
  assert float(metrics['penalty_r1']) == pytest.approx(0.25)
  assert weight(state.players['d']) == pytest.approx(1 + RATE * (4 - 1 - 0.5))
  assert float(metrics['d_loss']) == pytest.approx(1 - 4)  # without penalties


def test_weights_are_clipped_after_ds_update_and_before_gs():
  init, _, move = numbers(penalties={'weight_clip': {'limit': 0.3}})
  state, _ = move(init(KEY), reals([4.0, 4.0]), KEY)
  assert weight(state.players['d']) == pytest.approx(0.3)
  assert weight(state.players['g']) == pytest.approx(1 + RATE * 0.3)


def test_d_may_have_heads():
  plain, heads = (numbers(heads=h, loss='hinge') for h in (False, True))
  batch = reals([0.3, 0.4])
  a, b = (game[2](game[0](KEY), batch, KEY)[0] for game in (plain, heads))
  assert weight(a.players['d']) == weight(b.players['d']) != 1
  found = forward.heads_of({'logits': jnp.ones(2, jnp.bfloat16)})
  assert found['logits'].dtype == jnp.float32


def test_fakes_differ_between_moves_steps_and_seeds():
  init, make_step = tiny.game(d_steps=2)
  state = init(KEY)
  same = {
    'x': jnp.broadcast_to(batches(1)['x'], (2, tiny.BATCH, 2)),
    'index': INDEX,
    'step': 0,
  }
  run = jax.jit(make_step(None))
  losses = {
    float(
      run(state._replace(step=jnp.int32(s)), same, jax.random.key(k))[1][name]
    )
    for s in (0, 1)
    for k in (0, 1)
    for name in ('g_loss', 'd_fake')
  }
  assert len(losses) == 8
