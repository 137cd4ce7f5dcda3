"""The slopes that a probe measures: at real samples, and at fakes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import keys
from gan_jax.game.health import probe
from tests import tiny
from tests.game import test_what_a_step_uses as step_tests

KEY = step_tests.ROOT


def test_slopes_of_a_bowl_are_the_distances_from_its_middle():
  """D(x) = |x|^2 / 2: its slope at x is |x|."""
  game = tiny.rules(d=step_tests.Bowl)
  init, _ = tiny.game(d=step_tests.Bowl)
  state = init(KEY)
  batch = step_tests.BATCH
  found = jax.jit(probe.make_probe(game))(state, state, batch, KEY, {})
  own = KEY
  for i in (keys.STEP, 0, keys.LATENTS):
    own = jax.random.fold_in(own, i)
  draw = lambda i: jax.random.normal(jax.random.fold_in(own, i), (tiny.DIM,))
  z = jnp.stack([draw(i) for i in step_tests.INDEX])
  g = state.players['g']
  fake, _ = game.nets['g'].apply(
    {'params': g.params, **g.vars}, z, train=True, mutable=['batch_stats']
  )
  lengths = [np.linalg.norm(x, axis=1).mean() for x in (step_tests.REAL, fake)]
  assert abs(lengths[0] - lengths[1]) > 0.1
  assert float(found['health_grad_real']) == pytest.approx(lengths[0], rel=1e-4)
  assert float(found['health_grad_fake']) == pytest.approx(lengths[1], rel=1e-4)
