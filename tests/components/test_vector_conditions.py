"""Conditions that are vectors, several attributes say, in place of classes."""

import functools
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import beginning
from gan_jax.models import rcgan
from gan_jax.models.layers import blocks
from gan_jax.types import UserError
from tests.components.conformance import game_of
from tests.components.shipped import SMALL
from tests.components.test_conditioning_heads import head

B, A = 6, 4
ATTRIBUTES = np.float32([
  [1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 0],
  [0.5, -1, 2, 0],
])  # fmt: skip
KINDS = 'projection', 'concat', 'unconditional_d'


def test_an_embedding_is_linear_in_a_vector():
  table = blocks.Embed(A, 3)
  made, variables = table.init_with_output(jax.random.key(0), ATTRIBUTES)
  weights = np.asarray(variables['params']['embedding'])
  np.testing.assert_allclose(made, ATTRIBUTES @ weights, 1e-5, 1e-6)
  label = jnp.arange(A)
  by_class = table.apply(variables, label)
  np.testing.assert_array_equal(
    table.apply(variables, jax.nn.one_hot(label, A)), by_class
  )
  np.testing.assert_array_equal(by_class, weights)


@pytest.mark.parametrize('model', sorted(SMALL))
def test_every_architecture_takes_vectors(model):
  """The parameters are those of as many classes as the vector has numbers."""
  module = importlib.import_module(f'gan_jax.models.{model}')
  g, d = (SMALL[model][player] for player in 'gd')
  g = module.Generator(shape=(8, 8, 1), num_classes=A, **g)
  d = module.Discriminator(num_classes=A, **d)

  def run(key, condition):
    z = jnp.ones((B, 16))
    image, own = g.init_with_output(key, z, condition, train=True)
    return (image, own), d.init_with_output(key, image, condition, train=True)

  key = jax.random.key(0)
  vectors = jax.eval_shape(run, key, ATTRIBUTES)
  classes = jax.eval_shape(run, key, jnp.zeros(B, int))
  assert jax.tree.map(str, vectors) == jax.tree.map(str, classes)


def test_series_are_made_beside_a_vector():
  """Of a vector with a single 1, as beside the class."""
  z, label = jnp.ones((B, 5, 3)), jnp.arange(B) % A
  by_class = rcgan.with_class(z, label, A)
  by_vector = rcgan.with_class(z, jax.nn.one_hot(label, A), A)
  np.testing.assert_array_equal(by_class, by_vector)
  made = rcgan.with_class(z, jnp.asarray(ATTRIBUTES), A)
  for moment in range(5):
    np.testing.assert_array_equal(made[:, moment, 3:], ATTRIBUTES)


@pytest.mark.parametrize('name', KINDS)
def test_heads_of_vectors(name):
  """Of a vector with a single 1, a head is that of the class."""
  label = jnp.arange(B) % A
  vectors = jax.nn.one_hot(label, A)
  _, by_class, _ = head(name, label, num_classes=A)
  _, by_vector, _ = head(name, vectors, num_classes=A)
  np.testing.assert_allclose(
    by_vector['logits'], by_class['logits'], 1e-5, 1e-6
  )


@pytest.mark.parametrize(
  'name', ['ac', 'adc', 'contrastive', 'd2d_ce', 'md', 'multi_hinge', 'tac']
)
def test_heads_of_classes_refuse_vectors(name):
  says = 'needs classes, one for each example; a vector of 4 numbers suits'
  with pytest.raises(UserError, match=says):
    head(name, jnp.asarray(ATTRIBUTES), num_classes=A)


def test_a_step_with_vectors():
  """Both players learn, of a game that is given vectors in place of labels."""
  made, _, batch = game_of((2,), A, conditioning={'name': 'projection'})
  batch |= {'label': jnp.asarray(ATTRIBUTES)[: len(batch['x'])]}
  key = jax.random.key(0)
  cut = lambda at: {
    k: v[at] if k in ('x', 'label') else v for k, v in batch.items()
  }
  state = jax.jit(functools.partial(beginning.init, made.game))(
    key, cut(slice(1))
  )
  many = cut(None)
  after, metrics = jax.jit(made.step)(state, many, key)
  assert all(np.isfinite(x) for x in metrics.values())
  table = lambda state: state.players['d'].params['embed']['embedding']
  assert np.abs(table(after) - table(state)).max() > 0
