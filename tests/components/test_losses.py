"""The losses that ship against references in float64 and frozen figures.

A new file needs none of these; what it has to do is in conformance.py.
"""

import importlib
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.components.shipped import SHIPPED
from tests.loss_references import FROZEN, REFERENCES, VARIANTS

NAMES = sorted(SHIPPED['losses'])
REAL = np.array([2.0, -1.0, 0.5, 0.1, -3.0])
FAKE = np.array([-1.5, 0.3, 1.0, -0.2, 4.0])
EXTREMES = [(r, f) for r in (1e4, -1e4) for f in (1e4, -1e4)]
AT_ONCE = [*EXTREMES, EXTREMES[0]]  # [5], as everywhere: the same programs


CASES = [(name, {}) for name in NAMES] + VARIANTS
each_variant = pytest.mark.parametrize(
  ('name', 'kwargs'),
  CASES,
  ids=['-'.join([name, *map(str, k.values())]) for name, k in CASES],
)
each_name = pytest.mark.parametrize('name', NAMES)


def module(name):
  return importlib.import_module(f'gan_jax.losses.{name}')


def players(name, kwargs):
  """Both losses stacked: (real, fake) -> [2, B], D's first."""
  m = module(name)
  return lambda real, fake: jnp.stack(
    [m.d_loss(real, fake, **kwargs), m.g_loss(real, fake, **kwargs)]
  )


def gradients(name, kwargs):
  """Jacobian of both batch means: (real, fake) -> [2, B], [2, B]."""
  mean = lambda real, fake: players(name, kwargs)(real, fake).mean(axis=1)
  return jax.jacrev(mean, argnums=(0, 1))


def numeric_gradients(reference, real, fake, h=1e-5):
  """Central differences of the reference's batch means: [2, B], [2, B]."""
  mean = lambda r, f: np.mean(reference(r, f), axis=1)  # [2]
  by_real, by_fake = [], []
  for e in h * np.eye(len(real)):
    by_real.append((mean(real + e, fake) - mean(real - e, fake)) / (2 * h))
    by_fake.append((mean(real, fake + e) - mean(real, fake - e)) / (2 * h))
  return np.transpose(by_real), np.transpose(by_fake)


def test_every_loss_has_a_reference_and_frozen_figures():
  assert NAMES == sorted(REFERENCES) == sorted(FROZEN)


@each_name
def test_frozen_figures(name):
  out = players(name, {})(np.float32([0, 2]), np.float32([0, -1]))
  np.testing.assert_allclose(out, FROZEN[name], atol=2e-6)


@each_variant
def test_value_and_gradient_agree_with_the_reference(name, kwargs):
  reference = partial(REFERENCES[name], **kwargs)
  real, fake = np.float32(REAL), np.float32(FAKE)
  out = players(name, kwargs)(real, fake)
  np.testing.assert_allclose(out, reference(REAL, FAKE), rtol=1e-5, atol=1e-5)
  found = gradients(name, kwargs)(real, fake)
  expected = numeric_gradients(reference, REAL, FAKE)
  np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


@each_variant
@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
def test_keeps_shape_and_dtype(name, kwargs, dtype):
  logits = jax.ShapeDtypeStruct((6,), dtype)
  for loss in (module(name).d_loss, module(name).g_loss):
    out = jax.eval_shape(partial(loss, **kwargs), logits, logits)
    assert (out.shape, out.dtype) == ((6,), dtype)


@each_variant
def test_sign_of_the_gradient_at_zero(name, kwargs):
  """D rises on reals and sinks on fakes; G makes its fakes rise."""
  zeros = np.zeros(5, np.float32)
  real, fake = gradients(name, kwargs)(zeros, zeros)
  assert (real[0] <= 0).all() and (fake[0] >= 0).all()
  rounding = 1e-7
  assert (real[1] >= -rounding).all() and (fake[1] <= rounding).all()
  if name != 'lsgan':  # has targets at 0, where its slope is 0
    assert (real[0] < 0).all() and (fake[0] > 0).all()
    # Alike as they are, G of softmax is where it wants to be.
    assert (fake[1] < 0).all() or name == 'softmax'


def test_sign_of_the_gradient_of_softmax_beside_its_aim():
  """G's fakes rise where they are below the average share, and else sink."""
  ones = np.ones(5, np.float32)
  real, fake = gradients('softmax', {})(ones, -ones)
  assert (real[0] < 0).all() and (fake[0] > 0).all() and (fake[1] < 0).all()
  _, fake = gradients('softmax', {})(-ones, ones)
  assert (fake[1] > 0).all()


@pytest.mark.parametrize(
  ('kwargs', 'logit'), [({}, 0.5), ({'a': -1.0, 'b': 1.0, 'c': 0.0}, -0.5)]
)
def test_sign_of_the_gradient_between_the_targets_of_lsgan(kwargs, logit):
  logits = np.full(5, logit, np.float32)
  real, fake = gradients('lsgan', kwargs)(logits, logits)
  assert (real[0] < 0).all() and (fake[0] > 0).all() and (fake[1] < 0).all()


@each_variant
@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
def test_stable_at_extreme_logits(name, kwargs, dtype):
  tol = {'rtol': 2e-2 if dtype == jnp.bfloat16 else 1e-5, 'atol': 1e-3}
  alone = [[e] * 5 for e in EXTREMES] if name[:2] == 'ra' else []
  for batch in [AT_ONCE, *alone]:  # an average would hide single ones
    real, fake = np.array(batch).T
    logits = jnp.array(real, dtype), jnp.array(fake, dtype)
    out = np.float64(players(name, kwargs)(*logits))
    slopes = np.float64(np.stack(gradients(name, kwargs)(*logits)))
    assert np.isfinite(out).all() and np.isfinite(slopes).all()
    assert np.square(slopes).max() < 1e38  # what Adam stores
    if name != 'fgan':  # its exponentials leave float32: see its own tests
      reference = partial(REFERENCES[name], **kwargs)
      real, fake = (np.float64(x) for x in logits)
      expected = numeric_gradients(reference, real, fake, h=1e-2)
      np.testing.assert_allclose(out, reference(real, fake), **tol)
      np.testing.assert_allclose(slopes, expected, **tol)


@each_variant
def test_jit_vmap_and_grad(name, kwargs):
  """A leading axis of seeds by vmap, compiled, is each seed by itself."""
  both, slope = players(name, kwargs), gradients(name, kwargs)
  real = np.float32([REAL, REAL[::-1], FAKE])  # [S, B]
  fake = np.float32([FAKE, REAL, REAL[::-1]])  # [S, B]
  every = jax.jit(jax.vmap(lambda r, f: (both(r, f), slope(r, f))))
  out, (by_real, by_fake) = every(real, fake)
  for s in range(3):
    tol = {'rtol': 1e-5, 'atol': 1e-6}
    np.testing.assert_allclose(out[s], both(real[s], fake[s]), **tol)
    alone = slope(real[s], fake[s])
    np.testing.assert_allclose((by_real[s], by_fake[s]), alone, **tol)


@each_variant
def test_an_example_s_loss_moves_with_the_example(name, kwargs):
  order = np.array([3, 0, 4, 1, 2])
  real, fake = np.float32(REAL), np.float32(FAKE)
  both = players(name, kwargs)
  np.testing.assert_allclose(
    both(real[order], fake[order]), both(real, fake)[:, order], rtol=1e-5
  )


@each_name
def test_only_some_losses_look_at_other_examples(name):
  real, fake = np.float32(REAL), np.float32(FAKE)
  both = players(name, {})
  jacobian = jax.jacrev(lambda r, f: both(r, f).sum(axis=0), argnums=(0, 1))
  slopes = np.stack(jacobian(real, fake))
  mixed = np.abs(slopes) * (1 - np.eye(5))
  assert (mixed > 0).any() == hasattr(module(name), 'WHOLE_BATCH')
  whole = name.startswith('ra') or name == 'softmax'
  assert whole == hasattr(module(name), 'WHOLE_BATCH')


@pytest.mark.parametrize('name', ['cross_entropy', 'minimax', 'ragan'])
def test_smoothing_is_one_sided_and_leaves_g_alone(name):
  real, fake = np.float32(REAL), np.float32(FAKE)
  plain, smooth = (
    players(name, {'smoothing': s})(real, fake) for s in (0.0, 0.2)
  )
  np.testing.assert_array_equal(plain[1], smooth[1])
  # On fakes nothing changes; on reals by smoothing times the logit.
  logit = REAL - FAKE.mean() if name == 'ragan' else REAL
  np.testing.assert_allclose(smooth[0] - plain[0], 0.2 * logit, atol=1e-5)


def test_nonsaturating_is_cross_entropy():
  one, other = module('nonsaturating'), module('cross_entropy')
  assert one.d_loss is other.d_loss and one.g_loss is other.g_loss
