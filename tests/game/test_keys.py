"""Random keys: which number is folded in, and in which order."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import keys, latents

KEY = jax.random.key(7)


def same(a, b):
  return bool((jax.random.key_data(a) == jax.random.key_data(b)).all())


def test_seeds_count_upwards():
  want = [jax.random.key(5), jax.random.key(6), jax.random.key(7)]
  assert same(keys.seed_keys(5, 3), jnp.stack(want))


def test_streams_are_numbered_as_in_all_runs_so_far():
  names = ('INIT', 'ORDER', 'STEP', 'SAMPLE', 'DRAW', 'ROLLBACK')
  assert [getattr(keys, name) for name in names] == list(range(6))


def test_a_stream_folds_its_purpose_first():
  want = KEY
  for i in (keys.STEP, 11, 2):
    want = jax.random.fold_in(want, i)
  assert same(keys.stream(KEY, keys.STEP, 11, 2), want)
  assert same(keys.stream(KEY, 4), jax.random.fold_in(KEY, 4))


def test_the_first_draw_has_the_root_key():
  assert same(keys.draw_key(KEY, 0), KEY)
  want = jax.random.fold_in(jax.random.fold_in(KEY, keys.DRAW), 2)
  assert same(keys.draw_key(KEY, 2), want)


def test_each_example_has_a_key_by_its_index():
  index = np.array([4, 0, 9])
  want = jnp.stack([jax.random.fold_in(KEY, int(i)) for i in index])
  assert same(keys.fold_examples(KEY, index), want)
  first = jnp.stack([jax.random.fold_in(KEY, i) for i in range(3)])
  assert same(keys.example_keys(KEY, 3), first)
  assert keys.example_keys(want, 3) is want


def test_another_stream_of_each_key():
  many = jax.random.split(KEY, 3)
  want = jnp.stack([jax.random.fold_in(key, 2) for key in many])
  assert same(keys.fold_each(many, 2), want)


def test_a_prior_s_default_length():
  assert latents.make_prior()(KEY).shape == (64,)
