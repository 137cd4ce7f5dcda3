"""Models with an encoder: counts, what moves whom, codes that do not fit."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import beginning, forward, keys, step
from gan_jax.game import rules as rules_lib
from gan_jax.models.layers import codes, pairs
from gan_jax.run import command
from gan_jax.types import UserError

KEY = jax.random.key(0)
SMALL = {
  'bigan': dict.fromkeys('gde', {'hidden': (4,)}),
  'aae': dict.fromkeys('gde', {'hidden': (4,)}),
  'ali': {
    'g': {'widths': (4, 3)},
    'd': {'widths': (3, 4), 'code_hidden': (3,), 'hidden': (4,)},
    'e': {'widths': (3, 4)},
  },
  'vae_gan': {
    'g': {'start': 3, 'widths': (4, 3)},
    'd': {'first': 2, 'widths': (3, 4), 'hidden': 4},
    'e': {'widths': (3, 4), 'hidden': 4},
  },
}
TERMS = {
  'vae_gan': {'kl': {}, 'reconstruction': {'space': 'features'}},
  'aae': {'reconstruction': {}},
}
# By hand, of 28 x 28 x 1 (VAE/GAN: 64 x 64 x 3, its paper's) and Z = 50 (128).
W = 1024
D_BIGAN = (834 * W + W) + (W * W + 2 * W) + (W + 1)
GOLDEN = {
  'bigan': (
    (50 * W + 2 * W) + (W * W + 2 * W) + (W * 784 + 784),
    D_BIGAN,
    (784 * W + W) + (W * W + 2 * W) + (W * 50 + 50),
  ),
  'aae': (
    (50 * 1000 + 1000) + (1000 * 1000 + 1000) + (1000 * 784 + 784),
    (50 * 1000 + 1000) + (1000 * 1000 + 1000) + 1001,
    (784 * 1000 + 1000) + (1000 * 1000 + 1000) + (1000 * 50 + 50),
  ),
  'ali': (
    (50 * 6272 + 2 * 128) + (16 * 128 * 64 + 2 * 64) + (16 * 64 + 1),
    (16 * 64 + 64) + (16 * 64 * 128 + 128)
    + (50 * 512 + 512) + (512 * 512 + 512)
    + ((6272 + 512) * W + W) + (W * W + W) + (W + 1),
    (16 * 64 + 64) + (16 * 64 * 128 + 2 * 128) + 2 * (6272 * 50 + 50),
  ),
  'vae_gan': (
    (128 * 16384 + 2 * 16384)
    + (25 * 256 * 256 + 512) + (25 * 256 * 128 + 256) + (25 * 128 * 32 + 64)
    + (25 * 32 * 3 + 3),
    (25 * 3 * 32 + 32)
    + (25 * 32 * 128 + 256) + (25 * 128 * 256 + 512) + (25 * 256 * 256 + 512)
    + (16384 * 512 + 1024) + 513,
    (25 * 3 * 64 + 128) + (25 * 64 * 128 + 256) + (25 * 128 * 256 + 512)
    + (16384 * W + 2 * W) + 2 * (W * 128 + 128),
  ),
}  # fmt: skip


def game_of(name, *, shape=(8, 8, 1), dim=5, nets=None, classes=0, **changed):
  """(Rules, batch) of a model's game."""
  config = command.load_config('ring8:tiny', {'penalties': {}})
  config |= {'latent': {'name': 'normal', 'dim': dim}, **changed}
  config['model'] = {'name': name, **(nets or dict.fromkeys('gde', {}))}
  given = rules_lib.Given(shape, classes, jnp.float32, 4)
  made = rules_lib.make(rules_lib.complete(config), given)
  x = np.tanh(np.random.default_rng(0).normal(size=(4, *shape)))
  batch = {'x': jnp.float32(x), 'index': jnp.arange(4), 'step': jnp.int32(0)}
  if classes:
    batch['label'] = jnp.arange(4) % classes
  return made.game, batch


def started(game, batch):
  one = {k: v if k == 'step' else v[:1] for k, v in batch.items()}
  return beginning.init(game, KEY, one)


@pytest.mark.parametrize('name', GOLDEN)
def test_golden_parameter_counts(name):
  paper = {'shape': (64, 64, 3), 'dim': 128} if name == 'vae_gan' else {}
  game, batch = game_of(name, **{'shape': (28, 28, 1), 'dim': 50, **paper})
  state = jax.eval_shape(lambda: started(game, batch))
  count = lambda p: sum(x.size for x in jax.tree.leaves(p.params))
  assert tuple(count(state.players[p]) for p in 'gde') == GOLDEN[name]


@pytest.mark.parametrize('classes', [0, 3])
@pytest.mark.parametrize('name', SMALL)
def test_codes_are_latents_and_d_judges_each_example(name, classes):
  game, batch = game_of(
    name, nets=SMALL[name], classes=classes, penalties=TERMS.get(name, {})
  )

  def seen():
    state = started(game, batch)
    seen, _ = forward.forward(game, state, batch, KEY)
    functions = dict.fromkeys(('critic', 'net', 'slopes', 'prior'))
    return seen._replace(**functions)

  made = jax.eval_shape(seen)
  assert made.on_real['logits'].shape == made.on_fake['logits'].shape == (4,)
  if 'code' in made.also:
    assert codes.mean_of(made.also['code']).shape == (4, 5)
  if 'rebuilt' in made.also:
    assert made.also['rebuilt'].shape == batch['x'].shape


@pytest.fixture(scope='module')
def slopes():
  """{model: {term: {player: norm of its gradient}}} of what is not D's."""
  found = {}
  for name in SMALL:
    game, batch = game_of(name, nets=SMALL[name], penalties=TERMS.get(name, {}))
    each = keys.fold_examples(KEY, batch['index'])

    def of_terms(params, state, game=game, batch=batch, each=each):
      moving = step.with_params(state, params)
      seen, _ = forward.forward(game, moving, batch, KEY)
      return {
        term.label: term.value(seen, (), key=each)[0].mean()
        for player in 'ge'
        for term in game.terms.get(player, {}).values()
      }

    def norms(state, of_terms=of_terms):
      params = step.params_of(state, 'ge')
      slope = jax.jacrev(of_terms)(params, state)
      norm = lambda t: sum(jnp.abs(x).sum() for x in jax.tree.leaves(t))
      return {k: {p: norm(v[p]) for p in 'ge'} for k, v in slope.items()}

    state = jax.jit(lambda game=game, b=batch: started(game, b))()
    found[name] = jax.device_get(jax.jit(norms)(state))
  return found


@pytest.mark.slow
def test_who_is_moved_by_what(slopes):
  moved = {
    (model, term): ''.join(p for p in 'ge' if norm[p] > 0)
    for model, terms in slopes.items()
    for term, norm in terms.items()
  }
  assert moved == {
    ('bigan', 'g_loss'): 'ge',
    ('ali', 'g_loss'): 'ge',
    ('vae_gan', 'g_loss'): 'g',  # no gradient of the game reaches the encoder
    ('vae_gan', 'e_penalty_kl'): 'e',
    ('vae_gan', 'e_penalty_reconstruction'): 'ge',
    ('aae', 'g_loss'): 'e',
    ('aae', 'e_penalty_reconstruction'): 'ge',
  }


def test_codes_that_are_no_latents_are_refused():
  with pytest.raises(UserError, match=r'codes of shape \[3\].* latents of.*5'):
    codes.check(jnp.ones((2, 3)), jnp.ones((2, 5)))
  codes.check(jnp.ones((2, 5)), jnp.ones((2, 5)))


def test_a_code_is_drawn_of_its_law():
  n = 4000
  law = {
    'mean': jnp.tile(jnp.float32([1, -2]), (n, 1)),
    'log_variance': jnp.tile(jnp.log(jnp.float32([4, 0.25])), (n, 1)),
  }
  drawn = codes.draw(law, keys.fold_examples(KEY, jnp.arange(n)))
  np.testing.assert_allclose(drawn.mean(0), [1, -2], atol=0.1)
  np.testing.assert_allclose(drawn.std(0), [2, 0.5], rtol=0.05)
  np.testing.assert_array_equal(codes.mean_of(law), law['mean'])
  np.testing.assert_array_equal(codes.mean_of(drawn), drawn)


def test_bigan_and_ali_play_both_sides_of_the_loss():
  for name in ('bigan', 'ali'):
    module = importlib.import_module(f'gan_jax.models.{name}')
    assert module.adversarial is pairs.both_sides
  real, fake = jnp.float32([2.0, -1.0]), jnp.float32([0.5, 3.0])
  loss = pairs.both_sides(select.loss('cross_entropy'))
  soft = lambda x: np.log1p(np.exp(x))
  np.testing.assert_allclose(
    loss.d_loss(real, fake), soft(-real) + soft(fake), 1e-6
  )
  np.testing.assert_allclose(
    loss.g_loss(real, fake), soft(-fake) + soft(real), 1e-6
  )
