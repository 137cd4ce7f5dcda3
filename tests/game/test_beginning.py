"""The first state of a game: which key each network begins with."""

import zlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import beginning, forward, keys, latents
from tests import tiny

KEY = jax.random.key(4)
BATCH = {'x': jnp.ones((1, 2)), 'index': jnp.zeros(1, int), 'step': 0}


class Scaled(nn.Module):
  """A dense layer, times what a play has to say."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train, times):
    return times * nn.Dense(2)(x)


def play(run, net, batch, latent):
  """E's samples are what D is shown as real."""
  real = run('e', batch['x'], times=3.0)
  return real, run('g', latent, None), latent


def rules():
  prior = latents.make_prior(dim=tiny.DIM)
  return tiny.rules(others=(('e', Scaled()),), play=play, prior=prior)


def test_each_network_has_a_key_of_its_own():
  game = rules()
  state = beginning.init(game, KEY, BATCH)
  root = jax.random.fold_in(KEY, keys.INIT)
  g_key, d_key = jax.random.split(root)
  e_key = jax.random.fold_in(root, zlib.crc32(b'e') // 2)
  inputs = {'g': jnp.ones((1, tiny.DIM)), 'd': BATCH['x'], 'e': BATCH['x']}
  for name, key in {'g': g_key, 'd': d_key, 'e': e_key}.items():
    said = {'times': 3.0} if name == 'e' else {}
    want = game.nets[name].init(key, inputs[name], train=False, **said)
    want = want['params']
    assert tiny.distance(state.players[name].params, want) == 0, name


def test_what_a_play_says_beside_the_inputs_reaches_the_network():
  game = rules()
  state = beginning.init(game, KEY, BATCH)
  seen, _ = forward.forward(game, state, BATCH, KEY)
  layer = state.players['e'].params['Dense_0']
  want = 3 * (BATCH['x'] @ layer['kernel'] + layer['bias'][None])
  np.testing.assert_allclose(seen.real, want, rtol=1e-5)
  shapes = []

  def look(run, net, batch, latent):
    real, fake, latent = play(run, net, batch, latent)
    shapes.append(np.asarray(real))
    return real, fake, latent

  beginning.init(game._replace(play=look), KEY, BATCH)
  np.testing.assert_allclose(shapes[0], want, rtol=1e-5)


def test_all_heads_are_kept_and_logits_are_float32():
  heads = {'logits': jnp.ones(2, jnp.bfloat16), 'features': jnp.ones((2, 3))}
  found = forward.heads_of(heads)
  assert found['features'] is heads['features']
  assert found['logits'].dtype == jnp.float32
  assert set(forward.heads_of(jnp.ones(2))) == {'logits'}
