"""Models against the same networks written in NumPy and plain convolutions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import dcgan, mlp

CLASSES, Z = 3, 5
LABEL = np.array([2, 0, 1, 2])


def normal(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def variables(net, *inputs):
  """Of a network, every number drawn anew: no bias is 0 and no scale is 1."""
  shapes = jax.eval_shape(
    lambda key: net.init(key, *inputs, train=False), jax.random.key(0)
  )
  rng = np.random.default_rng(1)
  draw = lambda path, x: np.float32(
    rng.uniform(0.5, 2.0, x.shape)
    if path[-1].key == 'var'
    else rng.normal(size=x.shape) / 2
  )
  return jax.tree_util.tree_map_with_path(draw, dict(shapes))


def logits_of(output):
  return output['logits'] if isinstance(output, dict) else output


def dense(params, x):
  return x @ params['kernel'] + params.get('bias', 0)


def leaky(x):
  return np.where(x > 0, x, 0.2 * x)


def norm(tree, name, x, label=None):
  """Batch norm by stored statistics; by class, scale and shift by label."""
  if name not in tree['params']:
    return x
  params, stats = tree['params'][name], tree['batch_stats'][name]
  if label is None:
    scale, shift = params['batch']['scale'], params['batch']['bias']
  else:
    axes = tuple(range(1, x.ndim - 1))
    of = lambda n: np.expand_dims(params[n]['embedding'][label], axes)
    scale, shift = 1 + of('gamma'), of('beta')
  mean, var = stats['batch']['mean'], stats['batch']['var']
  return (x - mean) / np.sqrt(var + 1e-5) * scale + shift


def convolved(params, x, *, transposed=False):
  """Four by four, strides of two, as the DCGAN's are."""
  run = jax.lax.conv_transpose if transposed else jax.lax.conv_general_dilated
  y = run(
    jnp.asarray(x),
    params['kernel'],
    (2, 2),
    'SAME',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )
  return np.asarray(y) + params.get('bias', 0)


def projected(params, features, pooled, label):
  logits = dense(params['logits'], features)[:, 0]
  if label is not None:
    logits = logits + (params['embed']['embedding'][label] * pooled).sum(-1)
  return logits


def with_class(params, z, label):
  """The class's vector stands beside z where there is no norm to tell it to."""
  if 'embed' not in params:
    return z
  return np.concatenate([z, params['embed']['embedding'][label]], axis=-1)


def hand_mlp_g(tree, z, label):
  x = with_class(tree['params'], z, label)
  for i in range(2):
    x = norm(tree, f'norm_{i}', dense(tree['params'][f'hidden_{i}'], x), label)
    x = np.maximum(x, 0)
  return np.tanh(dense(tree['params']['sample'], x)).reshape(-1, 2, 2, 1)


def hand_mlp_d(tree, x, label):
  x = x.reshape(len(x), -1)
  for i in range(2):
    x = leaky(norm(tree, f'norm_{i}', dense(tree['params'][f'hidden_{i}'], x)))
  return projected(tree['params'], x, x, label)


def hand_dcgan_g(tree, z, label, *, size):
  params = tree['params']
  x = dense(params['start'], with_class(params, z, label))
  x = x.reshape(len(z), -(-size // 4), -(-size // 4), -1)
  for i in range(2):
    x = np.maximum(norm(tree, f'norm_{i}', x, label), 0)
    x = convolved(params[f'up_{i}'], x, transposed=True)
  first = (x.shape[1] - size) // 2
  return np.tanh(x[:, first : first + size, first : first + size])


def hand_dcgan_d(tree, x, label):
  for i in range(2):
    x = convolved(tree['params'][f'down_{i}'], x)
    x = leaky(norm(tree, f'norm_{i}', x))
  # What a label is compared with is the sum over the pixels, not their mean.
  return projected(
    tree['params'], x.reshape(len(x), -1), x.sum(axis=(1, 2)), label
  )


each_net = pytest.mark.parametrize('norm_name', ['none', 'batch'])
each_kind = pytest.mark.parametrize('label', [None, LABEL])


def check(net, expected, *inputs):
  tree = variables(net, *inputs)
  found = jax.jit(functools.partial(net.apply, train=False))(tree, *inputs)
  np.testing.assert_allclose(
    logits_of(found), expected(tree, *inputs), rtol=2e-4, atol=2e-4
  )


def common(norm_name, label):
  return {'norm': norm_name, 'num_classes': 0 if label is None else CLASSES}


@each_net
@each_kind
def test_mlp(norm_name, label):
  options = {'hidden': (6, 4), **common(norm_name, label)}
  g, d = mlp.Generator(shape=(2, 2, 1), **options), mlp.Discriminator(**options)
  check(g, hand_mlp_g, normal(4, Z), label)
  check(d, hand_mlp_d, normal(4, 2, 2, 1), label)


@each_net
@each_kind
@pytest.mark.parametrize('size', [8, 9])
def test_dcgan_generator(norm_name, label, size):
  net = dcgan.Generator(
    shape=(size, size, 2), widths=(6, 4), **common(norm_name, label)
  )
  expected = lambda *x: hand_dcgan_g(*x, size=size)
  check(net, expected, normal(4, Z), label)


@each_net
@each_kind
def test_dcgan_discriminator(norm_name, label):
  net = dcgan.Discriminator(widths=(4, 6), **common(norm_name, label))
  check(net, hand_dcgan_d, normal(4, 8, 8, 2), label)


def test_dcgan_projects_onto_the_sum_over_the_pixels():
  """Where all pixels are alike, a label's logit counts each of them."""
  net = dcgan.Discriminator(widths=(2,), norm='none', num_classes=CLASSES)
  x = normal(2, 8, 8, 1)
  tree = variables(net, x, np.array([0, 1]))
  tree['params']['down_0'] = {
    'kernel': np.zeros((4, 4, 1, 2), np.float32),
    'bias': np.array([3.0, -5.0], np.float32),  # leaky: 3 and -1
  }
  tree['params']['embed']['embedding'] = np.array(
    [[0, 0], [1, 0], [0, 1]], np.float32
  )
  run = lambda label: logits_of(
    net.apply(tree, x, np.full(2, label), train=False)
  )
  pixels = 4 * 4
  np.testing.assert_allclose(run(1) - run(0), 3 * pixels, rtol=1e-5)
  np.testing.assert_allclose(run(2) - run(0), -1 * pixels, rtol=1e-5)


def test_where_an_mlp_has_norms_and_how_wide_its_classes_are():
  net = mlp.Discriminator(norm='batch', hidden=(6, 5, 4))
  d = variables(net, normal(4, 2))
  assert {k for k in d['params'] if 'norm' in k} == {'norm_1', 'norm_2'}
  assert 'bias' in d['params']['hidden_0']
  assert 'bias' not in d['params']['hidden_1']
  options = {'norm': 'none', 'num_classes': CLASSES}
  for net in (
    mlp.Generator(shape=(2,), hidden=(6,), **options),
    dcgan.Generator(shape=(8, 8, 1), widths=(4,), **options),
  ):
    g = variables(net, normal(4, Z), LABEL)['params']
    assert g['embed']['embedding'].shape == (CLASSES, Z)
