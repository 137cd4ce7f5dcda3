"""DiffAugment's operations against NumPy, its draws against their ranges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.augment import diffaugment
from gan_jax.types import UserError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 7, 10, 3)).astype(np.float32)  # [B, H, W, C]
KEYS = jax.random.split(jax.random.key(5), 6)


def shown(x, **options):
  run = lambda x: diffaugment.apply(x, (), key=KEYS, **options)
  return np.asarray(jax.jit(run)(x))


@pytest.mark.parametrize('channels', [1, 2, 3, 5])
def test_colours(channels):
  x = RNG.normal(size=(4, 5, channels)).astype(np.float32)
  made = diffaugment.colored(jnp.asarray(x), 0.3, 1.7, 0.6)
  bright = x + 0.3
  mean = bright.mean(-1, keepdims=True)
  vivid = (bright - mean) * 1.7 + mean
  want = (vivid - vivid.mean()) * 0.6 + vivid.mean()
  np.testing.assert_allclose(made, want, atol=1e-4)


@pytest.mark.parametrize('by', [(0, 0), (1, -2), (-3, 4), (7, 0)])
def test_translation(by):
  want = np.zeros_like(X[0])
  for i in range(7):
    for j in range(10):
      if 0 <= i + by[0] < 7 and 0 <= j + by[1] < 10:
        want[i, j] = X[0, i + by[0], j + by[1]]
  np.testing.assert_array_equal(diffaugment.moved(X[0], *by), want)


@pytest.mark.parametrize(
  'centre, sizes',
  [((3, 4), (4, 5)), ((0, 10), (4, 4)), ((7, 0), (3, 6)), ((2, 2), (0, 3))],
)
def test_cutout(centre, sizes):
  """By the published places: those beyond the edge are at the edge."""
  want = X[0].copy()
  rows, columns = (
    np.clip(np.arange(size) + at - size // 2, 0, n - 1)
    for n, at, size in zip((7, 10), centre, sizes, strict=True)
  )
  beyond = centre[0] - sizes[0] // 2 >= 7  # nothing of the hole is inside
  want[np.ix_(rows, columns)] = want[np.ix_(rows, columns)] if beyond else 0
  np.testing.assert_array_equal(diffaugment.cut(X[0], centre, sizes), want)


def test_operations_are_done_in_the_order_of_the_policy():
  """Each alone, one after another, draws what it draws among the others."""
  each = X
  for name in diffaugment.POLICY:
    each = shown(each, policy=(name,))
  np.testing.assert_allclose(shown(X), each, atol=1e-5)
  text = shown(X, policy='cutout, color')
  other = shown(shown(X, policy='cutout'), policy='color')
  np.testing.assert_allclose(text, other, atol=1e-5)
  assert np.abs(text - shown(X, policy='color,cutout')).max() > 0.1


def test_shifts_and_holes_are_of_the_published_ranges():
  """An image of places says where its pixels came from."""
  n, (height, width) = 600, (16, 24)
  places = np.stack(np.mgrid[1 : height + 1, 1 : width + 1], -1)
  x = jnp.asarray(np.stack([places] * n), jnp.float32)
  keys = jax.random.split(jax.random.key(0), n)
  run = jax.jit(
    lambda x, p: diffaugment.apply(x, (), key=keys, policy=p), static_argnums=1
  )
  made = np.asarray(run(x, ('translation',)))
  by = (made - np.asarray(x))[:, 8, 12]  # the middle always has a pixel
  assert np.unique(by[:, 0]).tolist() == list(range(-2, 3))
  assert np.unique(by[:, 1]).tolist() == list(range(-3, 4))
  counts = np.unique(by[:, 0], return_counts=True)[1]
  assert np.abs(counts - n / 5).max() < 4.5 * np.sqrt(n * 0.2 * 0.8)
  holes = np.asarray(run(x, ('cutout',)))[..., 0] == 0
  rows = holes.any(2).sum(1)  # [N] of each hole
  assert rows.max() == 8 and rows.min() == 4  # half, or half of that
  first = holes.any(2)[:, 0].mean()  # centres 0 ... 4 of 0 ... 16
  assert abs(first - 5 / 17) < 4.5 * np.sqrt(5 / 17 * 12 / 17 / n)


def test_brightness_saturation_and_contrast_are_of_the_published_ranges():
  n = 800
  rng = np.random.default_rng(1)
  one = rng.normal(size=(4, 4, 3)).astype(np.float32)
  keys = jax.random.split(jax.random.key(2), n)
  x = jnp.asarray(np.stack([one] * n))
  made = np.asarray(
    jax.jit(lambda x: diffaugment.apply(x, (), key=keys, policy='color'))(x)
  )
  brightness = made.mean((1, 2, 3)) - one.mean()
  gray, was = made.mean(-1), one.mean(-1)
  contrast = gray.std((1, 2)) / was.std()
  apart = lambda x, g: (x - g[..., None]).std(axis=(-3, -2, -1))
  saturation = apart(made, gray) / apart(one, was) / contrast
  for drawn, low, high in (
    (brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0.0, 2.0),
  ):  # fmt: skip
    assert low - 1e-4 <= drawn.min() and drawn.max() <= high + 1e-4
    spread = (high - low) / np.sqrt(12)
    assert abs(drawn.mean() - (low + high) / 2) < 4 * spread / np.sqrt(n)
    assert drawn.std() == pytest.approx(spread, rel=0.08)


@pytest.mark.parametrize(
  'options',
  [{'translation': 0.4}, {'cutout': 0.2}],
  ids=lambda o: next(iter(o)),
)
def test_its_numbers_count(options):
  assert np.abs(shown(X, **options) - shown(X)).max() > 0.1


@pytest.mark.parametrize(
  'policy', ['colour', (), ('color', 'color'), ('color', 3)]
)
def test_a_policy_that_there_is_not_is_refused(policy):
  with pytest.raises(UserError, match=r'augment.policy=.*color, translation'):
    shown(X, policy=policy)
