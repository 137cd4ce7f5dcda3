"""What every loss has to do; see conformance.py."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np

B = 6  # examples
EXTREME = 50.0  # logits, at which float32 and bfloat16 have to suffice


def options_of(*functions):
  """All options are by name only and have a default."""
  for function in functions:
    for p in list(inspect.signature(function).parameters.values()):
      if p.kind is p.KEYWORD_ONLY and p.name not in ('key', 'axis_name'):
        assert p.default is not p.empty, f'{p.name} has no default'


def loss(module):
  """Shapes, slopes by differences in float64, their signs, extremes."""
  pair = module.d_loss, module.g_loss
  options_of(*pair)
  for function in pair:
    names = list(inspect.signature(function).parameters)
    assert names[:2] == ['real_logits', 'fake_logits']
    for dtype in (jnp.float32, jnp.bfloat16):
      logits = jax.ShapeDtypeStruct((B,), dtype)
      made = jax.eval_shape(function, logits, logits)
      assert (made.shape, made.dtype) == ((B,), dtype)
  both = lambda real, fake: jnp.stack([f(real, fake) for f in pair])  # [2, B]
  _slopes_of(both)
  _signs_of(both)
  high, low = np.full(B, EXTREME), np.full(B, -EXTREME)
  for dtype in (jnp.float32, jnp.bfloat16):
    for real, fake in ((high, low), (low, high), (high, high), (low, low)):
      value, slope = _looked(both)(
        jnp.array(real, dtype), jnp.array(fake, dtype)
      )
      for x in (value, *slope):
        assert np.isfinite(np.float64(x)).all(), (real[0], fake[0], dtype)
  _examples_of(module, both)


@functools.cache
def _looked(both):
  """(real, fake) -> both losses and the slopes [2, B] of their means."""
  mean = lambda *logits: both(*logits).mean(axis=1)
  look = lambda *logits: (both(*logits), jax.jacrev(mean, (0, 1))(*logits))
  return jax.jit(look)


def _logits(seed=0):
  rng = np.random.default_rng(seed)
  return rng.normal(size=B), rng.normal(size=B)


def _slopes_of(both, h=1e-5):
  with jax.enable_x64(True):
    real, fake = (jnp.array(x) for x in _logits())
    _, (by_real, by_fake) = _looked(both)(real, fake)
    mean = jax.jit(jax.vmap(lambda *logits: both(*logits).mean(axis=1)))
    steps = h * jnp.eye(B)
    at = lambda sign, e_real, e_fake: mean(
      real[None] + sign * e_real, fake[None] + sign * e_fake
    )
    for slope, own in (
      (by_real, (steps, 0 * steps)),
      (by_fake, (0 * steps, steps)),
    ):
      found = (at(1, *own) - at(-1, *own)).T / (2 * h)
      np.testing.assert_allclose(slope, found, 1e-5, 1e-7)


def _signs_of(both):
  """D raises reals and lowers fakes, G raises fakes.

  Strictly where both are alike, or where D tells them apart.
  """
  strict = []
  for logit, other in ((0.0, 0.0), (0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)):
    sides = np.full(B, logit, np.float32), np.full(B, other, np.float32)
    _, (by_real, by_fake) = _looked(both)(*sides)
    strict.append(
      (by_real[0] < 0).all()
      and (by_fake[0] > 0).all()
      and (by_fake[1] < 0).all()
    )
    if logit == other == 0:
      assert (by_real[0] <= 0).all() and (by_fake[0] >= 0).all()
      assert (by_fake[1] <= 1e-7).all()  # but for rounding
  assert any(strict)


def _examples_of(module, both):
  """An example's loss is its own, unless the file says WHOLE_BATCH = True."""
  order = np.roll(np.arange(B), 2)
  real, fake = (np.float32(x) for x in _logits(1))
  one, other = both(real, fake), both(real[order], fake[order])
  np.testing.assert_allclose(one[:, order], other, 1e-5, 1e-6)
  if not getattr(module, 'WHOLE_BATCH', False):
    alone = both(real[:2], fake[:2])
    np.testing.assert_allclose(one[:, :2], alone, 1e-5, 1e-6)
