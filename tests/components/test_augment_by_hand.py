"""Augmentations by hand."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.augment import flip

KEYS = jax.random.split(jax.random.key(0), 64)
X = jnp.arange(64 * 2 * 3 * 2.0).reshape(64, 2, 3, 2)  # [B, H, W, C]


@pytest.mark.parametrize('p', [0.0, 0.3, 1.0])
def test_flips_mirror_the_columns_of_a_share_of_the_images(p):
  found = flip.apply(X, (), key=KEYS, p=p)
  drawn = np.array([jax.random.uniform(key) < p for key in KEYS])
  mirrored = np.asarray(X)[:, :, [2, 1, 0]]
  want = np.where(drawn[:, None, None, None], mirrored, X)
  np.testing.assert_array_equal(found, want)
  assert drawn.sum() == {0.0: 0, 0.3: drawn.sum(), 1.0: 64}[p]


def test_one_half_is_mirrored_by_default():
  assert inspect.signature(flip.apply).parameters['p'].default == 0.5
