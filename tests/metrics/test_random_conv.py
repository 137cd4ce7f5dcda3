"""Random features: the same for everybody, and distances in a right order."""

import numpy as np
import pytest

from gan_jax.metrics.features import base, random_conv
from gan_jax.types import UserError


@pytest.fixture(scope='module')
def digits():
  from sklearn import datasets

  bunch = datasets.load_digits()
  x = np.round(bunch.images * 255 / 16).astype(np.uint8)
  return x[..., None], bunch.target  # [N, 8, 8, 1], [N]


def test_weights_are_frozen():
  net = random_conv.load((8, 8, 1))
  assert net.name == 'random_conv' and net.accuracy is None and not net.knows
  assert net.hash == random_conv.load((32, 64, 3)).hash == 'dbfaa134117d9930'
  assert net.hash != random_conv.load((8, 8, 1), seed=1).hash
  kernels = random_conv.weights()
  assert [k.shape[2:] for k in kernels.values()] == [
    (3, 32), (32, 32), (32, 64), (64, 256)
  ]  # fmt: skip
  for k in kernels.values():
    # Uniform: the variance is a third of the square of the bound.
    fan_in = np.prod(k.shape[:3])
    assert k.var() == pytest.approx(2 / 1.04 / fan_in, rel=0.05)
    assert np.abs(k).max() <= np.sqrt(6 / 1.04 / fan_in)


def convolve(x, kernel, stride):
  """SAME convolution of [H, W, I], one output pixel at a time."""
  height, width = (-(-n // stride) for n in x.shape[:2])
  pads = [
    max((out - 1) * stride + 3 - n, 0)
    for out, n in zip((height, width), x.shape[:2], strict=True)
  ]
  x = np.pad(x, [(p // 2, p - p // 2) for p in pads] + [(0, 0)])
  y = np.zeros((height, width, kernel.shape[-1]))
  for i in range(height):
    for j in range(width):
      patch = x[i * stride : i * stride + 3, j * stride : j * stride + 3]
      y[i, j] = np.einsum('hwi,hwio->o', patch, kernel)
  return y


@pytest.mark.parametrize('shape', [(8, 8, 1), (11, 16, 3)])
def test_features_layer_by_layer(shape):
  x = np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)
  net = random_conv.load(shape)
  got = net.apply(x)
  assert got.features.shape == (2, 512) and got.features.dtype == np.float32
  assert got.probabilities is None and got.spatial is None
  y, want = np.broadcast_to(x[1] / 127.5 - 1, (*shape[:2], 3)), []
  strides = (1, 2, 2, 2)
  for k, stride in zip(random_conv.weights().values(), strides, strict=True):
    y = convolve(y, k, stride)
    y = np.where(y > 0, y, 0.2 * y)
    want += [y.mean(axis=(0, 1)), y.max(axis=(0, 1))]
  want = np.concatenate(want[:-1])
  np.testing.assert_allclose(got.features[1], want, rtol=1e-4, atol=1e-5)


def test_calls_agree_whatever_their_number(digits):
  x = digits[0][:70]
  net = random_conv.load((8, 8, 1))
  features = net.apply(x).features
  np.testing.assert_array_equal(net.apply(x).features, features)
  rest = np.concatenate(
    [net.apply(x[:33]).features, net.apply(x[33:]).features]
  )
  np.testing.assert_allclose(rest, features, rtol=1e-5, atol=1e-5)
  floats = net.apply(base.to_model_range(x)).features
  np.testing.assert_allclose(floats, features, rtol=1e-5, atol=1e-5)


def distance(a, b):
  """Fréchet distance of Gaussians without covariances, which is quick."""
  means, spreads = (
    a.mean(axis=0) - b.mean(axis=0),
    a.std(axis=0) - b.std(axis=0),
  )
  return np.sum(means**2 + spreads**2)


@pytest.mark.parametrize('upscaled', [1, 3])
def test_distances_grow_with_noise(digits, upscaled):
  x, labels = digits
  order = np.random.default_rng(0).permutation(len(x))
  x = base.to_model_range(x[order])
  x = np.repeat(np.repeat(x, upscaled, axis=1), upscaled, axis=2)
  net = random_conv.load(x.shape[1:])
  see = lambda x: net.apply(np.clip(x, -1, 1)).features
  a, b = x[: len(x) // 2], x[len(x) // 2 :]
  noise = np.random.default_rng(1).normal(size=b.shape)
  real = see(a)
  half, *noisy = (
    distance(real, see(b + s * noise)) for s in (0, 0.1, 0.2, 0.4, 0.8)
  )
  assert (np.diff([2 * half, *noisy]) > 0).all(), (half, noisy)
  # Five classes of the ten are further away than half of the data.
  few = see(b)[labels[order][len(a) :] < 5]
  assert distance(real, few) > 3 * half


@pytest.mark.parametrize(
  'shape', [(2,), (7, 8, 1), (8, 8, 4), (8, 8), (3, 8, 8)]
)
def test_shapes_it_cannot_see(shape):
  with pytest.raises(UserError, match=r'random_conv: expected images of 8 x 8'):
    random_conv.load(shape)


def test_no_samples():
  with pytest.raises(UserError, match=r'no samples .* \[0, 8, 8, 1\]'):
    random_conv.load((8, 8, 1)).apply(np.zeros((0, 8, 8, 1), np.uint8))
