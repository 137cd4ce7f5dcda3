"""Latents truncated, walked, mixed, searched; directions by NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gan_jax.game import keys as keys_lib
from gan_jax.game import latents
from gan_jax.game.sampling import (
  directions,
  inversion,
  mixing,
  paths,
  truncation,
)
from gan_jax.types import UserError

RNG = np.random.default_rng(0)


def keys(count, seed=0):
  return keys_lib.fold_examples(jax.random.key(seed), jnp.arange(count))


def test_styles_are_moved_towards_their_centre():
  ws, centre = (
    np.float32(RNG.normal(size=(3, 4, 5))),
    np.float32(RNG.normal(size=5)),
  )
  found = truncation.towards(ws, centre, 0.3)
  np.testing.assert_allclose(found, 0.7 * centre + 0.3 * ws, atol=1e-6)
  cut = truncation.towards(ws, centre, 0.0, layers=2)
  np.testing.assert_array_equal(cut[:, 2:], ws[:, 2:])
  np.testing.assert_array_equal(cut[:, :2], np.tile(centre, (3, 2, 1)))
  np.testing.assert_allclose(truncation.towards(ws, centre, 1.0), ws, atol=1e-6)


@pytest.mark.parametrize('threshold', [0.05, 0.7, 2.0])
def test_numbers_drawn_anew_follow_the_truncated_normal(threshold):
  plain = latents.make_prior(dim=50)
  cut = truncation.truncated(plain, truncation.resampled, threshold)
  z, before = jax.vmap(cut)(keys(60)), jax.vmap(plain)(keys(60))
  within = np.abs(before) <= threshold
  assert np.abs(z).max() <= threshold
  np.testing.assert_array_equal(z[within], before[within])
  assert len(np.unique(z)) > 0.99 * z.size
  law = stats.truncnorm(-threshold, threshold)
  assert stats.kstest(np.ravel(z), law.cdf).pvalue > 0.05
  assert stats.kstest(np.asarray(z[~within]), law.cdf).pvalue > 0.01


def test_codes_and_noise_are_no_part_of_it():
  plain = latents.make_prior('uniform', dim=6, categories=(3,), continuous=1)
  cut = truncation.truncated(plain, truncation.scaled, 0.5, size=6)
  key = jax.random.key(0)
  np.testing.assert_allclose(cut(key)[:6], plain(key)[:6] / 2)
  np.testing.assert_array_equal(cut(key)[6:], plain(key)[6:])
  tree = lambda key: {'z': plain(key), 'noise': (jnp.ones((2, 2)),)}
  made = truncation.truncated(tree, truncation.scaled, 0.5)(key)
  np.testing.assert_allclose(made['z'], plain(key) / 2)
  np.testing.assert_array_equal(made['noise'][0], np.ones((2, 2)))


def test_slerp_is_the_formula_and_keeps_the_norm():
  a, b = np.float32(RNG.normal(size=(2, 40)))
  b *= np.linalg.norm(a) / np.linalg.norm(b)
  angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
  for t in (0.0, 0.3, 1.0):
    want = np.sin((1 - t) * angle) * a + np.sin(t * angle) * b
    found = paths.slerp(a, b, t)
    np.testing.assert_allclose(found, want / np.sin(angle), atol=1e-5)
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(a), rel=1e-5)
    np.testing.assert_allclose(paths.lerp(a, b, t), a + t * (b - a), rtol=1e-6)
  assert np.linalg.norm(paths.lerp(a, b, 0.5)) < 0.9 * np.linalg.norm(a)


@pytest.mark.parametrize('other', [1.0, 2.0, 0.0])
def test_between_parallel_latents_the_way_is_straight(other):
  a = np.float32([1, 2, 3])
  found = paths.slerp(a, other * a, 0.25)
  np.testing.assert_allclose(found, 0.75 * a + 0.25 * other * a, atol=1e-5)


def test_a_walk_goes_from_end_to_end():
  a, b = np.float32(RNG.normal(size=(2, 3, 2, 4)))
  for path in paths.PATHS:
    way = paths.walk(a, b, 5, path=path)
    assert way.shape == (3, 5, 2, 4)
    np.testing.assert_allclose(way[:, 0], a, atol=1e-5)
    np.testing.assert_allclose(way[:, -1], b, atol=1e-5)
  straight = paths.walk(a, b, 5, path='lerp')
  np.testing.assert_allclose(np.diff(straight, n=2, axis=1), 0, atol=1e-5)


def test_sefa_is_numpys_svd_of_scaled_columns():
  a = RNG.normal(size=(6, 30))
  found, values = directions.sefa(a)
  scaled = a / np.linalg.norm(a, axis=0)
  u, s, _ = np.linalg.svd(scaled)
  np.testing.assert_allclose(np.abs(found @ u), np.eye(6), atol=1e-9)
  np.testing.assert_allclose(values, s**2, rtol=1e-9)
  # They are eigenvectors of A A^T, in falling order.
  product = scaled @ scaled.T
  np.testing.assert_allclose(product @ found.T, found.T * values, atol=1e-9)
  assert (np.diff(values) <= 0).all()
  rows = np.arange(6)
  assert (found[rows, np.abs(found).argmax(1)] > 0).all()


def test_a_column_of_zeros_is_no_matter():
  a = np.concatenate([RNG.normal(size=(3, 5)), np.zeros((3, 1))], 1)
  for one, other in zip(
    directions.sefa(a), directions.sefa(a[:, :-1]), strict=True
  ):
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_components_are_eigenvectors_of_the_covariance():
  x = RNG.normal(size=(500, 4)) * [3, 1, 2, 0.5] + 7
  found, deviations, mean = directions.pca(x)
  values, vectors = np.linalg.eigh(np.cov(x.T))
  np.testing.assert_allclose(deviations**2, values[::-1], rtol=1e-9)
  overlap = np.abs(found @ vectors[:, ::-1])
  np.testing.assert_allclose(overlap, np.eye(4), atol=1e-9)
  np.testing.assert_allclose(mean, x.mean(0))


def test_directions_of_features_move_along_their_components():
  z = RNG.normal(size=(2000, 4))
  a = RNG.normal(size=(4, 9))
  found, deviations = directions.pca_of_features(z, z @ a + 1)
  axes, _, _ = directions.pca(z @ a + 1)
  assert found.shape == (4, 4) and (np.diff(deviations) <= 0).all()
  moved = found @ a  # of features, along one component each
  cosine = (moved * axes[:4]).sum(1) / np.linalg.norm(moved, axis=1)
  assert cosine[0] > 0.99 and (cosine > 0.8).all()


def test_layers_of_a_mix():
  assert list(mixing.layers_of('coarse', 10)) == [0, 1, 2, 3]
  assert list(mixing.layers_of('middle', 6)) == [4, 5]
  assert list(mixing.layers_of('fine', 10)) == [8, 9]
  assert list(mixing.layers_of('1-3', 10)) == [1, 2, 3]
  assert list(mixing.layers_of('2', 10)) == [2]
  for words in ('fine', '3-9', '3-1'):
    with pytest.raises(UserError, match=f'{words}: no such layers.* has 8, 0'):
      mixing.layers_of(words, 8)
  for words in ('rough', '1-x', '-1', '', '1-'):
    with pytest.raises(UserError, match='expected one of coarse, middle, fine'):
      mixing.layers_of(words, 8)
  a, b = np.zeros((2, 5, 3)), np.ones((2, 5, 3))
  made = mixing.mixed(a, b, range(1, 3))
  np.testing.assert_array_equal(made[0, :, 0], [0, 1, 1, 0, 0])


def test_the_schedule_of_a_search():
  rate = lambda share: float(inversion.rate_at(share))
  assert rate(0.025) == pytest.approx(0.05) and rate(0.0) == 0
  assert rate(0.05) == rate(0.75) == pytest.approx(0.1)
  assert rate(0.875) == pytest.approx(0.05) and rate(1.0) == pytest.approx(0)
  noise = lambda share: float(inversion.noise_at(share))
  assert noise(0.0) == pytest.approx(0.05) and noise(0.8) == 0
  assert noise(0.375) == pytest.approx(0.0125)


def test_a_search_finds_the_latent():
  a = jnp.asarray(RNG.normal(size=(3, 8)), jnp.float32)
  goal = jnp.asarray(RNG.normal(size=(2, 3)), jnp.float32)
  distance = lambda z: jnp.square(z @ a - goal @ a).sum(1)
  found, least = inversion.invert(
    distance, jnp.zeros((2, 3)), keys(2), deviation=1.0, steps=200
  )
  np.testing.assert_allclose(found, goal, atol=0.02)
  np.testing.assert_allclose(least, distance(found), rtol=1e-5)
  # By itself each one ends in the same place.
  alone = lambda z: jnp.square(z @ a - goal[1:] @ a).sum(1)
  one, _ = inversion.invert(
    alone, jnp.zeros((1, 3)), keys(2)[1:], deviation=1.0, steps=200
  )
  np.testing.assert_allclose(one, found[1:], atol=1e-4)
