"""D that judges parts; a play with draws and more to give; losses of pairs."""

import types

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import forward, step, terms
from gan_jax.models.layers import pairs
from gan_jax.types import Augmentation, UserError
from tests.game.test_rules import made
from tests.game.test_step_extras import BATCH, INDEX, KEY, rules, start

LOSSES = select.available('losses')


class Parts(nn.Module):
  """Logits w x, 2 w x, 3 w x of the parts of a sample [B, 1]."""

  also: float | None = None  # a logit of the whole, in place of the mean
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    w = self.param('w', nn.initializers.ones, (1, 1))
    parts = w * x[:, 0, None] * jnp.arange(1.0, 4.0)[None]  # [B, 3]
    whole = {} if self.also is None else {'logits': self.also * x[:, 0]}
    return {'parts': parts.astype(jnp.bfloat16), **whole}


def test_the_logit_of_a_sample_is_the_mean_of_its_parts():
  game = rules(d=Parts)
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  np.testing.assert_allclose(seen.on_real['logits'], 2 * BATCH['x'][:, 0])
  assert seen.on_real['parts'].dtype == jnp.float32
  np.testing.assert_allclose(seen.critic(BATCH['x'])['logits'], [6, 10, 2, 4])


def test_a_logit_of_the_whole_is_left_alone():
  game = rules(d=lambda: Parts(also=7.0))
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  np.testing.assert_allclose(seen.on_real['logits'], 7 * BATCH['x'][:, 0])


@pytest.mark.parametrize('name', LOSSES)
def test_a_loss_of_parts_is_the_mean_of_the_games_of_each(name):
  loss, rng = select.loss(name), np.random.default_rng(0)
  real, fake = rng.normal(size=(2, 5, 3)).astype(np.float32)
  for function in loss:
    found = terms.of_judgements(function, real, fake)
    each = [function(real[:, p], fake[:, p]) for p in range(3)]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-6)
    whole = terms.of_judgements(function, real[:, 0], fake[:, 0])
    np.testing.assert_array_equal(whole, each[0])


def test_a_step_is_of_the_parts():
  """Least squares of D(x)_p = p w x, by hand."""
  game = rules(d=Parts, loss='lsgan')
  _, change = step.gradient(game, ('d',))(start(game), BATCH, KEY)
  p, x = np.arange(1.0, 4.0), np.asarray(BATCH['x'])
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  fake = np.asarray(seen.fake)
  want = ((p * x - 1) ** 2 / 2 + (p * fake) ** 2 / 2).mean()
  assert float(change.metrics['d_loss']) == pytest.approx(want, rel=1e-2)


# A play


def play(run, net, batch, latent):
  """Fakes with noise of their own; the noise is told."""
  noise = jax.vmap(lambda key: jax.random.normal(key, (1,)))(batch['key'])
  return batch['x'], run('g', latent) + noise, latent, {'noise': noise}


def test_a_play_draws_for_each_example_and_tells_the_terms():
  game = rules(play=play)
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  noise = np.asarray(seen.also['noise'])
  assert len(np.unique(noise)) == 4
  assert abs(noise - np.asarray(seen.latent)).min() > 1e-3  # not the latent's
  part = jax.tree.map(lambda x: x[2:], {**BATCH, 'step': INDEX})
  part = {**part, 'step': 0, 'index': INDEX[2:]}
  own, _ = forward.forward(game, start(game), part, KEY)
  np.testing.assert_array_equal(own.also['noise'], noise[2:])


def test_without_more_there_is_nothing_else():
  game = rules()
  assert forward.forward(game, start(game), BATCH, KEY)[0].also == {}


# Pairs


@pytest.mark.parametrize('name', ['cross_entropy', 'lsgan', 'wasserstein'])
def test_the_two_sides_of_a_loss_of_pairs(name):
  loss = select.loss(name)
  own = pairs.both_sides(loss)
  real, fake = np.float32([0.5, -1.0]), np.float32([2.0, 0.25])
  want = {
    'cross_entropy': np.log1p(np.exp(-fake)) + np.log1p(np.exp(real)),
    'lsgan': (fake - 1) ** 2 / 2 + real**2 / 2,
    'wasserstein': real - fake,
  }
  np.testing.assert_allclose(own.g_loss(real, fake), want[name], rtol=1e-6)
  np.testing.assert_array_equal(own.d_loss(real, fake), loss.d_loss(real, fake))


class Both(nn.Module):
  """The sum of both parts of a pair."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, pair, label=None, *, train):
    w = self.param('w', nn.initializers.ones, (1,))
    return w * (pair[0] + pair[1])[:, 0]


def beside(run, net, batch, latent):
  return (batch['x'], latent), (run('g', latent), latent), latent


def test_of_pairs_the_samples_are_augmented():
  tenfold = Augmentation(apply=lambda x, memo, *, key: 10 * x)
  game = rules(d=Both, play=beside, augment=tenfold)
  seen, _ = forward.forward(game, start(game), BATCH, KEY)
  z, x = np.asarray(seen.latent)[:, 0], np.asarray(BATCH['x'])[:, 0]
  fake = np.asarray(seen.fake[0])[:, 0]
  logits = [h['logits'] for h in (seen.on_real, seen.on_fake)]
  np.testing.assert_allclose(logits, [10 * x + z, 10 * fake + z], rtol=1e-6)
  again = seen.critic((x[:, None], z[:, None]))['logits']
  np.testing.assert_allclose(again, logits[0], rtol=1e-6)


def module(tmp_path, monkeypatch, name, text):
  (tmp_path / f'{name}.py').write_text(text)
  monkeypatch.syspath_prepend(tmp_path)
  return name


MODEL = """
from gan_jax.models.layers.pairs import both_sides as adversarial
from gan_jax.models.mlp import Discriminator, Generator


def make_prior(shape, *, dim: int = 2):
  import jax
  return lambda key: jax.random.normal(key, (*shape, dim))
"""


def test_a_model_has_a_word_in_the_loss_and_sees_the_shape(
  tmp_path, monkeypatch
):
  folder = tmp_path / 'own_models'
  folder.mkdir()
  module(folder, monkeypatch, 'paired', MODEL)
  monkeypatch.syspath_prepend(tmp_path)
  nets = {'name': 'own_models.paired', 'g': {}, 'd': {}}
  game = made(model=nets, latent={'dim': 3}, loss={'name': 'wasserstein'}).game
  assert game.prior(KEY).shape == (8, 8, 1, 3)
  logits = lambda *x: {'logits': jnp.float32(x)}
  seen = types.SimpleNamespace(on_real=logits(3.0), on_fake=logits(1.0))
  value, _ = game.terms['g']['loss'].value(seen, (), key=None)
  np.testing.assert_allclose(value, [2.0])
  with pytest.raises(UserError, match='latent.shape: unknown'):
    made(model=nets, latent={'shape': (2,)})
