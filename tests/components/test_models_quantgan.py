"""QuantGAN: what each moment sees, golden counts, and NumPy's formula."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import networks
from gan_jax.models import quantgan
from gan_jax.models.layers import parts, temporal
from gan_jax.types import UserError
from tests.components.test_models_by_hand import normal, variables

T, C = 6, 2
# Of each of 12 convolutions (2 inputs + 1) 80 and a slope, of each of 6 skips
# 81 * 80; at the end 81.
LATER = 11 * (161 * 80 + 1) + 6 * 81 * 80 + 81
GOLDEN = {'quantgan': (7 * 80 + 1 + LATER, 3 * 80 + 1 + LATER)}


def shapes(net, *inputs):
  run = lambda key: networks.init(net, key, *inputs, train=False)
  return jax.eval_shape(run, jax.random.key(0))


def count(tree):
  return sum(a.size for a in jax.tree.leaves(tree['params']))


def test_golden_parameter_counts():
  z = jax.eval_shape(quantgan.make_prior((127, 1)), jax.random.key(0))
  assert z.shape == (126 + 127, 3)
  g, d = quantgan.Generator(shape=(127, 1)), quantgan.Discriminator()
  trees = shapes(g, jnp.ones((2, *z.shape))), shapes(d, jnp.ones((2, 127, 1)))
  assert tuple(map(count, trees)) == GOLDEN['quantgan']
  assert set(trees[1]) == {'params', 'spectral'}
  assert set(trees[0]) == {'params'}


def hand_taps(x, dilation):
  """Every moment by itself."""
  earlier = [
    x[:, t - dilation] if t >= dilation else 0 * x[:, 0]
    for t in range(x.shape[1])
  ]
  return np.concatenate([np.stack(earlier, 1), x], axis=-1)


def hand_stack(p, x, dilations):
  total = 0
  for i, dilation in enumerate(dilations):
    for j in 'ab':
      conv = p[f'conv_{i}{j}']
      x = hand_taps(x, dilation) @ conv['kernel'] + conv['bias']
      x = np.where(x > 0, x, p[f'act_{i}{j}']['slope'] * x)
    total = total + x @ p[f'skip_{i}']['kernel'] + p[f'skip_{i}']['bias']
  return total


def dense(p, x):
  return x @ p['kernel'] + p['bias']


def test_both_networks_by_hand():
  options = {'width': 4, 'dilations': (1, 2), 'norm': 'none'}
  g = quantgan.Generator(shape=(T, C), num_classes=2, **options)
  z, label = normal(3, 5 + T, 3), np.array([1, 0, 1])
  tree = variables(g, z, label)
  p = tree['params']
  own = p['embed']['embedding'][label][:, None].repeat(5 + T, 1)
  x = hand_stack(p['stack'], np.concatenate([z, own], -1), (1, 2))
  want = dense(p['sample'], x)[:, 5:]
  run = jax.jit(functools.partial(g.apply, train=False))
  np.testing.assert_allclose(run(tree, z, label), want, 1e-4, 1e-4)

  d, x = quantgan.Discriminator(**options), normal(3, 9, C)
  tree = variables(d, x)
  p = tree['params']
  want = dense(p['logits'], hand_stack(p['stack'], x, (1, 2)))[:, 6:, 0]
  run = jax.jit(functools.partial(d.apply, tree, train=False))
  np.testing.assert_allclose(run(x)['parts'], want, 1e-4, 1e-4)
  short = jax.eval_shape(run, x[:, :4])  # no moment has so many: the last one
  assert short['parts'].shape == (3, 1)


def test_a_moment_sees_its_field_and_nothing_later():
  part = parts.make_parts('none', train=False, dtype=jnp.float32)
  net = temporal.Stack(part, 3, quantgan.DILATIONS)
  size = temporal.field(quantgan.DILATIONS)
  assert (size, temporal.field((1, 2))) == (127, 7)
  x = normal(1, size + 4, 1)
  like = jax.eval_shape(net.init, jax.random.key(0), x)
  rng = np.random.default_rng(0)
  # No sign but plus: what is seen cannot cancel.
  tree = jax.tree.map(lambda a: rng.uniform(0.1, 1, a.shape) / 4, dict(like))
  at = size + 1
  seen_at = jax.jit(jax.grad(lambda x: net.apply(tree, x)[0, at].sum()))
  slope = seen_at(x)[0, :, 0]
  (seen,) = np.nonzero(np.asarray(slope))
  assert (seen.min(), seen.max(), len(seen)) == (at - size + 1, at, size)


def test_every_moment_of_g_is_alike():
  """Its noise begins as long before the series as it looks back."""
  g = quantgan.Generator(shape=(T, 1), width=3)
  z = normal(1, 126 + T, 3)
  tree = variables(g, z)
  run = jax.jit(lambda z: g.apply(tree, z, train=False)[0, :, 0])
  later = np.roll(z, -1, axis=1)  # the same noise, a moment sooner
  np.testing.assert_allclose(run(later)[:-1], run(z)[1:], 1e-4, 1e-5)


def test_a_slope_is_learned_below_zero():
  net, x = temporal.PReLU(), np.float32([[-2.0, 3.0]])
  tree = net.init(jax.random.key(0), x)
  np.testing.assert_allclose(net.apply(tree, x), [[-0.5, 3.0]])
  slope = jax.grad(lambda t: net.apply(t, x).sum())(tree)['params']['slope']
  assert float(slope) == -2.0


def test_what_is_no_series_is_refused():
  with pytest.raises(UserError, match=r'quantgan: .*\(8, 8, 1\); it makes'):
    quantgan.make_prior((8, 8, 1))
  with pytest.raises(UserError, match='latent.before=-1: expected at least 0'):
    quantgan.make_prior((8, 1), before=-1)
