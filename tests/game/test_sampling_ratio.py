"""Samplers that a discriminator corrects, on games whose densities are known.

G makes a standard normal number, the data are a mixture; an optimal D's logit
is the logarithm of the ratio of their densities.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from gan_jax.game import keys as keys_lib
from gan_jax.game.sampling import calibration, chains, rejection

# Narrow within the normal law, so that the ratio has a maximum.
WEIGHTS, MEANS, STD = np.array([0.3, 0.7]), np.array([-1.0, 0.5]), 0.4


def log_ratio(x):
  """log p_d(x) / p_g(x), [B] -> [B]."""
  parts = jax.scipy.stats.norm.logpdf(x[:, None], MEANS[None], STD)
  data = jax.scipy.special.logsumexp(parts + np.log(WEIGHTS)[None], axis=1)
  return data - jax.scipy.stats.norm.logpdf(x)


def cdf(x):
  """Of the data."""
  return (WEIGHTS * stats.norm.cdf(np.asarray(x)[:, None], MEANS, STD)).sum(1)


def propose(keys, place=None):
  """A sample of G for each key, and its logit."""
  x = jax.vmap(jax.random.normal)(keys)
  return x, log_ratio(x)


def keys(count, seed=0):
  return keys_lib.fold_examples(jax.random.key(seed), jnp.arange(count))


GRID = np.linspace(-4, 4, 100_001)
MOST = float(log_ratio(jnp.asarray(GRID, jnp.float32)).max())


@pytest.fixture(scope='module')
def accepted():
  draw = jax.jit(functools.partial(rejection.draw, propose))
  return jax.device_get(draw(keys(4000), most=MOST))


def test_what_is_accepted_follows_the_data(accepted):
  x, _, there = accepted
  assert there.all()
  assert stats.kstest(x, cdf).pvalue > 0.05
  proposed, _ = propose(keys(4000))
  assert stats.kstest(proposed, cdf).pvalue < 1e-6  # G's own do not


def test_one_in_m_is_accepted(accepted):
  _, tries, _ = accepted
  share = 1 / np.exp(MOST)
  found = 1 / tries.mean()
  deviation = share * np.sqrt((1 - share) / len(tries))  # of a geometric law
  assert abs(found - share) < 4 * deviation
  # The tries are geometric: so many need just one.
  once = (tries == 1).mean()
  assert abs(once - share) < 4 * np.sqrt(share * (1 - share) / len(tries))


def test_a_sample_is_its_keys_alone(accepted):
  x, tries, _ = accepted
  few = jax.jit(functools.partial(rejection.draw, propose))(
    keys(4000)[100:107], most=MOST
  )
  np.testing.assert_allclose(few[0], x[100:107], rtol=1e-6)
  np.testing.assert_array_equal(few[1], tries[100:107])
  for i in (3, 50):  # by hand, one try after the other
    for attempt in range(1000):
      own = jax.random.fold_in(keys(4000)[i], attempt)
      one, logit = propose(own[None])
      decide = jax.random.fold_in(own, 2**31 - 2)
      chance = jax.nn.sigmoid(rejection.merits(logit, MOST))[0]
      if jax.random.uniform(decide) < chance:
        break
    np.testing.assert_allclose(x[i], one[0], rtol=1e-6)
    assert tries[i] == attempt + 1


def test_merits_are_the_published_form():
  s, most, gamma = np.array([-3.0, 0.2, 1.4]), 1.5, 0.3
  want = s - most - np.log(1 - np.exp(s - most - 1e-14)) - gamma
  found = rejection.merits(jnp.float32(s), most, gamma)
  np.testing.assert_allclose(found, want, rtol=1e-4)
  plain = jax.nn.sigmoid(rejection.merits(jnp.float32(s), most))
  np.testing.assert_allclose(plain, np.exp(s - most), rtol=1e-5)
  above = jax.nn.sigmoid(rejection.merits(jnp.array([1.5, 9.0]), most))
  np.testing.assert_array_equal(above, [1, 1])


def test_gamma_accepts_its_share():
  s = jnp.linspace(-3, 1, 1001)
  gamma = rejection.gamma_of(s, 1.0, 80)
  chance = jax.nn.sigmoid(rejection.merits(s, 1.0, gamma))
  assert abs(float((chance > 0.5).mean()) - 0.2) < 0.01
  assert float(chance.mean()) != pytest.approx(np.exp(s - 1).mean(), rel=0.02)


def test_a_sample_that_is_never_accepted_is_said_so():
  def bad(keys, place):
    x, logits = propose(keys)
    return x, jnp.where(place == 1, -100.0, 50.0)

  _, tries, there = rejection.draw(bad, keys(3), most=50.0, tries=20)
  assert there.tolist() == [True, False, True]
  assert tries[0] == tries[2] == 1 and tries[1] > 20


def test_independence_chains_end_in_the_data():
  real = np.random.default_rng(0)
  which = real.choice(2, 3000, p=WEIGHTS)
  begin = jnp.float32(real.normal(MEANS[which], STD))
  run = jax.jit(
    functools.partial(chains.metropolis_hastings, propose, steps=60)
  )
  x, logits, moved = jax.device_get(run(keys(3000, 1), log_ratio(begin)))
  assert moved.mean() > 0.99
  assert stats.kstest(x[moved], cdf).pvalue > 0.05
  np.testing.assert_allclose(logits, log_ratio(x), atol=1e-5)
  # Two steps from the worst logit: the first is taken for sure.
  low = jnp.full(3000, -1e9)
  x, _, moved = chains.metropolis_hastings(propose, keys(3000, 2), low, steps=1)
  assert moved.all() and stats.kstest(x, 'norm').pvalue > 0.05


def test_a_chain_moves_with_the_published_probability():
  logits = jnp.full(4000, 0.0)
  worse = lambda keys: (jnp.ones(len(keys)), jnp.full(len(keys), -0.7))
  *_, moved = chains.metropolis_hastings(worse, keys(4000), logits, steps=1)
  share = np.exp(-0.7)
  assert abs(moved.mean() - share) < 4 * np.sqrt(share * (1 - share) / 4000)


def test_a_chain_keeps_or_takes_all_of_a_sample():
  """Whole samples of any rank, each chain its own."""

  def wide(keys):
    x, logits = propose(keys)
    return {'one': x, 'many': jnp.tile(x[:, None, None], (1, 2, 3))}, logits

  own, low = keys(50), jnp.full(50, MOST)
  tree, logits, moved = chains.metropolis_hastings(wide, own, low, steps=2)
  assert 0 < moved.sum() < 50
  alone, same, _ = chains.metropolis_hastings(propose, own, low, steps=2)
  np.testing.assert_array_equal(tree['one'], alone)
  np.testing.assert_array_equal(logits, same)
  np.testing.assert_array_equal(
    tree['many'], np.broadcast_to(alone[:, None, None], (50, 2, 3))
  )


def test_langevin_ends_in_the_data():
  def energy(z):
    return chains.normal_energy(z) - log_ratio(z[:, 0])

  begin = jax.vmap(lambda key: jax.random.normal(key, (1,)))(keys(1500, 3))
  run = jax.jit(
    functools.partial(chains.langevin, energy, steps=1500, rate=0.01)
  )
  z = np.asarray(run(begin, keys(1500, 4)))[:, 0]
  assert stats.kstest(z, cdf).pvalue > 0.01
  assert stats.kstest(begin[:, 0], cdf).pvalue < 1e-6


def test_langevin_of_a_normal_law_is_the_recursion():
  z0 = {'a': jnp.ones((2, 3)), 'b': jnp.full((2, 1), 2.0)}
  still = chains.langevin(
    chains.normal_energy, z0, keys(2), steps=5, rate=0.2, noise=0.0
  )
  # The slope of the energy is z itself.
  want = jax.tree.map(lambda x: np.asarray(x) * 0.9**5, z0)
  jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, 1e-5), still, want)
  two = {rate: {} for rate in (0.2, 0.4)}
  for rate in two:
    two[rate] = chains.langevin(
      lambda z: 0.0 * z.sum(1), jnp.zeros((500, 8)), keys(500), steps=3,
      rate=rate,
    )  # fmt: skip
    assert two[rate].var() == pytest.approx(3 * rate, rel=0.1)


def test_calibration_is_logistic_regression():
  draw = np.random.default_rng(0)
  real, fake = draw.normal(1.0, 2.0, 600), draw.normal(-0.5, 2.0, 400)
  slope, offset = calibration.fit(real, fake)
  weight = np.repeat([1 / 600, 1 / 400], [600, 400]) * 500
  by = LogisticRegression(C=1e8, tol=1e-10, max_iter=1000).fit(
    np.concatenate([real, fake])[:, None], np.repeat([1, 0], [600, 400]), weight
  )
  assert slope == pytest.approx(by.coef_[0, 0], rel=1e-4)
  assert offset == pytest.approx(by.intercept_[0], rel=1e-3)
  # Of normal laws the ratio is known: 1.5 / 4 s - (1 - .25) / 8.
  many = draw.normal(1, 2, 200_000), draw.normal(-0.5, 2, 200_000)
  slope, offset = calibration.fit(*many)
  assert slope == pytest.approx(0.375, abs=0.01)
  assert offset == pytest.approx(-0.09375, abs=0.01)


def test_logits_that_are_apart_or_alike_have_an_answer():
  apart = calibration.fit(np.ones(5), -np.ones(5))
  assert np.isfinite(apart).all() and apart[0] > 0
  alike = calibration.fit(np.ones(5), np.ones(7))
  np.testing.assert_allclose(alike, 0, atol=1e-6)
