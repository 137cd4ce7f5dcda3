"""Networks over time: golden counts, and the same ones written in NumPy."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import gru_gan, rcgan
from gan_jax.models.layers import recurrent
from gan_jax.types import UserError
from tests.components.test_models_by_hand import normal

B, T, C, Z = 3, 4, 2, 5
LABEL = np.array([1, 0, 1])
SHAPE = (30, 1)
# Of one LSTM: (inputs + units + 1) 4 units. Of one GRU, with a second bias for
# its candidate: (inputs + units + 1) 3 units + units.
GOLDEN = {  # (G, D) for series [30, 1], latents as they come
  'rcgan': ((5 + 101) * 400 + 101, (1 + 101) * 400 + 101),
  'gru_gan': (
    (64 * 64 + 64) + (64 + 65) * 192 + 64 + 65,
    2 * ((1 + 65) * 192 + 64) + 129,
  ),
}


def make(name, shape=SHAPE, *, g=None, d=None, **common):
  module = importlib.import_module(f'gan_jax.models.{name}')
  return (
    module.Generator(shape=shape, **(g or {}), **common),
    module.Discriminator(**(d or {}), **common),
  )


def latent_shape(name, shape=SHAPE):
  module = importlib.import_module(f'gan_jax.models.{name}')
  if not hasattr(module, 'make_prior'):
    return (64,)
  prior = module.make_prior(shape)
  return jax.eval_shape(prior, jax.random.key(0)).shape


def shapes(pair, z, label=None):
  """((sample, its variables), (heads, their variables)) of two examples."""

  def run(key):
    g, d = pair
    made = g.init_with_output(key, jnp.ones((2, *z)), label)
    return made, d.init_with_output(key, made[0], label)

  return jax.eval_shape(run, jax.random.key(0))


def count(variables):
  return sum(a.size for a in jax.tree.leaves(variables['params']))


@pytest.mark.parametrize('name', GOLDEN)
def test_golden_parameter_counts(name):
  (sample, g), (heads, d) = shapes(make(name), latent_shape(name))
  assert sample.shape == (2, *SHAPE) and sample.dtype == np.float32
  assert (count(g), count(d)) == GOLDEN[name]
  parts = heads['parts'] if isinstance(heads, dict) else heads
  assert parts.shape in ((2,), (2, 30))


@pytest.mark.parametrize('name', GOLDEN)
def test_bfloat16_computes_but_never_stores(name):
  pair = make(name, dtype=jnp.bfloat16, num_classes=2)
  (sample, g), (heads, d) = shapes(pair, latent_shape(name), jnp.zeros(2, int))
  leaves = jax.tree.leaves((sample, g, heads, d))
  assert {a.dtype for a in leaves} == {np.dtype('float32')}


@pytest.mark.parametrize('name', GOLDEN)
def test_what_is_no_series_is_refused(name):
  with pytest.raises(UserError, match=r'shape \(8, 8, 1\); it makes series'):
    z = (8, 4) if latent_shape(name) != (64,) else (64,)
    shapes(make(name, (8, 8, 1)), z)


# The cells.


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def hand_lstm(p, x, h=None):
  """Gate by gate and moment by moment."""
  n = p['hidden'].shape[0]
  block = lambda a, k: a[..., k * n : (k + 1) * n]
  h, c = np.zeros((len(x), n)) if h is None else h, np.zeros((len(x), n))
  made = []
  for t in range(x.shape[1]):
    gate = lambda k: (
      x[:, t] @ block(p['input'], k)  # noqa: B023
      + h @ block(p['hidden'], k)  # noqa: B023
      + block(p['bias'], k)
    )
    i, f, g, o = (gate(k) for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    made.append(h)
  return np.stack(made, axis=1)


def hand_gru(p, x, h=None):
  n = p['hidden'].shape[0]
  block = lambda a, k: a[..., k * n : (k + 1) * n]
  h = np.zeros((len(x), n)) if h is None else h
  made = []
  for t in range(x.shape[1]):
    ins = [
      x[:, t] @ block(p['input'], k) + block(p['bias'], k) for k in range(3)
    ]
    own = [h @ block(p['hidden'], k) for k in range(3)]
    r, z = sigmoid(ins[0] + own[0]), sigmoid(ins[1] + own[1])
    n_t = np.tanh(ins[2] + r * (own[2] + p['hidden_bias']))
    h = (1 - z) * n_t + z * h
    made.append(h)
  return np.stack(made, axis=1)


def drawn(net, *inputs):
  """Variables as in test_models_by_hand, of networks without `train`."""
  like = jax.eval_shape(lambda key: net.init(key, *inputs), jax.random.key(0))
  rng = np.random.default_rng(1)
  draw = lambda x: rng.normal(size=x.shape).astype(np.float32) / 2
  return jax.tree.map(draw, dict(like))


@pytest.mark.parametrize('begins', [False, True])
@pytest.mark.parametrize(
  'cell, by_hand',
  [(recurrent.LSTM, hand_lstm), (recurrent.GRU, hand_gru)],
)
def test_a_cell_is_its_formula(cell, by_hand, begins):
  x, net = normal(B, T, C), cell(6)
  first = normal(B, 6, seed=2) if begins else None
  tree = drawn(net, x, first)
  want = by_hand(tree['params'], x, first)
  np.testing.assert_allclose(net.apply(tree, x, first), want, 1e-5, 1e-5)


def test_a_forget_gate_begins_open_and_memories_are_orthogonal():
  p = recurrent.LSTM(6).init(jax.random.key(0), normal(B, T, C))['params']
  want = np.repeat([0.0, 1.0, 0.0, 0.0], 6)
  np.testing.assert_array_equal(p['bias'], want)
  for k in range(4):
    block = p['hidden'][:, 6 * k : 6 * k + 6]
    np.testing.assert_allclose(block @ block.T, np.eye(6), atol=1e-5)


# The networks.


def dense(p, x):
  return x @ p['kernel'] + p['bias']


def hand_rcgan_g(p, z, label):
  x = np.concatenate([z, np.eye(2)[label][:, None].repeat(T, 1)], axis=-1)
  x = hand_lstm(p['lstm_1'], hand_lstm(p['lstm_0'], x))
  return 1.5 * np.tanh(dense(p['sample'], x))


def test_rcgan_by_hand():
  g = rcgan.Generator(shape=(T, C), hidden=(6, 4), scale=1.5, num_classes=2)
  z = normal(B, T, Z)
  tree = drawn(g, z, LABEL)
  want = hand_rcgan_g(tree['params'], z, LABEL)
  np.testing.assert_allclose(g.apply(tree, z, LABEL), want, 1e-4, 1e-5)
  after = g.clone(shape=(T - 1, C)).apply(tree, z, LABEL)
  np.testing.assert_allclose(after, want[:, 1:], 1e-4, 1e-5)
  linear = g.clone(output='linear').apply(tree, z, LABEL)
  np.testing.assert_allclose(1.5 * np.tanh(linear), want, 1e-4, 1e-5)

  d, x = rcgan.Discriminator(hidden=(6,), num_classes=2), normal(B, T, C)
  tree = drawn(d, x, LABEL)
  p = tree['params']
  h = hand_lstm(p['lstm_0'], x)
  want = dense(p['logits'], h)[..., 0]
  want += (h * p['embed']['embedding'][LABEL][:, None]).sum(-1)
  found = d.apply(tree, x, LABEL)
  assert set(found) == {'parts'}
  np.testing.assert_allclose(found['parts'], want, 1e-4, 1e-5)


def test_gru_gan_by_hand():
  g, z = gru_gan.Generator(shape=(T, C), hidden=(6, 4)), normal(B, Z)
  tree = drawn(g, z)
  p, x = tree['params'], z[:, None].repeat(T, 1)
  for i in range(2):
    x = hand_gru(p[f'gru_{i}'], x, np.tanh(dense(p[f'first_{i}'], z)))
  want = np.tanh(dense(p['sample'], x))
  np.testing.assert_allclose(g.apply(tree, z), want, 1e-4, 1e-5)

  d, x = gru_gan.Discriminator(hidden=(6,)), normal(B, T, C)
  tree = drawn(d, x)
  p = tree['params']
  ahead = hand_gru(p['ahead_0'], x)
  back = hand_gru(p['back_0'], x[:, ::-1])[:, ::-1]
  both = np.concatenate([ahead, back], -1).mean(1)
  want = dense(p['logits'], both)[:, 0]
  np.testing.assert_allclose(d.apply(tree, x), want, 1e-4, 1e-5)


class Two(rcgan.Discriminator.__dataclass_fields__['head'].default):
  """The usual head, and its features."""

  def __call__(self, features, label=None, pooled=None):
    return super().__call__(features, label) | {'features': features}


def test_other_heads_are_means_over_the_moments():
  d, x = rcgan.Discriminator(hidden=(6,), head=Two), normal(B, T, C)
  tree = drawn(d, x)
  h = hand_lstm(tree['params']['lstm_0'], x)
  heads = d.apply(tree, x)
  assert heads['parts'].shape == (B, T)
  np.testing.assert_allclose(heads['features'], h.mean(1), 1e-4, 1e-5)


def test_a_linear_output_has_no_scale():
  for model in (rcgan, gru_gan):
    says = lambda **g: model.ignored({'g': g})  # noqa: B023
    assert says(output='linear', scale=2.0) == 'g.scale'
    assert says(output='tanh', scale=2.0) == says(output='linear') == ''


# The latent.


def test_noise_is_fresh_at_every_moment_but_for_what_is_constant():
  z = rcgan.make_prior((T, C), dim=3, constant=1)(jax.random.key(0))
  assert z.shape == (T, 3)
  assert len(np.unique(z[:, 0])) == 1
  assert len(np.unique(z[:, 1:])) == 2 * T
  longer = rcgan.make_prior((T, C), dim=3, before=2)(jax.random.key(0))
  assert longer.shape == (2 + T, 3)
  uniform = rcgan.make_prior((T, C), name='uniform')(jax.random.key(0))
  assert uniform.shape == (T, 5) and np.abs(uniform).max() < 1


def test_latents_that_there_are_not():
  for options, words in (
    ({'constant': 6}, 'latent.constant=6: expected 0 to latent.dim=5'),
    ({'dim': 0}, 'latent.dim=0'),
    ({'before': -1}, 'latent.before=-1: expected at least 0'),
    ({'name': 'gamma'}, "latent.name='gamma'"),
  ):
    with pytest.raises(UserError, match=words):
      rcgan.make_prior((T, C), **options)
  with pytest.raises(UserError, match="output='relu': expected tanh or linear"):
    shapes(make('rcgan', g={'output': 'relu'}), (30, 5))
