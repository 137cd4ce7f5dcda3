"""What components have to do that are no part of a game; see conformance.py."""

import jax.numpy as jnp
import numpy as np

from gan_jax.data import kinds, memory
from gan_jax.game import optim
from gan_jax.metrics import compute, measures
from gan_jax.metrics.features import spaces
from gan_jax.metrics.views import SampleStats


def dataset(module):
  """Rows of one kind, the same each time, finite in model range."""
  data = module.load()
  rows = np.array([0, data.size - 1, 0])
  one, again = data.read(rows), data.read(rows)
  for key, value in one.items():
    np.testing.assert_array_equal(value, again[key])
    np.testing.assert_array_equal(value[0], value[2])
  x = kinds.in_model_range(data, one['x'])
  assert x.shape == (3, *data.shape) and np.isfinite(x).all()
  if data.class_names:
    assert one['label'].max() < len(data.class_names)


def metric(module):
  """Its values, finite, whatever the order of the samples."""
  own = module.METRIC
  assert isinstance(own, measures.Metric)
  rng = np.random.default_rng(0)
  arrays = {
    'features': rng.normal(size=(40, 3)),
    'probabilities': rng.dirichlet(np.ones(3), size=40),
    'samples': rng.normal(size=(40, 2)),
    'labels': np.arange(40) % 3,
  }
  stats = lambda order: SampleStats(
    40, group=np.arange(40) % 10, **{k: v[order] for k, v in arrays.items()}
  )
  plain, order = stats(np.arange(40)), stats(rng.permutation(40))
  known = compute.Known(num_classes=3, held_out=plain)
  values, other = (own.compute(plain, s, known)[0] for s in (plain, order))
  assert set(own.outputs) <= set(values)
  for name in own.outputs:
    assert np.isfinite(values[name])
    np.testing.assert_allclose(values[name], other[name], 1e-6, 1e-6)


def optimizer(module, name):
  """Steps go down a slope, by a rate that may be a schedule."""
  del module
  tx = optim.make_optimizer(
    name, learning_rate=0.1, schedule={'name': 'constant_schedule'}
  )
  weights = {'kernel': jnp.ones((3, 2))}
  moved, _ = tx.update(weights, tx.init(weights), weights)
  assert (moved['kernel'] < 0).all()


def feature_net(module, name):
  """The same features of a sample in any batch, a row each."""
  data = memory.from_arrays('own', 'point', np.ones((5, 2), np.float32))
  net, x = spaces.load(data, name), np.random.default_rng(0).normal(size=(5, 2))
  whole, part = net.apply(x), net.apply(x[1:3])
  np.testing.assert_allclose(whole.features[1:3], part.features, 1e-5)
  for field in getattr(module, 'KNOWS', ()):
    assert len(getattr(whole, field)) == 5
