"""CR, bCR, zCR and ICR: what T does, and each formula by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import keys
from gan_jax.penalties import bcr, cr, icr, zcr
from gan_jax.penalties.shared import consistency
from gan_jax.types import UserError
from tests.components.passes import batches, keys_of, seen

IMAGES = (5, 9, 16, 2)


def critic(x):
  """Heads that depend on where a number stands in a sample."""
  flat = x.reshape(len(x), -1)
  ramp = jnp.linspace(-1, 2, flat.shape[1])
  classes = jnp.stack([flat.sum(1), flat.max(1)], 1)
  logits = jnp.sin(flat @ ramp)
  return {'logits': logits, 'classes': classes, 'features': 100 * flat}


def moved(x, key=None, **kw):
  key = keys_of(len(x)) if key is None else key
  given = {'augment': '', 'flag': 'penalties.cr', **kw}
  return consistency.transform(x, key, **given)


# T


def test_t_mirrors_and_moves_by_an_eighth_at_most():
  """Each image is one of the mirrored and moved ones, by NumPy's padding."""
  (x,) = batches((200, *IMAGES[1:]), 1)
  drawn = []
  for one, made in zip(np.asarray(x), np.asarray(moved(x)), strict=True):
    wide = {
      flip: np.pad(
        one[:, ::-1] if flip else one, ((1, 1), (2, 2), (0, 0)), 'reflect'
      )
      for flip in (False, True)
    }
    (own,) = [
      (flip, i, j)
      for flip in wide
      for i in range(3)
      for j in range(5)
      if (wide[flip][i : i + 9, j : j + 16] == made).all()
    ]
    drawn.append(own)
  assert 0.4 < np.mean([flip for flip, _, _ in drawn]) < 0.6
  for axis, size in ((1, 3), (2, 5)):
    counts = np.bincount([own[axis] for own in drawn], minlength=size)
    assert counts.min() > 0.5 * 200 / size and len(counts) == size


def test_t_of_an_example_is_by_its_own_key():
  (x,) = batches(IMAGES, 1)
  whole, each = moved(x), keys_of(5)
  np.testing.assert_array_equal(moved(x[1:3], each[1:3]), whole[1:3])


def test_of_pairs_the_samples_are_moved():
  (x,) = batches(IMAGES, 1)
  code = jnp.ones((5, 3))
  made = moved((x, code), keys_of(5))
  np.testing.assert_array_equal(made[0], moved(x))
  np.testing.assert_array_equal(made[1], code)


def test_another_t_by_the_name_of_an_augmentation():
  (x,) = batches((4, 2), 1)
  made = moved(x, augment='tests.pairs.noise')
  draw = lambda i: jax.random.normal(keys_of(4)[i], (2,))
  want = x + 0.1 * np.stack([draw(i) for i in range(4)])
  np.testing.assert_allclose(made, want, 1e-5)


@pytest.mark.parametrize(
  'shape, augment, words',
  [
    ((4, 2), '', r'penalties.cr: samples \[2\] are no images.*augment='),
    ((4, 2), 'nothing_such', r"penalties.cr.augment='nothing_such': there is"),
    ((4, 2), 'flip', 'expected images'),
    (
      (4, 2),
      'tests.components.adaptive',
      'penalties.cr.augment.*adapts itself',
    ),
  ],
)
def test_what_has_no_t_is_refused(shape, augment, words):
  with pytest.raises(UserError, match=words):
    moved(jnp.zeros(shape), augment=augment)


# The terms

REAL, FAKE = batches((5, 8, 8, 1))
PASS = seen(REAL, FAKE, critic)


def gap(x, y, all_heads=False):
  """By NumPy: squares of the logits' differences, and means of classes'."""
  a, b = (jax.tree.map(np.asarray, critic(z)) for z in (x, y))
  total = (a['logits'] - b['logits']) ** 2
  if all_heads:
    total = total + ((a['classes'] - b['classes']) ** 2).mean(1)
  return total


@pytest.mark.parametrize('all_heads', [False, True])
def test_cr_by_hand(all_heads):
  value, _ = cr.d_term(
    PASS, (), key=keys_of(5), weight=2.0, all_heads=all_heads
  )
  want = 2 * gap(REAL, moved(REAL), all_heads)
  assert want.max() > 1e-3
  np.testing.assert_allclose(value, want, 1e-4, 1e-6)


def of_bcr(real_weight, fake_weight, all_heads=False):
  key = keys_of(5)
  near = [moved(x, keys.fold_each(key, i)) for i, x in enumerate((REAL, FAKE))]
  own = [gap(*pair, all_heads) for pair in zip((REAL, FAKE), near, strict=True)]
  return real_weight * own[0] + fake_weight * own[1]


@pytest.mark.parametrize('all_heads', [False, True])
def test_bcr_by_hand(all_heads):
  value, _ = bcr.d_term(
    PASS,
    (),
    key=keys_of(5),
    real_weight=2.0,
    fake_weight=3.0,
    all_heads=all_heads,
  )
  np.testing.assert_allclose(value, of_bcr(2, 3, all_heads), 1e-4, 1e-6)
  parts = [
    bcr.d_term(PASS, (), key=keys_of(5), real_weight=a, fake_weight=b)[0]
    for a, b in ((1.0, 0.0), (0.0, 1.0))
  ]
  assert (parts[0] != parts[1]).any()


def test_nothing_of_bcr_reaches_g():
  def total(fake):
    return bcr.d_term(seen(REAL, fake, critic), (), key=keys_of(5))[0].sum()

  np.testing.assert_array_equal(jax.grad(total)(FAKE), np.zeros(FAKE.shape))


# Of latents: G(z) = tanh(w z) as a column of pixels.

Z = batches((5, 2), 1)[0]
NOISE = np.stack([jax.random.normal(keys_of(5)[i], (2,)) for i in range(5)])


def net(w):
  def run(player, latent, label):
    assert player == 'g' and label is None
    z = latent['z'] if isinstance(latent, dict) else latent
    return jnp.tanh(w * z)[:, :, None, None]

  return run


def latents(w=1.5, latent=Z):
  return seen(REAL, FAKE, critic, net=net(w), latent=latent)


def made_of(z, w=1.5):
  return np.tanh(w * np.asarray(z))[:, :, None, None]


@pytest.mark.parametrize('latent', [Z, {'z': Z, 'noise': Z}])
def test_zcr_by_hand(latent):
  near = made_of(Z + 0.2 * NOISE)
  value, _ = zcr.d_term(
    latents(latent=latent), (), key=keys_of(5), sigma=0.2, d_weight=3.0
  )
  np.testing.assert_allclose(value, 3 * gap(made_of(Z), near), 1e-4, 1e-6)
  value, _ = zcr.g_term(
    latents(latent=latent), (), key=keys_of(5), sigma=0.2, g_weight=3.0
  )
  want = -3 * ((made_of(Z) - near) ** 2).mean((1, 2, 3))
  np.testing.assert_allclose(value, want, 1e-4, 1e-6)


def test_zcr_of_d_does_not_reach_g_and_that_of_g_does():
  def total(term, w):
    return term(latents(w), (), key=keys_of(5))[0].sum()

  of_d, of_g = (
    float(jax.grad(lambda w, t=term: total(t, w))(1.5))
    for term in (zcr.d_term, zcr.g_term)
  )
  assert of_d == 0 and of_g != 0


def test_zcr_needs_a_code():
  with pytest.raises(UserError, match="penalties.zcr: expected a latent .*'z'"):
    zcr.g_term(latents(latent={'a': Z, 'b': Z}), (), key=keys_of(5))


def test_icr_is_both():
  options = {'real_weight': 2.0, 'fake_weight': 3.0}
  more = {'sigma': 0.3, 'd_weight': 4.0}
  f, key = latents(), keys_of(5)
  for all_heads in (False, True):
    value, _ = icr.d_term(
      f, (), key=key, **options, **more, all_heads=all_heads
    )
    own = keys.fold_each(key, 2)
    of_z, _ = zcr.d_term(f, (), key=own, **more, all_heads=all_heads)
    want = of_bcr(2, 3, all_heads) + of_z
    np.testing.assert_allclose(value, want, 1e-4, 1e-6)
  assert icr.g_term is zcr.g_term


def test_t_of_icr_has_a_name():
  x = jnp.ones((5, 2))
  f = seen(x, x, critic, net=net(1.0), latent=Z)
  f = f._replace(net=lambda player, z, label: z)
  key = keys_of(5)
  own = 'tests.pairs.noise'
  value, _ = icr.d_term(f, (), key=key, augment=own, d_weight=0.0)
  want, _ = bcr.d_term(f, (), key=key, augment=own)
  np.testing.assert_allclose(value, want, 1e-4)
