"""LeCam and logit centring, and what takes the place of a loss, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.penalties import (
  gradient_normalisation,
  label_flip,
  lecam,
  logit_centring,
  top_k,
)
from gan_jax.types import UserError
from tests.components.passes import batches, keys_of, seen

REAL, FAKE = np.float32([2.0, -1.0, 0.5]), np.float32([0.0, 3.0, -2.0])


def judged(real=REAL, fake=FAKE, step=0):
  return seen(jnp.asarray(real), jnp.asarray(fake), None, step=step)


# LeCam


def test_lecam_by_hand_over_four_moves():
  """Averages without a pull to 0, with the batch at hand among them."""
  rng, memo = np.random.default_rng(0), lecam.init()
  ours = {'real': [], 'fake': []}
  for _ in range(4):
    batch = {name: rng.normal(size=3).astype(np.float32) for name in ours}
    for name, own in ours.items():
      own.append(batch[name].mean())
    value, memo = lecam.d_term(
      judged(**batch), memo, weight=0.5, decay=0.8, start=0
    )
    weights = 0.8 ** np.arange(len(ours['real']))[::-1]
    a = {k: np.average(own, weights=weights) for k, own in ours.items()}
    want = np.maximum(batch['real'] - a['fake'], 0) ** 2
    want += np.maximum(a['real'] - batch['fake'], 0) ** 2
    np.testing.assert_allclose(value, 0.5 * want, 1e-4, 1e-6)
  assert int(memo['count']) == 4


@pytest.mark.parametrize('step, counts', [(0, False), (6, False), (7, True)])
def test_lecam_begins_at_its_step_but_looks_from_the_first(step, counts):
  value, memo = lecam.d_term(judged(step=step), lecam.init(), start=7)
  assert bool((value > 0).any()) == counts
  assert float(memo['real']) == pytest.approx(0.01 * REAL.mean(), rel=1e-4)


def test_no_gradient_goes_through_the_averages():
  """Of the first move, whose averages are the batch's own means."""

  def total(real):
    value, _ = lecam.d_term(
      judged(real=real), lecam.init(), weight=1.0, start=0
    )
    return value.sum()

  want = 2 * np.maximum(REAL - FAKE.mean(), 0)
  np.testing.assert_allclose(jax.grad(total)(jnp.asarray(REAL)), want, 1e-4)


def test_logit_centring_by_hand():
  value, memo = logit_centring.d_term(judged(), (), weight=0.25)
  np.testing.assert_allclose(value, 0.25 * (REAL + FAKE) ** 2, 1e-6)
  plain, _ = logit_centring.d_term(judged(), ())
  np.testing.assert_allclose(plain, 0.04 * value, 1e-5)
  assert memo == ()


# Top-k

G_LOSS = lambda f: jnp.square(f.on_fake['logits'])
LOGITS = np.float32([0.5, 3.0, -2.0, 1.0, 7.0, -1.0, 1.0, 0.0])


@pytest.mark.parametrize(
  'step, k', [(0, 8), (9, 8), (10, 6), (20, 4), (29, 4), (30, 3), (500, 3)]
)
def test_top_k_is_the_mean_over_the_k_best(step, k):
  """k = floor(max(.75^epochs 8, .4 8)): 8, 6, 4.5, 3.375, then 3.2."""
  value, _ = top_k.g_change(
    G_LOSS,
    judged(LOGITS, LOGITS, step),
    (),
    gamma=0.75,
    nu=0.4,
    decay_every=10,
  )
  best = np.argsort(-LOGITS, kind='stable')[:k]
  want = np.zeros(8)
  want[best] = LOGITS[best] ** 2 * 8 / k
  np.testing.assert_allclose(value, want, 1e-5)
  assert float(value.mean()) == pytest.approx((LOGITS[best] ** 2).mean())


def test_one_sample_is_always_left():
  value, _ = top_k.g_change(G_LOSS, judged(LOGITS, LOGITS, 10**6), (), nu=0.0)
  np.testing.assert_allclose(value, np.where(LOGITS == 7, 49 * 8, 0))


def test_the_others_have_no_gradient():
  def mean(logits):
    f = judged(LOGITS, logits, 10)
    return top_k.g_change(G_LOSS, f, (), gamma=0.5, decay_every=10)[0].mean()

  slope = jax.grad(mean)(jnp.asarray(LOGITS))
  best = np.isin(np.arange(8), np.argsort(-LOGITS, kind='stable')[:4])
  np.testing.assert_allclose(slope, np.where(best, 2 * LOGITS / 4, 0), 1e-5)


def test_an_epoch_has_steps():
  with pytest.raises(UserError, match='top_k.decay_every=0: expected at least'):
    top_k.g_change(G_LOSS, judged(), (), decay_every=0)


# Label flips

D_LOSS = lambda f: f.on_real['logits'] - 10 * f.on_fake['logits']


@pytest.mark.parametrize('p', [0.0, 0.3, 1.0])
def test_flips_are_of_an_example_and_as_often_as_asked_for(p):
  count = 4000
  real, fake = np.arange(count) + 0.25, -np.arange(count) - 0.75
  f = judged(np.float32(real), np.float32(fake))
  value, _ = label_flip.d_change(D_LOSS, f, (), key=keys_of(count), p=p)
  usual, other = real - 10 * fake, fake - 10 * real
  flipped = np.isclose(value, other, 1e-5)
  np.testing.assert_allclose(value, np.where(flipped, other, usual), 1e-5)
  assert flipped.mean() == pytest.approx(p, abs=0.03)


def test_all_heads_change_places():
  heads = lambda x: {'logits': x, 'classes': jnp.stack([x, 2 * x], 1)}
  f = seen(jnp.asarray(REAL), jnp.asarray(FAKE), heads)
  loss = lambda f: f.on_real['classes'].sum(1)
  value, _ = label_flip.d_change(loss, f, (), key=keys_of(3), p=1.0)
  np.testing.assert_allclose(value, 3 * FAKE)


def test_of_packs_the_first_one_s_key_decides():
  """Two logits of four examples."""
  f = judged(REAL[:2], FAKE[:2])
  run = lambda key: label_flip.d_change(D_LOSS, f, (), key=key, p=0.5)[0]
  for first in range(6):
    own = keys_of(10)[jnp.array([first, 9, first + 1, 8])]
    np.testing.assert_array_equal(run(own), run(own[::2]))


# Gradient normalisation


def normalised(scale, memo, **kw):
  """(value, gradient at the fakes [B, n], memo) of D(x) = scale x . w."""
  real, fake = batches((4, 3))
  w = jnp.float32([1.0, 2.0, -2.0])  # |w| = 3

  def total(fake):
    f = seen(real, fake, lambda x: scale * (x @ w))
    loss = lambda f: -f.on_fake['logits']
    value, after = gradient_normalisation.g_change(loss, f, memo, **kw)
    return value.sum(), (value, after)

  slope, (value, after) = jax.grad(total, has_aux=True)(fake)
  return value, slope, after, -scale * (fake @ w)


@pytest.mark.parametrize('scale', [0.01, 1.0, 300.0])
def test_the_gradient_has_one_size_whatever_the_loss(scale):
  """g_i = -scale w of 3 numbers: n mean |g|^2 = 3 scale^2 9."""
  value, slope, _, loss = normalised(
    scale, gradient_normalisation.init(), target=0.5
  )
  np.testing.assert_allclose(value, loss, 1e-5)
  want = np.broadcast_to(-0.5 * np.float32([1, 2, -2]) / 27**0.5, (4, 3))
  np.testing.assert_allclose(slope, want, 1e-4)


def test_the_size_follows_a_moving_average():
  memo, squares = gradient_normalisation.init(), []
  for scale in (1.0, 5.0, 2.0):
    _, slope, memo, _ = normalised(scale, memo, decay=0.7)
    squares.append(27 * scale**2)
    weights = 0.7 ** np.arange(len(squares))[::-1]
    root = np.average(squares, weights=weights) ** 0.5
    np.testing.assert_allclose(slope[0, 0], -scale / root, 1e-4)
  assert int(memo['count']) == 3


def test_a_loss_that_has_come_to_rest_gives_no_nan():
  value, slope, after, _ = normalised(0.0, gradient_normalisation.init())
  assert np.isfinite(slope).all() and np.isfinite(value).all()


def test_the_gradient_in_g_is_that_of_the_loss_times_one_number():
  """The loss is of the pass in training mode, whatever D's slope elsewhere."""
  real, fake = batches((4, 3))

  def total(fake):
    critic = lambda x: jnp.square(x).sum(1)
    f = seen(real, fake, critic)
    f = f._replace(on_fake={'logits': jnp.sin(fake).sum(1)})
    loss = lambda f: f.on_fake['logits']
    init = gradient_normalisation.init()
    return gradient_normalisation.g_change(loss, f, init)[0].sum()

  square = 3 * np.square(2 * np.asarray(fake)).sum(1).mean()
  want = np.cos(fake) / square**0.5
  np.testing.assert_allclose(jax.grad(total)(fake), want, 1e-4)
