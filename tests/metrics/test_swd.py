"""Sliced Wasserstein: closed forms, SciPy, and pictures with known flaws."""

import numpy as np
import pytest
from scipy import ndimage, stats

from gan_jax.metrics import swd
from gan_jax.types import UserError


def draw(n, d=5, seed=0):
  return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize(
  'n, m', [(20, 20), (20, 30), (7, 31), (1, 9), (64, 16)]
)
def test_on_a_line_it_is_the_wasserstein_distance(n, m):
  a, b = draw(n, 1), draw(m, 1, seed=1) + 0.3
  got = swd.sliced_wasserstein(a, b, projections=3)
  want = stats.wasserstein_distance(a[:, 0], b[:, 0])
  assert np.isclose(got, want, rtol=1e-12)
  # Of each side as often as the other has examples: equal sizes.
  x = np.sort(np.repeat(a[:, 0], m))
  y = np.sort(np.repeat(b[:, 0], n))
  got = swd.sliced_wasserstein(a, b, projections=3, order=2)
  assert np.isclose(got, np.sqrt(np.mean((x - y) ** 2)), rtol=1e-12)


@pytest.mark.parametrize('order', [1, 2])
@pytest.mark.parametrize('m', [40, 25])
def test_direction_by_direction(order, m, monkeypatch):
  # A few directions at a time, as where there are many examples.
  monkeypatch.setattr(swd, 'ELEMENTS', 4 * (40 + m))
  a, b = draw(40), draw(m, seed=1) * 1.5
  directions = np.random.default_rng(7).standard_normal((9, 5))
  each = []
  for v in directions / np.linalg.norm(directions, axis=1)[:, None]:
    x, y = np.sort(np.repeat(a @ v, m)), np.sort(np.repeat(b @ v, 40))
    each.append(np.mean(np.abs(x - y) ** order))
  got = swd.sliced_wasserstein(a, b, projections=9, order=order, seed=7)
  assert np.isclose(got, np.mean(each) ** (1 / order), rtol=1e-12)


def test_of_a_translation():
  # The squared distance along v is (shift . v)^2, on average |shift|^2 / D.
  a = draw(30, 8)
  shift = draw(1, 8, seed=1)
  got = swd.sliced_wasserstein(a, a + shift, projections=20_000, order=2)
  assert np.isclose(got, np.linalg.norm(shift) / np.sqrt(8), rtol=0.02)
  # Farther off by as much, along whatever direction.
  twice = swd.sliced_wasserstein(a, a + 2 * shift, projections=20_000, order=2)
  assert np.isclose(twice, 2 * got, rtol=1e-9)


def test_is_a_distance():
  a, b = draw(50), draw(40, seed=1)
  assert swd.sliced_wasserstein(a, a[::-1]) < 1e-12
  assert swd.sliced_wasserstein(a, np.repeat(a, 3, axis=0)) < 1e-12
  ab, ba = swd.sliced_wasserstein(a, b), swd.sliced_wasserstein(b, a)
  assert ab > 0.05 and np.isclose(ab, ba, rtol=1e-12)
  assert ab != swd.sliced_wasserstein(a, b, seed=1)
  assert ab <= swd.sliced_wasserstein(a, b, order=2)


# Pictures.


def pictures(n=64, size=32, channels=2, seed=0):
  """Blobs under noise: something at every scale, the same at every place."""
  rng = np.random.default_rng(seed)
  noise = rng.normal(size=(n, size, size, channels))
  blobs = 5 * blurred(noise, 3)
  return np.tanh(blobs + 0.2 * rng.normal(size=noise.shape))


def blurred(x, pixels):
  return ndimage.gaussian_filter(x, (0, pixels, pixels, 0), mode='wrap')


def test_pyramid_is_whole():
  # The levels add up to the picture; the last is its mean where that is flat.
  x = pictures(3, 37)
  levels = [swd._pyramid_level(x, i, 3) for i in range(3)]
  assert [y.shape[1] for y in levels] == [37, 19, 10]
  again = levels[2]
  for y in levels[1::-1]:
    again = y + swd._expanded(again, y.shape)
  np.testing.assert_allclose(again, x, atol=1e-12)
  flat = np.full((1, 36, 32, 1), 0.7)
  for level, want in ((0, 0), (1, 0), (2, 0.7)):
    got = swd._pyramid_level(flat, level, 3)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_patches_are_cut_from_the_picture():
  rng = np.random.default_rng(0)
  x = np.arange(2 * 9 * 8 * 3).reshape(2, 9, 8, 3)
  cut = swd._cut(x, 60, rng)
  assert cut.shape == (120, 7, 7, 3)
  for i, patch in enumerate(cut):
    n, top, left, _ = np.unravel_index(patch[0, 0, 0], x.shape)
    assert n == i // 60
    np.testing.assert_array_equal(patch, x[n, top : top + 7, left : left + 7])
  assert len(np.unique(cut[:60, 0, 0, 0])) == 3 * 2  # all places there are


def test_one_level_by_hand():
  """Patches at drawn places, channels of mean 0 and deviation 1, by 1000."""
  real, fake = pictures(5, 16), pictures(5, 16, seed=1)

  def patches(x):
    places = np.random.default_rng([3, 0]).random((5, 4, 2))
    cut = np.array(
      [
        picture[int(top * 10) :, int(left * 10) :][:7, :7]
        for picture, drawn in zip(x.astype(np.float32), places, strict=True)
        for top, left in drawn
      ]
    )
    cut = (cut - cut.mean((0, 1, 2))) / cut.std((0, 1, 2))
    return cut.reshape(20, -1)

  got = swd.laplacian_swd(real, fake, patches=4, projections=9, seed=3)
  want = swd.sliced_wasserstein(
    patches(real), patches(fake), projections=9, seed=3
  )
  assert got['levels'] == pytest.approx([1000 * want], rel=1e-4)


def test_normalised_by_channel():
  x = pictures(20)
  other = x * [3.0, 0.1] + [0.5, -2.0]
  got = swd.laplacian_swd(x, other, patches=20, projections=20)
  assert max(got['levels']) < 1e-2
  constant = np.ones_like(x)
  assert swd.laplacian_swd(constant, constant)['laplacian_swd'] == 0


def test_levels():
  x = pictures(30, 40)
  got = swd.laplacian_swd(x, x[:10], patches=8, projections=30)
  assert got['sizes'] == [20, 40]
  assert got['laplacian_swd'] == np.mean(got['levels'])
  got = swd.laplacian_swd(x, x, patches=8, projections=30, smallest=10)
  assert got['sizes'] == [10, 20, 40] and got['levels'] == [0, 0, 0]


@pytest.mark.parametrize(
  'flaw, coarse, fine',
  [
    (lambda x: blurred(x, 1.5), (0, 1.5), (4, 10)),
    (lambda x: x - blurred(x, 2), (2, 5), (0, 2)),
    (lambda x: x + 0.3 * (-1) ** np.arange(32)[:, None], (0, 1.5), (4, 20)),
    (lambda x: np.roll(x, (5, 9), (1, 2)), (0, 1.5), (0, 1.5)),
  ],
  ids=['texture lost', 'shapes lost', 'lines added', 'translated'],
)
def test_a_flaw_is_seen_at_its_scale(flaw, coarse, fine):
  # In multiples of the distance between two sets without a flaw.
  x, other = pictures(), pictures(seed=1)
  distances = lambda y: np.array(
    swd.laplacian_swd(x, y, projections=64, patches=96)['levels']
  )
  found = distances(flaw(other)) / distances(other)
  assert coarse[0] < found[0] < coarse[1]
  assert fine[0] < found[1] < fine[1]


A, IMAGES = draw(9), pictures(4, 16)
NAN = np.where(np.arange(45).reshape(9, 5) == 5, np.nan, A)


@pytest.mark.parametrize(
  'call, told',
  [
    (lambda: swd.sliced_wasserstein(A, NAN), 'b: 1 of 9 .* NaN'),
    (lambda: swd.sliced_wasserstein(A[:0], A), 'a: at least 1 .* got 0'),
    (lambda: swd.sliced_wasserstein(A, A[:, :3]), '5 dimensions, b 3'),
    (lambda: swd.sliced_wasserstein(IMAGES, A), r'\[4, 16, 16, 2\]'),
    (lambda: swd.sliced_wasserstein(A, A, projections=0), 'got 0'),
    (lambda: swd.sliced_wasserstein(A, A, order=3), 'order of 1 or 2, got 3'),
    (lambda: swd.laplacian_swd(A, IMAGES), r'real_images: .* got \[9, 5\]'),
    (lambda: swd.laplacian_swd(IMAGES, IMAGES[:0]), r'got \[0, 16, 16, 2\]'),
    (lambda: swd.laplacian_swd(IMAGES, IMAGES * np.nan), 'fake_images: NaN'),
    (
      lambda: swd.laplacian_swd(IMAGES, IMAGES[..., :1]),
      r'\[16, 16, 2\], fake_images \[16, 16, 1\]',
    ),
    (
      lambda: swd.laplacian_swd(IMAGES[:, 1:], IMAGES[:, 1:]),
      'levels from 16 and pictures of 15 x 16',
    ),
    (
      lambda: swd.laplacian_swd(IMAGES, IMAGES, smallest=6),
      '7 pixels or more .* from 6',
    ),
    (lambda: swd.laplacian_swd(IMAGES, IMAGES, patches=0), 'got 0 and 512'),
  ],
)
def test_errors_are_one_line(call, told):
  with pytest.raises(UserError, match=told) as e:
    call()
  assert '\n' not in str(e.value)
