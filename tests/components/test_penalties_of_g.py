"""What G pays beside its loss, against the formulas by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.penalties import (
  feature_matching,
  mode_seeking,
  optimal_transport,
  orthogonal,
  pull_away,
)
from gan_jax.types import UserError
from tests.components.passes import batches, keys_of, seen

REAL, FAKE = batches((4, 3))
FEATURES = lambda x: {'logits': x.sum(1), 'features': jnp.sin(x)}
PASS = seen(REAL, FAKE, FEATURES)


def test_feature_matching_by_hand():
  value, memo = feature_matching.g_term(PASS, (), weight=0.3)
  means = [np.sin(np.asarray(x)).mean(0) for x in (FAKE, REAL)]
  want = 0.3 * np.abs(means[0] - means[1]).mean()
  np.testing.assert_allclose(value, np.full(4, want), 1e-5)
  assert memo == ()


@pytest.mark.parametrize('space', pull_away.SPACES)
def test_pull_away_by_hand(space):
  value, _ = pull_away.g_term(PASS, (), weight=0.3, space=space)
  s = np.asarray(FAKE if space == 'samples' else np.sin(FAKE))
  cosines = [
    (s[i] @ s[j] / np.linalg.norm(s[i]) / np.linalg.norm(s[j])) ** 2
    for i in range(4)
    for j in range(4)
    if i != j
  ]
  np.testing.assert_allclose(value, np.full(4, 0.3 * np.mean(cosines)), 1e-4)


def test_pull_away_of_what_is_nothing_and_of_one_sample():
  zeros = jnp.zeros((4, 3))
  run = lambda x: pull_away.g_term(seen(x, x, FEATURES), ())[0].sum()
  assert np.isfinite(jax.grad(run)(zeros)).all()
  assert float(run(zeros[:1] + 1)) == 0


@pytest.mark.parametrize('term', [feature_matching, pull_away])
def test_a_d_without_features_is_refused(term):
  without = seen(REAL, FAKE, lambda x: x.sum(1))
  words = 'D gives no features, only logits; .*vae_gan.*multi_hinge'
  with pytest.raises(UserError, match=words):
    term.g_term(without, ())


def test_pull_away_has_two_spaces():
  with pytest.raises(UserError, match="space='pixels'.*features, samples"):
    pull_away.g_term(PASS, (), space='pixels')


# Of latents

Z = batches((4, 2), 1)[0]


def prior(key):
  return 3.0 * jax.random.normal(key, (2,))


def latents(latent=Z, prior=prior):
  def net(player, latent, label):
    assert player == 'g' and label is None
    z = latent['z'] if isinstance(latent, dict) else latent
    return jnp.sin(z)[:, :, None]

  return seen(REAL, FAKE, FEATURES, net=net, latent=latent, prior=prior)


def other():
  """The other latents by hand, each by the key of its example."""
  return np.stack([prior(keys_of(4)[i]) for i in range(4)])


def wanted(weight):
  apart = lambda x, y: np.abs(x - y).mean(1)
  ratio = apart(np.sin(Z), np.sin(other())) / apart(np.asarray(Z), other())
  return weight / (ratio + 1e-5)


def test_mode_seeking_by_hand():
  value, _ = mode_seeking.g_term(latents(), (), key=keys_of(4), weight=0.7)
  np.testing.assert_allclose(value, wanted(0.7), 1e-3)


def test_mode_seeking_leaves_the_noise_beside_z_alone():
  both = lambda key: {'z': prior(key), 'noise': jnp.full(2, jnp.nan)}
  f = latents({'z': Z, 'noise': Z}, both)
  value, _ = mode_seeking.g_term(f, (), key=keys_of(4), weight=0.7)
  np.testing.assert_allclose(value, wanted(0.7), 1e-3)


def test_optimal_transport_by_hand():
  f = seen(REAL, FAKE, FEATURES, latent=REAL)
  value, _ = optimal_transport.g_term(f, (), weight=0.7)
  want = 0.7 * ((np.asarray(FAKE) - np.asarray(REAL)) ** 2).mean(1)
  np.testing.assert_allclose(value, want, 1e-5)


def test_a_latent_unlike_a_sample_cannot_be_near_it():
  words = r'optimal_transport: expected latents like samples, \(3,\);.*\(2,\)'
  with pytest.raises(UserError, match=words):
    optimal_transport.g_term(latents(), ())
  with pytest.raises(UserError, match='optimal_transport: expected latents'):
    optimal_transport.g_term(latents({'z': Z, 'noise': Z}), ())


# Kernels


def params():
  rng = np.random.default_rng(2)
  draw = lambda *shape: rng.normal(size=shape).astype(np.float32)
  return {
    'conv': {'kernel': draw(2, 2, 3, 4), 'bias': draw(4)},
    'dense': {'kernel': draw(5, 2)},
    'embed': {'embedding': draw(10, 6)},
    'norm': {'scale': draw(4)},
  }


def by_hand(tree):
  """Over pairs of different filters, in NumPy."""
  total = 0.0
  for kernel in (tree['conv']['kernel'], tree['dense']['kernel']):
    filters = kernel.reshape(-1, kernel.shape[-1]).T.astype(float)
    for i, one in enumerate(filters):
      total += sum((one @ w) ** 2 for j, w in enumerate(filters) if i != j)
  return total


@pytest.mark.parametrize('player', ['g', 'd'])
def test_orthogonal_by_hand(player):
  f = PASS._replace(params={player: params()})
  terms = select.penalty('orthogonal', weight=0.3, player=player).terms
  assert list(terms) == [player]
  value, _ = terms[player](f, ())
  np.testing.assert_allclose(value, np.full(4, 0.3 * by_hand(params())), 1e-4)
  plain, _ = select.penalty('orthogonal', player=player).terms[player](f, ())
  assert float(plain[0]) == pytest.approx(1e-4 * by_hand(params()), rel=1e-4)


def test_whose_kernels_they_are():
  assert list(select.penalty('orthogonal').terms) == ['g']
  with pytest.raises(UserError, match="orthogonal.player='e': expected one of"):
    select.penalty('orthogonal', player='e')


def test_its_gradient_is_four_times_the_products_times_the_filters():
  """4 beta (W W^T (1 - I)) W, of which the authors' program takes a half."""
  kernel = params()['dense']['kernel']
  w = kernel.T
  products = w @ w.T
  np.fill_diagonal(products, 0)
  slope = jax.grad(orthogonal.correlations)(jnp.asarray(kernel))
  np.testing.assert_allclose(slope, (4 * products @ w).T, 1e-4)


def test_filters_at_right_angles_cost_nothing():
  assert float(orthogonal.correlations(3 * jnp.eye(4))) == 0


def test_who_has_no_kernels_is_refused():
  f = PASS._replace(params={'g': {'scale': jnp.ones(3)}})
  with pytest.raises(UserError, match="of player 'g' has no kernels"):
    orthogonal.g_term(f, ())
