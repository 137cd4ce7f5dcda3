"""D's moves of a step are one loop of its program."""

import jax
import jax.numpy as jnp
import pytest

from tests import tiny

KEY = jax.random.key(0)


@pytest.mark.parametrize('update', ['alternating', 'negative_momentum'])
def test_more_moves_of_d_do_not_make_a_larger_program(update):
  def size(d_steps, unroll=False):
    own = {'d_steps': d_steps}
    init, make_step = tiny.game(update=update, own=own, **own)
    batch = {
      'x': jnp.zeros((d_steps, tiny.BATCH, 2)),
      'index': jnp.arange(tiny.BATCH),
      'step': 0,
    }
    run = jax.jit(make_step(None, unroll=unroll))
    text = run.lower(jax.eval_shape(init, KEY), batch, KEY).as_text()
    return text.count('stablehlo.dot_general')

  assert size(2) == size(5) < size(3, unroll=True) < size(5, unroll=True)
