"""What encoders pay, and the gate of VAE/GAN, against their formulas."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from gan_jax.dynamics import equilibrium
from gan_jax.penalties import kl, reconstruction
from gan_jax.types import UserError
from tests.components.test_encoder_models import (
  KEY,
  SMALL,
  TERMS,
  game_of,
  started,
)
from tests.game import test_step_extras


def test_the_divergence_is_the_integral():
  law = {
    'mean': jnp.float32([[0.5, -1.0], [0, 0]]),
    'log_variance': jnp.log(jnp.float32([[0.5, 2.0], [1, 1]])),
  }

  def by_integral(mean, variance):
    p, q = scipy.stats.norm(mean, variance**0.5), scipy.stats.norm()
    inside = lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x))
    return scipy.integrate.quad(inside, -20, 20)[0]

  want = [by_integral(0.5, 0.5) + by_integral(-1, 2), 0]
  np.testing.assert_allclose(kl.divergence(law), want, atol=1e-6)
  seen = types.SimpleNamespace(also={'code': law})
  value, memo = kl.e_term(seen, (), weight=3.0)
  np.testing.assert_allclose(value, 3 * np.array(want), atol=1e-5)
  assert memo == ()


def test_a_code_without_a_law_has_no_divergence():
  for also in ({}, {'code': jnp.ones((2, 3))}):
    with pytest.raises(UserError, match='a mean and a variance'):
      kl.e_term(types.SimpleNamespace(also=also), ())


@pytest.mark.parametrize('space', reconstruction.SPACES)
@pytest.mark.parametrize('over', reconstruction.OVER)
def test_reconstruction_is_half_of_the_squared_distance(space, over):
  rng = np.random.default_rng(0)
  x, rebuilt = rng.normal(size=(2, 3, 4, 4, 1)).astype(np.float32)
  feature = lambda x: x.reshape(3, -1)[:, :5] * 2
  seen = types.SimpleNamespace(
    batch={'x': x},
    also={'rebuilt': rebuilt},
    critic=lambda x: {'logits': x.sum(), 'features': feature(x)},
  )
  value, _ = reconstruction.e_term(seen, (), weight=0.5, space=space, over=over)
  a, b = (x, rebuilt) if space == 'samples' else (feature(x), feature(rebuilt))
  own = ((a - b) ** 2).reshape(3, -1)
  want = 0.25 * (own.sum(1) if over == 'sum' else own.mean(1))
  np.testing.assert_allclose(value, want, rtol=1e-5)


@pytest.mark.parametrize(
  'also, options, words',
  [
    ({}, {}, 'rebuilds no samples'),
    ({'rebuilt': 0}, {'space': 'pixels'}, "space='pixels'.*samples, features"),
    ({'rebuilt': 0}, {'over': 'max'}, "over='max'.*sum, mean"),
    ({'rebuilt': 0}, {'space': 'features'}, 'D gives none'),
  ],
)
def test_reconstruction_says_what_is_missing(also, options, words):
  logits = lambda x: {'logits': x}
  seen = types.SimpleNamespace(also=also, batch={'x': 0}, critic=logits)
  with pytest.raises(UserError, match=words):
    reconstruction.e_term(seen, (), **options)


@pytest.mark.parametrize(
  'costs, moves',
  [
    ((0.7, 0.7), (True, True)),
    ((0.2, 0.7), (False, True)),  # D knows the reals too well
    ((0.7, 0.1), (False, True)),
    ((1.2, 0.7), (True, False)),  # G fools it
    ((0.7, 1.2), (True, False)),
    ((0.2, 1.2), (True, True)),  # neither would move
  ],
)
def test_the_gate(costs, moves):
  found = equilibrium.gate(jnp.float32(costs), equilibrium=0.68, margin=0.4)
  assert tuple(map(bool, found)) == moves


@pytest.mark.parametrize('at, still', [(100.0, 'd'), (-100.0, 'g'), (0.68, '')])
def test_who_waits_stays_as_it_is(at, still):
  rules = test_step_extras.rules(loss='cross_entropy')
  state = test_step_extras.start(rules)
  batch = test_step_extras.BATCH
  step = equilibrium.make(rules, equilibrium=at, margin=0.6)
  after, _ = step(state, {**batch, 'x': batch['x'][None]}, KEY)
  weights = test_step_extras.weight
  waits = [p for p in 'gd' if weights(state, p) == weights(after, p)]
  assert ''.join(waits) == still
  # The average is of a G that there was.
  rules = rules._replace(decay={'g': lambda step: 0.0})
  step = equilibrium.make(rules, equilibrium=at, margin=0.6)
  state = test_step_extras.start(rules)
  after, _ = step(state, {**batch, 'x': batch['x'][None]}, KEY)
  average, g = after.ema['g']['params'], after.players['g'].params
  jax.tree.map(np.testing.assert_array_equal, average, g)


@pytest.mark.slow
@pytest.mark.parametrize('at, still', [(100.0, 'd'), (-100.0, 'g'), (0.68, '')])
def test_who_waits_stays_as_it_is_with_its_optimizer(at, still):
  import jax

  game, batch = game_of(
    'vae_gan',
    nets=SMALL['vae_gan'],
    penalties=TERMS['vae_gan'],
    dynamics={'name': 'equilibrium'},
  )
  state = jax.jit(lambda: started(game, batch))()
  many = {k: v[None] if k == 'x' else v for k, v in batch.items()}
  run = jax.jit(equilibrium.make(game, equilibrium=at, margin=0.6))
  after, _ = run(state, many, KEY)
  same = lambda a, b: all(
    (x == y).all()
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
  )
  waits = ''.join(p for p in 'gde' if same(state.players[p], after.players[p]))
  assert waits == still
