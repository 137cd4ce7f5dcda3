"""LOGAN by hand: how latents move, what that costs, whose gradients see it."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import forward, keys, step
from gan_jax.game.objectives import moves_of
from gan_jax.penalties import logan
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests.components import conformance
from tests.game import test_step_extras as line

B, Z = 4, 3
RNG = np.random.default_rng(0)
A, V = RNG.normal(size=(Z, 2)), RNG.normal(size=2)
LATENT = np.float32(RNG.uniform(-1, 1, size=(B, Z)))
KEYS = keys.example_keys(jax.random.key(5), B)


def net(player, x, label=None):
  """G: z A; D: x V + |x|^2 / 2, whose slope in z is A (V + z A)."""
  if player == 'g':
    return x @ jnp.float32(A)
  return x @ jnp.float32(V) + jnp.square(x).sum(1) / 2


def slope(z):
  return (V + z @ A) @ A.T


def mask(i, keep):
  own = keys.fold_each(KEYS, i)
  return np.stack([jax.random.uniform(key, (Z,)) < keep for key in own])


def move(latent=LATENT, **options):
  run = lambda z: logan.move_latent(z, net, None, key=KEYS, **options)
  return jax.jit(run)(latent)


def test_the_published_step():
  g = slope(LATENT)
  dz = 0.9 * g / (0.1 + (g**2).sum(1, keepdims=True))
  want = LATENT + mask(0, 0.8) * dz
  np.testing.assert_allclose(move(), want, rtol=1e-4, atol=1e-6)
  assert 0 < mask(0, 0.8).mean() < 1


def test_steps_options_and_bounds():
  options = {'rate': 2.0, 'damping': 0.5, 'p': 0.6, 'steps': 3}
  want = np.float64(LATENT)
  for i in range(3):
    g = slope(want)
    own = 2.0 * g / (0.5 + (g**2).sum(1, keepdims=True))
    want = np.clip(want + mask(i, 0.6) * own, -1, 1)
  found = move(**options, clip=True)
  np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-5)
  assert np.abs(found).max() == 1 and np.abs(move(**options)).max() > 1


def test_noise_beside_a_code_stays():
  noise = (jnp.ones((B, 2)),)
  both = {'z': jnp.asarray(LATENT), 'noise': noise}
  seen = lambda player, x, label: net(player, x['z'] if player == 'g' else x)
  found = logan.move_latent(both, seen, None, key=KEYS)
  np.testing.assert_allclose(found['z'], move(), rtol=1e-5)
  assert found['noise'] is noise


def test_both_players_pay_the_squared_way():
  seen = types.SimpleNamespace(latent=move(), also={'drawn': LATENT})
  want = ((move() - LATENT) ** 2).sum(1)
  for term in (logan.d_term, logan.g_term):
    value, memo = term(seen, ())
    np.testing.assert_allclose(value, 0.1 * want, rtol=1e-5)
    np.testing.assert_allclose(term(seen, (), weight=3.0)[0], 3 * want, 1e-5)
    assert memo == ()


# A game of one weight each: G makes w z, D says v w z.


def game(second_order=True, weight=0.5):
  own = {'rate': 0.3, 'damping': 0.2, 'p': 1.0}
  penalty = select.penalty(
    'logan', weight=weight, second_order=second_order, **own
  )
  made = line.rules(penalties={'logan': penalty})
  return made._replace(moves=moves_of({'logan': penalty}))


def moved(v, w, z, fixed=None):
  g = v * w if fixed is None else fixed
  return z + 0.3 * g / (0.2 + g**2)


@pytest.mark.parametrize('second_order', [True, False])
def test_the_players_gradients(second_order):
  made = game(second_order)
  state = line.start(made)
  params = {'d': 1.3, 'g': 0.7}
  state = step.with_params(
    state, {k: {'w': jnp.full(1, x)} for k, x in params.items()}
  )
  grads, change = step.gradient(made, ('d',))(state, line.BATCH, line.KEY)
  z = line.z_of()[:, 0].astype(np.float64)
  # D pays mean(fake - real) + weight (z' - z)^2, by central differences.
  fixed = None if second_order else 1.3 * 0.7

  def loss(v):
    at = moved(v, 0.7, z, fixed)
    real = v * np.float64(line.REAL[:, 0])
    return (v * 0.7 * at - real + 0.5 * (at - z) ** 2).mean()

  h = 1e-6
  want = (loss(1.3 + h) - loss(1.3 - h)) / (2 * h)
  np.testing.assert_allclose(grads['d']['w'][0], want, rtol=1e-3)
  fell = 0.5 * ((moved(1.3, 0.7, z) - z) ** 2).mean()
  np.testing.assert_allclose(change.metrics['penalty_logan'], fell, rtol=1e-4)
  seen, _ = forward.forward(made, state, line.BATCH, line.KEY)
  np.testing.assert_allclose(seen.also['drawn'][:, 0], z, rtol=1e-6)
  np.testing.assert_allclose(seen.fake[:, 0], 0.7 * moved(1.3, 0.7, z), 1e-5)


def test_its_numbers_may_follow_the_steps():
  falls = {
    'name': 'linear_schedule',
    'init_value': 1.0,
    'end_value': 0.0,
    'transition_steps': 4,
  }
  own = {'penalties': {'logan': {'rate': falls}}}
  made, state, batch = conformance.game_of((2,), **own)

  def way(at):
    seen, _ = forward.forward(
      made.game, state, batch | {'step': at}, conformance.KEY
    )
    return jnp.abs(seen.latent - seen.also['drawn']).max()

  ways = [float(jax.jit(way)(at)) for at in (0, 2, 4)]
  np.testing.assert_allclose(ways, [ways[0], ways[0] / 2, 0], rtol=1e-4)
  assert ways[0] > 0.01


@pytest.mark.parametrize(
  'changes, words',
  [
    ({'penalties': {'logan': {'steps': 0}}}, r'logan\.steps=0: expected at'),
    ({'penalties': {'logan': {'every': 2}}}, r'logan\.every=2: expected 1'),
    (
      {'penalties': {'logan': {}}, 'model': {'name': 'bigan'}},
      r'penalties\.logan: moves the latents of the usual game.*bigan has',
    ),
    (
      {'penalties': {'tests.components.test_logan': {}}},
      r'test_logan: move_latent gives .* as it was before',
    ),
  ],
)
def test_what_is_refused(changes, words):
  config = command.load_config('configs/ring8.py:tiny')
  if 'model' in changes:
    config |= {'model': {'g': {}, 'd': {}} | changes['model']}
  with pytest.raises(UserError, match=words):
    setup_lib.build(config | changes | {'penalties': changes['penalties']})


def move_latent(latent, net, label, *, key):
  """Of the penalty that this file is: it changes the shape."""
  del net, label, key
  return latent[:, :1]


def d_term(forward, memo):
  return forward.on_fake['logits'], memo
