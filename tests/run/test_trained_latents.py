"""Latents of several parts, such as StyleGAN's noise, given to G in Python."""

import jax
import numpy as np
import pytest

from gan_jax import recipes
from gan_jax.run import draws, given_arrays
from gan_jax.types import UserError
from tests.untrained import untrained


@pytest.fixture(scope='module')
def styles():
  """A StyleGAN2 that has not been trained."""
  return untrained(recipes.load('stylegan2:tiny', conditional=False).to_dict())


def test_a_draw_is_what_g_makes_of_its_latents(styles):
  z = styles.latents(3, seed=2)
  assert set(z) == {'z', 'noise'}
  assert {len(x) for x in jax.tree.leaves(z)} == {3}
  made = styles.generate(z)
  drawn = draws.draw(styles._setup, styles._state, 3, seed=2)
  np.testing.assert_allclose(made, drawn, atol=1e-5)
  same = styles.generate(jax.tree.map(lambda x: x[:1], z))
  np.testing.assert_allclose(same, made[:1], atol=1e-5)


def test_latents_that_are_none(styles):
  z = styles.latents(2)
  for wrong, says in (
    (z['z'], 'expected arrays as `latents` gives them'),
    ({'z': z['z']}, 'expected arrays as `latents` gives them'),
    ({**z, 'z': z['z'][:, :-1]}, r"z\['z'\] has the shape"),
    ({**z, 'z': z['z'][:1]}, 'as many latents in each'),
  ):
    with pytest.raises(UserError, match=says):
      styles.generate(wrong)
  with pytest.raises(UserError, match='z: expected numbers'):
    like = jax.ShapeDtypeStruct((2,), np.float32)
    given_arrays.latents('abc', like)
