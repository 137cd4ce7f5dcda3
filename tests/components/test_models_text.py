"""Networks of text: golden counts, formulas by hand, what is drawn and when."""

import functools
import importlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import char_gan, gumbel_lstm
from gan_jax.types import UserError

KEY = jax.random.key(0)
# {name: {(T, V): (G, D)}} at default widths, latents of 128.
GOLDEN = {
  'char_gan': {
    (32, 98): (15_276_130, 13_179_393),
    (32, 66): (15_259_714, 13_163_009),
  },
  'gumbel_lstm': {(32, 65): (543_553, 13_162_497)},
}
SMALL = {
  'char_gan': {'g': {'dim': 8, 'blocks': 2}, 'd': {'dim': 8, 'blocks': 2}},
  'gumbel_lstm': {'g': {'features': 8}, 'd': {'dim': 8, 'blocks': 2}},
}
T, V = 6, 5


def latents(name, shape, *, count=3, dim=128):
  if name == 'char_gan':
    return jnp.array(np.random.default_rng(0).normal(size=(count, dim)))
  prior = gumbel_lstm.make_prior(shape, dim=dim)
  return jax.vmap(prior)(jax.random.split(KEY, count))


def nets(name, shape, *, g=None, d=None, **common):
  module = importlib.import_module(f'gan_jax.models.{name}')
  return (
    module.Generator(shape=shape, **(g or {}), **common),
    module.Discriminator(**(d or {}), **common),
  )


def started(net, *inputs):
  """(output, variables) in training mode; any numbers will do."""
  run = lambda: net.init_with_output(KEY, *inputs, train=True)
  return jax.jit(run)()


def count(variables):
  return sum(a.size for a in jax.tree.leaves(variables['params']))


@pytest.mark.parametrize(
  'name, shape', [(name, shape) for name in GOLDEN for shape in GOLDEN[name]]
)
def test_golden_parameter_counts(name, shape):
  g, d = nets(name, shape)
  z = jax.eval_shape(lambda: latents(name, shape))
  x, of_g = jax.eval_shape(lambda z: started(g, z), z)
  logits, of_d = jax.eval_shape(lambda x: started(d, x), x)
  assert x.shape == (3, *shape) and logits.shape == (3,)
  assert (count(of_g), count(of_d)) == GOLDEN[name][shape]


@pytest.mark.parametrize('name', GOLDEN)
@pytest.mark.parametrize('num_classes', [0, 3])
def test_bfloat16_computes_but_never_stores(name, num_classes):
  common = {'num_classes': num_classes, 'dtype': jnp.bfloat16}
  g, d = nets(name, (T, V), **SMALL[name], **common)
  label = np.array([0, 1, 2]) if num_classes else None
  z = jax.eval_shape(lambda: latents(name, (T, V), dim=4))
  x, of_g = jax.eval_shape(lambda z: started(g, z, label), z)
  logits, of_d = jax.eval_shape(lambda x: started(d, x, label), x)
  assert x.dtype == logits.dtype == jnp.float32
  stored = {a.dtype for a in jax.tree.leaves((of_g, of_d))}
  assert stored == {np.dtype('float32')}


@pytest.mark.parametrize('name', GOLDEN)
def test_labels_change_the_output(name):
  g, _ = nets(name, (T, V), **SMALL[name], num_classes=3)
  z = latents(name, (T, V), dim=4)

  def run(one, other):
    made, variables = g.init_with_output(KEY, z, one, train=True)
    return made, g.apply(variables, z, other, train=True)

  one, other = jax.jit(run)(np.array([0, 1, 2]), np.array([0, 2, 2]))
  np.testing.assert_allclose(one.sum(-1), 1, atol=1e-5)
  changed = np.abs(one - other).sum((1, 2))
  assert changed[1] > 1e-3 and changed[[0, 2]].max() < 1e-5
  with pytest.raises(ValueError, match='3 classes needs labels'):
    jax.eval_shape(lambda: g.init(KEY, z, train=True))


def conv(x, kernel):
  """[T, C], [5, C, F] -> [T, F], by its definition."""
  padded = np.pad(x, ((2, 2), (0, 0)))
  return np.stack(
    [np.einsum('kc,kcf->f', padded[t : t + 5], kernel) for t in range(len(x))]
  )


def test_the_residual_network_is_its_formula():
  g, _ = nets('char_gan', (T, V), g={'dim': 4, 'blocks': 1})
  z = latents('char_gan', (T, V), count=1, dim=3)
  made, variables = started(g, z)
  p = jax.tree.map(np.asarray, variables['params'])
  x = (np.asarray(z)[0] @ p['start']['kernel']).reshape(T, 4)
  y = x
  for k in (0, 1):
    y = conv(np.maximum(y, 0), p[f'block_0_{k}']['kernel'][:, 0])
  logits = (x + 0.3 * y) @ p['letters']['kernel'][0, 0]
  np.testing.assert_allclose(made[0], nn.softmax(logits), atol=1e-5)
  kernel = p['block_0_0']['kernel']
  assert np.abs(kernel).max() < np.sqrt(3 * 4 / (5 * 4 + 5 * 4)) + 1e-6


@pytest.mark.parametrize('name', GOLDEN)
@pytest.mark.parametrize('shape', [(2,), (8, 8, 1)])
def test_other_samples_are_refused(name, shape):
  g, d = nets(name, shape)
  with pytest.raises(UserError, match='expected text, .characters, letters'):
    jax.eval_shape(lambda: started(d, jnp.ones((2, *shape))))
  z = latents(name, (T, V)) if name == 'gumbel_lstm' else jnp.ones((2, 3))
  with pytest.raises(UserError, match='expected text'):
    jax.eval_shape(lambda: started(g, z))


# ------------------------------------------------------------------- Gumbel


def test_temperature_falls_exponentially():
  g = gumbel_lstm.Generator(shape=(T, V), t0=4.0, t1=1.0, anneal_steps=10)
  values = [float(g.temperature(step)) for step in (0, 5, 10, 20)]
  assert values == pytest.approx([4, 2, 1, 1])


@functools.cache
def small_lstm():
  g = gumbel_lstm.Generator(shape=(T, V), features=8, t0=2.0, t1=0.25)
  z = latents('gumbel_lstm', (T, V), dim=4)
  return g, z, started(g, z)[1]


def unrolled(p, z, noise, temperature, *, hard):
  """What the LSTM writes for one latent, in NumPy."""
  sigmoid = lambda x: 1 / (1 + np.exp(-x))
  dense = lambda x, q: x @ q['kernel'] + q.get('bias', 0)
  c, h = np.split(np.tanh(dense(z, p['start'])), 2)
  last, made, cell = np.zeros(V), [], p['cell']['lstm']
  for t in range(T):
    x = np.concatenate([last, z])
    i, f, g, o = (
      x @ cell[f'i{k}']['kernel'] + dense(h, cell[f'h{k}']) for k in 'ifgo'
    )
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    logits = (dense(h, p['cell']['letters']) + noise[t]) / temperature
    soft = np.exp(logits - logits.max())
    last = np.eye(V)[soft.argmax()] if hard else soft / soft.sum()
    made.append(last)
  return np.stack(made)


@pytest.mark.parametrize('train', [True, False])
def test_it_writes_what_its_formula_writes(train):
  g, z, variables = small_lstm()
  p = jax.tree.map(np.asarray, variables['params'])
  step = {'step': jnp.int32(0)} if train else {}
  run = jax.jit(functools.partial(g.apply, train=train))
  made = np.asarray(run(variables, z, **step))
  for k in range(3):
    noise = np.asarray(z['gumbel'])[k]
    temperature = 2.0 if train else 0.25
    expected = unrolled(
      p, np.asarray(z['z'])[k], noise, temperature, hard=not train
    )
    np.testing.assert_allclose(made[k], expected, atol=1e-5)
  assert train or set(np.unique(made)) == {0.0, 1.0}


def test_characters_are_drawn_by_their_probabilities():
  """Gumbel noise on logits, and the largest one: shares are the softmax."""
  g = gumbel_lstm.Generator(shape=(1, V), features=4)
  prior = gumbel_lstm.make_prior((1, V), dim=2)
  z = jax.vmap(prior)(jax.random.split(KEY, 4000))
  z['z'] = jnp.ones_like(z['z'])  # the same code, so the same logits
  variables = started(g, z)[1]
  drawn = jax.jit(functools.partial(g.apply, train=False))(variables, z)
  quiet = {**z, 'gumbel': jnp.zeros_like(z['gumbel'])}
  soft = jax.jit(functools.partial(g.clone(t0=1.0).apply, train=True))(
    variables, quiet, step=jnp.int32(0)
  )
  np.testing.assert_allclose(drawn.mean((0, 1)), soft[0, 0], atol=0.03)


def test_straight_through_has_the_gradient_of_the_soft_one():
  soft = nn.softmax(jnp.array([[0.3, -1.0, 2.0]]))
  weight = jnp.array([[1.0, 2.0, 3.0]])
  run = lambda f: jax.value_and_grad(lambda x: (f(x) * weight).sum())(soft)
  value, slope = run(gumbel_lstm._straight_through)
  assert value == 3 and (slope == weight).all()


def test_a_latent_needs_a_length():
  with pytest.raises(UserError, match='latent.dim=0'):
    gumbel_lstm.make_prior((T, V), dim=0)


def test_d_is_that_of_the_residual_network():
  assert gumbel_lstm.Discriminator is char_gan.Discriminator
