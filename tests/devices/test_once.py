"""Programs that run once are compiled soon, and give the same numbers."""

import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.devices import once

ROOT = pathlib.Path(__file__).resolve().parents[2]
BITS = """
import jax, numpy as np
from gan_jax.devices import once
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
assert once._soon() == once.SOON
config = command.load_config('configs/digits.py:tiny')
setup = setup_lib.build(config)
soon = setup.functions.init(setup.keys[0], setup.numbers)
well = jax.jit(setup.functions.init.__wrapped__)(setup.keys[0], setup.numbers)
assert len(jax.tree.leaves(soon)) > 30
near = lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
jax.tree.map(near, soon, well)
"""


def test_the_weights_are_those_of_a_program_compiled_well(tmp_path):
  """With XLA's optimisations, which the other tests go without."""
  env = dict(os.environ, JAX_DISABLE_MOST_OPTIMIZATIONS='0', XLA_FLAGS='')
  subprocess.run([sys.executable, '-c', BITS], cwd=ROOT, env=env, check=True)


@pytest.mark.parametrize('least, backend, soon', [
  (False, 'cpu', True), (True, 'cpu', False), (False, 'gpu', False),
])  # fmt: skip
def test_where_xla_is_told_to_hurry(least, backend, soon, monkeypatch):
  name = 'jax_disable_most_optimizations'
  values = {**jax.config.values, name: least}
  monkeypatch.setattr(once.jax, 'config', type('C', (), {'values': values}))
  monkeypatch.setattr(once.jax, 'default_backend', lambda: backend)
  assert once._soon() == (once.SOON if soon else None)


def test_it_may_be_part_of_another_program(monkeypatch):
  """JAX refuses options of a program within a program."""
  monkeypatch.setattr(once, '_soon', lambda: once.SOON)
  traced = []

  def double(x):
    traced.append(x)
    return 2 * x

  function = once.jit(double)
  x = jnp.arange(3.0)
  np.testing.assert_array_equal(function(x), [0, 2, 4])
  assert jax.eval_shape(lambda: function(x)).shape == (3,)
  assert jax.eval_shape(function, x).shape == (3,)
  np.testing.assert_array_equal(
    jax.jit(lambda x: function(x) + 1)(x), [1, 3, 5]
  )
  np.testing.assert_array_equal(jax.vmap(function)(x), [0, 2, 4])
  assert len(traced) <= 2  # once as a vector, once as a number
