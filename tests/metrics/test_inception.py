"""Inception-v3: the net against frozen figures, its weights against a file."""

import math
import zlib

import jax
import numpy as np
import pytest
from flax import traverse_util

from gan_jax.metrics.features import inception, inception_weights, store
from gan_jax.types import UserError

SIDE = 139  # the smallest maps are then 3 x 3, with edges and a centre

# What fid_inception_v3 of pytorch-fid 0.3.0 gives in float64 under PyTorch
# 2.13.0 for random_tensors and random_images; test_inception_parity.py asks it.
FROZEN = {
  'features': (
    *(6709.1271, 31941.772),
    *(0.46163435, 1.3691341, 0.0),
    *(0.0, 15.861231, 0.0),
  ),
  'logits': (
    *(-68.020356, 31776.486),
    *(-1.9922534, -12.397774, -6.7250332),
    *(-0.87482151, -1.6377414, -1.2998),
  ),
  'spatial': (
    *(1702.925, 11525.873),
    *(1.3519398, 4.4727543, 0.0),
    *(0.0, 2.8766199, 2.0971482),
  ),
}


@pytest.fixture
def small(monkeypatch):
  """Few and small images on one device, for the time and memory of a test."""
  monkeypatch.setattr(inception.base, 'batch_size', lambda per_device: 2)
  monkeypatch.setattr(inception, 'SIZE', SIDE)
  # Eight devices that share one memory would hold 95 MB each.
  for where in ('everywhere', 'spread'):
    monkeypatch.setattr(inception.parallel, where, jax.device_put)


@pytest.fixture(scope='module')
def shapes():
  return inception.shapes()


def random_tensors(wanted):
  """A checkpoint by name; activations keep their size, norms do something."""
  tensors = {}
  for name, shape in wanted.items():
    x = np.random.default_rng(zlib.crc32(name.encode())).random(shape)
    if name.endswith(('running_var', 'bn.weight')):
      x = x + (0.5 if name.endswith('var') else 0.45)
    elif len(shape) == 1:
      x = x - 0.5
    else:
      x = (2 * x - 1) * np.sqrt(6 / math.prod(shape[1:]))
    tensors[name] = x.astype(np.float32)
  return tensors


def random_images(n, side):
  x = np.random.default_rng(0).random((n, side, side, 3)) * 2 - 1
  return x.astype(np.float32)


@pytest.fixture(scope='module')
def checkpoint(shapes):
  return random_tensors(inception_weights.checkpoint_shapes(shapes))


@pytest.fixture(scope='module')
def folded(checkpoint, shapes, tmp_path_factory):
  """The weights as the net wants them, and a file that holds them."""
  arrays = inception_weights.fold(checkpoint, shapes, 'random')
  path = tmp_path_factory.mktemp('inception') / 'random.npz'
  inception_weights.write(path, arrays)
  return arrays, path


# The net.


def test_number_of_weights(shapes):
  # PyTorch's module has 23,850,960 parameters, two for each of the 17,216
  # channels of its batch norms; folded, one of these is left.
  n = sum(math.prod(x.shape) for x in shapes.values())
  assert n == 23_850_960 - 17_216 == 23_833_744
  assert len(shapes) == 2 * 95  # 94 convolutions and the last layer
  assert {x.dtype for x in shapes.values()} == {np.dtype('float32')}


def test_net_agrees_with_pytorch_fid(folded):
  params = traverse_util.unflatten_dict(folded[0], sep='/')
  net = jax.jit(lambda p, x: inception.Inception().apply({'params': p}, x))
  got = net(params, random_images(2, SIDE))
  for name, y in zip(('features', 'logits', 'spatial'), got, strict=True):
    close(summary(np.asarray(y)), FROZEN[name])


def summary(y):
  """Figures that change if anything does: sum, squares, a few entries."""
  y = y.astype(np.float64)
  return [y.sum(), (y**2).sum(), *y[0, :3], *y[1, -3:]]


def close(got, want):
  np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize('block, pool', [('7b', np.mean), ('7c', np.max)])
def test_pools_of_the_last_blocks(block, pool):
  # All weights are 0, but those of one channel behind the pool.
  branches = inception.BLOCKS[f'Mixed_{block}']
  x = np.random.default_rng(0).random((1, 4, 5, 6)).astype(np.float32)
  net = inception.Block(branches)
  params = jax.eval_shape(net.init, jax.random.key(0), x)['params']
  params = jax.tree.map(lambda p: np.zeros(p.shape, p.dtype), params)
  kernel = np.zeros((1, 1, 6, 192), np.float32)
  kernel[0, 0, 2, 1] = 1
  params['branch_pool']['kernel'] = kernel
  y = np.asarray(net.apply({'params': params}, x))
  assert y.shape == (1, 4, 5, 2048)
  # The pool is the last branch, and the picture's edge is no zero.
  for i in range(4):
    for j in range(5):
      near = x[0, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2, 2]
      assert y[0, i, j, -192 + 1] == pytest.approx(pool(near), rel=1e-6)
  assert np.count_nonzero(y.any(axis=(0, 1, 2))) == 1


# The feature net.


def test_shapes_of_what_it_sees(shapes):
  x = jax.ShapeDtypeStruct((3, 299, 299, 3), np.float32)
  params = traverse_util.unflatten_dict(shapes, sep='/')
  seen = jax.eval_shape(inception.Inception().apply, {'params': params}, x)
  assert [y.shape for y in seen] == [(3, 2048), (3, 1008), (3, 2023)]


def test_features_of_any_size_and_number(folded, small):
  said = []
  net = inception.load(str(folded[1]), say=said.append)
  assert net.name == 'inception' and net.resize == 'tf'
  assert net.hash == store.weights_hash(folded[0]) and 'random.npz' in said[0]
  x = np.random.default_rng(1).integers(0, 256, (3, 10, 12, 1), np.uint8)
  seen = net.apply(x)
  assert [y.shape for y in seen] == [(3, 2048), (3, 1008), (3, 343)]
  assert {y.dtype for y in seen} == {np.dtype('float32')}
  np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1, atol=1e-5)
  # Alone, in colour, and as floats that are rounded to the same levels.
  rgb = np.repeat(x[1:2], 3, axis=-1) / np.float32(127.5) - 1 + 1e-3
  for one, among in zip(net.apply(rgb), seen, strict=True):
    np.testing.assert_allclose(one[0], among[1], rtol=1e-4, atol=1e-5)


def test_resizing_and_bias_belong_to_the_net(folded, small):
  x = np.random.default_rng(2).integers(0, 256, (1, 20, 20, 3), np.uint8)
  load = lambda **how: inception.load(
    str(folded[1]), say=lambda line: None, **how
  )

  def look(**how):  # one net at a time: each has 95 MB
    net = load(**how)
    return (net.name, net.resize, net.hash), net.apply(x)

  (plain, seen), (biased, with_bias), (clean, cleanly) = (
    look(**how) for how in ({}, {'biased': True}, {'resize': 'clean'})
  )
  assert clean[1] == 'clean' and clean[2] == plain[2] == biased[2]
  assert (plain[0], biased[0]) == ('inception', 'inception_biased')
  np.testing.assert_array_equal(seen.features, with_bias.features)
  odds = np.log(with_bias.probabilities) - np.log(seen.probabilities)
  bias = folded[0]['fc/bias']
  # The softmax keeps differences only.
  np.testing.assert_allclose(
    odds[0] - odds[0, 0], bias - bias[0], rtol=1e-4, atol=1e-4
  )
  assert np.abs(cleanly.features - seen.features).max() > 1e-3
  with pytest.raises(UserError, match='20 x 20'):
    load(resize='none').apply(x)


@pytest.mark.parametrize(
  'samples, message',
  [
    (np.zeros((2, 8, 8, 4), np.uint8), r'\[N, H, W, 1 or 3\]'),
    (np.zeros((2, 64), np.float32), r'got \[2, 64\]'),
    (np.full((2, 8, 8, 1), np.nan, np.float32), '2 of 2 images hold NaN'),
    (np.zeros((0, 8, 8, 1), np.uint8), 'no samples'),
  ],
)
def test_bad_samples(folded, small, samples, message):
  net = inception.load(str(folded[1]), say=lambda line: None)
  with pytest.raises(UserError, match=message):
    net.apply(samples)


def test_unknown_resizing():
  with pytest.raises(UserError, match='there are tf, clean, none'):
    inception.load(resize='bicubic')


# The weights.


def test_fold_is_convolution_and_norm(checkpoint, folded):
  # At one pixel of one layer: norm(k x) = k' x + b'.
  of = 'Mixed_6b.branch7x7_2'
  t = {
    k.removeprefix(f'{of}.'): v.astype(np.float64)
    for k, v in checkpoint.items()
    if k.startswith(of)
  }
  x = np.random.default_rng(0).normal(size=(1, 7, 128))  # [h, w, I]
  y = np.einsum('oihw,hwi->o', t['conv.weight'], x) - t['bn.running_mean']
  y = y / np.sqrt(t['bn.running_var'] + 1e-3) * t['bn.weight'] + t['bn.bias']
  kernel, bias = (
    folded[0][f'{of.replace(".", "/")}/{k}'] for k in ('kernel', 'bias')
  )
  got = np.einsum('hwio,hwi->o', kernel.astype(np.float64), x) + bias
  np.testing.assert_allclose(got, y, rtol=1e-5, atol=1e-5)


def test_faults_of_a_checkpoint_are_named(checkpoint, shapes):
  bad = {
    **checkpoint,
    'AuxLogits.fc.weight': np.zeros((2, 2), np.float32),
    'fc.weight': np.zeros((1000, 2048), np.float32),
    'Mixed_5b.branch1x1.bn.bias': np.full(64, np.inf, np.float32),
    'Mixed_5b.branch1x1.bn.num_batches_tracked': np.int64(7),
  }
  del bad['Mixed_7c.branch_pool.conv.weight']
  with pytest.raises(UserError) as e:
    inception_weights.fold(bad, shapes, 'bad.pth')
  assert str(e.value) == (
    'inception: bad.pth: missing: Mixed_7c.branch_pool.conv.weight; not of '
    'this net: AuxLogits.fc.weight; of another shape: fc.weight [1000, 2048] '
    'for [1008, 2048]; not finite numbers: Mixed_5b.branch1x1.bn.bias'
  )


def test_of_many_names_three_are_told(shapes):
  for count, told in ((3, 'x0, x1, x2'), (5, 'x0, x1, x2 and 2 more')):
    foreign = {f'x{i}': np.zeros(1, np.float32) for i in range(count)}
    with pytest.raises(UserError, match=f'not of this net: {told}($|;)'):
      inception_weights.fold(foreign, shapes, 'bad.pth')


def test_npz_is_read_as_written(folded, shapes, tmp_path):
  arrays, path = folded
  again = inception_weights.read(path, shapes)
  jax.tree.map(np.testing.assert_array_equal, arrays, again)
  with pytest.raises(UserError, match='end in .npz'):
    inception_weights.write(tmp_path / 'x.pth', arrays)
  (tmp_path / 'file').touch()
  with pytest.raises(UserError, match='cannot be written'):
    inception_weights.write(tmp_path / 'file' / 'x.npz', {'a': np.zeros(1)})
  other = tmp_path / 'other.npz'
  inception_weights.write(other, {'a/kernel': np.zeros(1, np.float32)})
  with pytest.raises(UserError, match='missing.* and 187 more; not of this'):
    inception_weights.read(other, shapes)


def test_damaged_npz(folded, shapes, tmp_path):
  whole = folded[1].read_bytes()
  path = tmp_path / 'x.npz'
  path.write_bytes(whole[: len(whole) // 2])
  with pytest.raises(UserError, match='x.npz is damaged'):
    inception_weights.read(path, shapes)
  path.write_bytes(whole[:5000] + bytes(100) + whole[5100:])
  with pytest.raises(UserError, match='x.npz is damaged'):
    inception_weights.read(path, shapes)
