"""Every network of images trains in bfloat16, its weights in float32."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import beginning, rules, step
from gan_jax.run import command
from tests.components.shipped import SMALL

B, STEPS, SHAPE, CLASSES = 8, 200, (8, 8, 1), 3


def batch():
  """Bright and dark pictures, and their class."""
  label = jnp.arange(B) % CLASSES
  x = jnp.broadcast_to(label[:, None, None, None] - 1.0, (B, *SHAPE)) * 0.8
  return {'x': x, 'label': label, 'index': jnp.arange(B), 'step': jnp.int32(0)}


def game_of(name):
  config = command.load_config(
    'digits:tiny',
    {'penalties': {}, 'model': {'name': name, **SMALL[name]}},
  )
  config['loss'] = {'name': 'hinge'}
  given = rules.Given(SHAPE, CLASSES, jnp.bfloat16, batch_size=B)
  return rules.make(rules.complete(config), given)


@pytest.mark.slow
@pytest.mark.parametrize('name', SMALL)
def test_two_hundred_steps_stay_finite(name):
  made, one = game_of(name), batch()
  many = {k: v if k in step.SHARED else v[None] for k, v in one.items()}

  first = {k: v[:1] for k, v in one.items() if k in ('x', 'label')}
  key = jax.random.key(0)
  before = jax.jit(lambda: beginning.init(made.game, key, first))()
  move = jax.jit(lambda state: made.step(state, many, key)[0])
  after = before
  for _ in range(STEPS):  # in a loop of XLA convolutions are slow on CPU
    after = move(after)
  assert after.step == STEPS
  for x in jax.tree.leaves(after):
    assert x.dtype != jnp.bfloat16
    assert np.isfinite(x).all()
  for player, then in before.players.items():
    moved = jax.tree.map(
      lambda a, b: np.abs(a - b).max(), then.params,
      after.players[player].params,
    )  # fmt: skip
    assert max(jax.tree.leaves(moved)) > 1e-3
