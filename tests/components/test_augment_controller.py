"""p follows D's logits by the published rule; what is done with it by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.augment import (
  ada,
  apa,
  cutmix,
  diffusion_noise,
  instance_noise,
)
from gan_jax.augment.shared import controller

RNG = np.random.default_rng(0)
KEYS = jax.random.split(jax.random.key(2), 8)


def rule(logits, *, p=0.0, target=0.6, interval=4, kimg=500.0):
  """p after each of many batches of logits [n, B], as published."""
  signs = []
  for i, batch in enumerate(logits):
    signs.append(np.sign(batch))
    if (i + 1) % interval == 0:
      size = np.size(batch) * interval
      step = np.sign(np.mean(signs) - target) * size / (kimg * 1000)
      p, signs = max(p + step, 0.0), []
    yield p


@pytest.mark.parametrize(
  'options',
  [{}, {'target': 0.1}, {'interval': 3, 'kimg': 2.0}, {'kimg': 0.05}],
  ids=str,
)
@pytest.mark.parametrize('room', [ada, apa], ids=['ada', 'apa'])
def test_p_follows_the_rule(options, room):
  logits = RNG.normal(size=(60, 16)) + np.linspace(3, -1, 60)[:, None]
  memo, seen = room.init(), []
  update = jax.jit(lambda memo, x: room.update(memo, x, **options))
  for batch in logits:
    memo = update(memo, jnp.float32(batch))
    seen.append(float(memo['p']))
  want = list(rule(logits, **options))
  np.testing.assert_allclose(seen, want, rtol=1e-5, atol=1e-9)
  assert max(want) > 0 and want[-1] < max(want)  # it has risen and fallen
  if options.get('kimg') == 0.05:
    assert max(want) > 1  # nothing keeps it below


def test_p_stays_where_the_mean_sign_is_the_target():
  memo = controller.init(p=0.25, adaptive=True)
  logits = jnp.float32([1.0, 1.0, 1.0, -1.0])
  for _ in range(8):
    memo = controller.update(memo, logits, target=0.5, interval=4, kimg=1.0)
  assert float(memo['p']) == 0.25


@pytest.mark.parametrize('room', [ada, apa, diffusion_noise])
def test_a_fixed_p_has_no_memo(room):
  assert room.init(p=0.3, adaptive=False) == ()
  assert room.update((), jnp.ones(3)) == ()
  assert room.measured(()) == {}
  begun = room.init(p=0.3)
  assert float(begun['p']) == pytest.approx(0.3)
  assert room.measured(begun)['p'] == begun['p']


def test_p_of_the_memo_is_what_counts():
  memo = controller.init(p=1.0, adaptive=True)
  fakes = apa.replace(
    jnp.zeros((8, 2)), jnp.ones((8, 2)), memo, key=KEYS, p=0.0
  )
  assert (fakes == 1).all()


# APA


@pytest.mark.parametrize('p', [0.0, 0.4, 1.0])
def test_fakes_take_the_place_of_some_reals(p):
  keys = jax.random.split(jax.random.key(0), 2000)
  real, fake = jnp.zeros((2000, 3)), jnp.ones((2000, 3))
  pair = apa.replace((real, real[:, 0]), (fake, fake[:, 0]), (), key=keys, p=p)
  replaced = np.asarray(pair[0])
  assert (replaced == replaced[:, :1]).all()  # a sample as a whole
  np.testing.assert_array_equal(pair[1], replaced[:, 0])  # and its code
  share = replaced[:, 0].mean()
  assert abs(share - p) <= 4 * np.sqrt(p * (1 - p) / 2000)
  shown = apa.apply(pair, (), key=keys)
  assert shown is pair


# CutMix


def test_a_box_is_that_of_the_next_image():
  n, height, width = 400, 9, 14
  keys = jax.random.split(jax.random.key(0), n)
  x = jnp.broadcast_to(
    jnp.arange(n)[:, None, None, None], (n, height, width, 2)
  )
  x = x.astype(jnp.float32)
  made = np.asarray(jax.jit(lambda x: cutmix.apply(x, (), key=keys, p=0.7))(x))
  own = np.arange(n)[:, None, None, None]
  mixed = made == (own + 1) % n
  assert ((made == own) | mixed).all()
  box = mixed[..., 0]  # [N, H, W]
  np.testing.assert_array_equal(mixed[..., 1], box)
  rows, columns = box.any(2), box.any(1)
  np.testing.assert_array_equal(box, rows[:, :, None] & columns[:, None, :])
  share = box.any((1, 2)).mean()
  assert 0.7 - 0.15 < share < 0.7 + 4 * np.sqrt(0.21 / n)  # tiny boxes vanish
  # Of boxes that the edges cut in each direction: E = 1/2 - 3/16 or so.
  area = box.mean((1, 2)).sum() / (0.7 * n)
  side = np.sqrt(RNG.random(200_000))
  inside = lambda c: np.minimum(c + side / 2, 1) - np.maximum(c - side / 2, 0)
  both = inside(RNG.random(200_000)) * inside(RNG.random(200_000))
  assert area == pytest.approx(both.mean(), abs=0.05)


def test_both_images_of_a_mixture_get_their_gradient():
  x = jnp.asarray(RNG.normal(size=(8, 6, 6, 1)), jnp.float32)
  total = lambda x: cutmix.apply(x, (), key=KEYS, p=1.0).sum()
  box = cutmix.apply(jnp.zeros_like(x).at[1].set(1.0), (), key=KEYS, p=1.0)[0]
  slope = jax.grad(lambda x: cutmix.apply(x, (), key=KEYS, p=1.0)[0].sum())(x)
  np.testing.assert_array_equal(slope[1], box)
  np.testing.assert_array_equal(slope[0], 1 - box)
  assert float(jax.grad(total)(x).sum()) == x.size


# Noise


@pytest.mark.parametrize('shape', [(2,), (3, 4), (4, 5, 2)])
def test_instance_noise_is_normal(shape):
  keys = jax.random.split(jax.random.key(0), 500)
  x = jnp.ones((500, *shape))
  made = instance_noise.apply(x, (), key=keys, sigma=0.3) - x
  assert made.std() == pytest.approx(0.3, rel=0.1)
  assert abs(float(made.mean())) < 4 * 0.3 / np.sqrt(made.size)
  assert len(np.unique(made)) > 0.99 * made.size


def kept(last, count, start=1e-4, end=0.02):
  """a_t of a diffusion of T steps, by NumPy."""
  beta = np.linspace(start, end, last) if last > 1 else np.array([start])
  return np.concatenate([[1.0], np.cumprod(1 - beta)])[: count + 1]


@pytest.mark.parametrize('last', [1, 2, 10, 400])
def test_what_is_left_of_a_sample_at_each_time(last):
  made = diffusion_noise.kept_of(jnp.float32(last), 1e-4, 0.02, 400)
  np.testing.assert_allclose(made[: last + 1], kept(last, 400), rtol=1e-4)


@pytest.mark.parametrize('times', diffusion_noise.TIMES)
@pytest.mark.parametrize('p, last', [(0.0, 4), (0.26, 7), (3.0, 16)])
def test_samples_are_at_times_of_a_diffusion(times, p, last):
  """Without noise, a sample says at which time it is."""
  n = 4000
  keys = jax.random.split(jax.random.key(1), n)
  run = lambda x: diffusion_noise.apply(
    x, (), key=keys, p=p, sigma=0.0, t_min=4, t_max=16, times=times,
    beta_start=0.1, beta_end=0.3,
  )  # fmt: skip
  made = np.asarray(jax.jit(run)(jnp.ones((n, 2))))
  a = kept(last, 16, 0.1, 0.3)
  t = np.abs(made[:, :1] ** 2 - a).argmin(1)  # [N]
  np.testing.assert_allclose(made[:, 0], np.sqrt(a[t]), rtol=1e-4)
  weight = np.arange(1, last + 1) if times == 'priority' else np.ones(last)
  share = np.concatenate([[0.5], weight / weight.sum() / 2])
  counts = np.bincount(t, minlength=last + 1)
  bound = 4.5 * np.sqrt(share * (1 - share) / n)
  assert (np.abs(counts / n - share) < bound).all()


def test_the_noise_is_what_the_diffusion_adds():
  """At x = 0 and T = 1 it has the variance sigma^2 beta, in half of them."""
  keys = jax.random.split(jax.random.key(1), 4000)
  made = diffusion_noise.apply(
    jnp.zeros((4000, 5)), (), key=keys, sigma=2.0, beta_start=0.25,
    t_min=1, t_max=1,
  )  # fmt: skip
  noisy = np.asarray(made)[np.asarray(made).any(1)]
  assert abs(len(noisy) / 4000 - 0.5) < 0.04
  assert noisy.std() == pytest.approx(1.0, rel=0.03)
