"""Samples depend on their key and index, not on how many are drawn or where."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.devices import parallel
from gan_jax.game import keys, latents
from gan_jax.run import sampling

DIM, CLASSES = 3, 4
TRACED = []  # a shape for every time that the generator is compiled


class Generator(nn.Module):
  """A dense layer; a label shifts what it makes by ten times itself."""

  @nn.compact
  def __call__(self, z, label=None, *, train):
    assert not train
    TRACED.append(z.shape)
    x = nn.Dense(2)(z)
    return x if label is None else x + 10.0 * label[:, None]


@pytest.fixture(scope='module')
def net():
  """(sample, variables) of a generator that was not trained."""
  g, z = Generator(), jnp.zeros((1, DIM))
  variables = {'vars': {}, **g.init(jax.random.key(1), z, train=False)}
  prior = latents.make_prior(dim=DIM)
  return jax.jit(sampling.make_sampler(g, prior=prior)), variables


def draw(net, num, *, seed=0, **kwargs):
  return sampling.collect(*net, jax.random.key(seed), num, **kwargs)


def test_a_sample_is_the_generators_of_its_own_latent(net):
  found = draw(net, 5)
  _, variables = net
  key = keys.stream(jax.random.key(0), keys.SAMPLE)
  for i, sample in enumerate(found):
    z = latents.make_prior(dim=DIM)(jax.random.fold_in(key, i))
    dense = variables['params']['Dense_0']
    expected = np.asarray(z) @ dense['kernel'] + dense['bias']
    np.testing.assert_allclose(sample, expected, atol=1e-5)


@pytest.mark.parametrize('few', [1, 7, sampling.BATCH, sampling.BATCH + 1])
def test_the_first_ones_do_not_depend_on_how_many_there_are(net, few):
  many = draw(net, 2 * sampling.BATCH + 3)
  assert many.shape == (2 * sampling.BATCH + 3, 2)
  assert many.dtype == np.float32
  assert len(np.unique(many, axis=0)) == len(many)
  np.testing.assert_array_equal(draw(net, few), many[:few])


def test_batches_end_where_they_should(net):
  sizes = [
    len(x)
    for x, label in sampling.batches(*net, jax.random.key(0), 600)
    if label is None
  ]
  assert sizes == [256, 256, 88]
  assert list(sampling.batches(*net, jax.random.key(0), 0)) == []


def test_one_compiled_size_whatever_the_number(net):
  draw(net, 3)
  before = list(TRACED)
  draw(net, 700)
  assert before and before == TRACED


def test_other_keys_make_other_samples(net):
  assert not (draw(net, 50) == draw(net, 50, seed=1)).any()


@pytest.mark.parametrize('num', [3, 300])
def test_labels_go_through_the_classes_in_turn(net, num):
  found = list(
    sampling.batches(*net, jax.random.key(0), num, num_classes=CLASSES)
  )
  labels = np.concatenate([label for _, label in found])
  expected = sampling.balanced_labels(num, CLASSES)
  np.testing.assert_array_equal(labels, expected)
  np.testing.assert_array_equal(expected, np.arange(num) % CLASSES)
  # The generator is told them: what it makes lies where the label says.
  samples = np.concatenate([x for x, _ in found])
  shift = samples - draw(net, num)
  np.testing.assert_allclose(
    shift, 10.0 * np.repeat(labels[:, None], 2, axis=1), atol=1e-4
  )


def test_no_labels_without_classes():
  assert sampling.balanced_labels(5, 0) is None


@pytest.mark.skipif(jax.local_device_count() < 8, reason='of 8 fake devices')
def test_one_device_or_eight_draw_the_same(net, monkeypatch):
  sample, variables = net
  used = []

  def watched(variables, key, index, label):
    made = sample(variables, key, index, label)
    used.append(len(made.sharding.device_set))
    return made

  draw_with = lambda: sampling.collect(
    watched, variables, jax.random.key(0), 300, num_classes=CLASSES
  )
  eight = draw_with()
  one_mesh = jax.sharding.Mesh(np.array(jax.local_devices()[:1]), ('batch',))
  monkeypatch.setattr(parallel, '_local_mesh', lambda size: one_mesh)
  one = draw_with()
  assert used == [8, 8, 1, 1]
  np.testing.assert_allclose(one, eight, atol=1e-6, rtol=1e-6)


def test_take_seed():
  tree = {'a': np.arange(6).reshape(3, 2), 'b': (np.arange(3),)}
  found = sampling.take_seed(tree, 2)
  assert found['a'].tolist() == [4, 5] and found['b'][0] == 2
