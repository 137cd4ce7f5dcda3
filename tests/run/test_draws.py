"""Samples as they are asked for: of these classes, of that seed of a run."""

import types

import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import sample
from gan_jax.run import draws, sample_labels
from gan_jax.types import UserError

ANIMALS = ('cat', 'dog', 'horse', 'sheep', 'a, b')


def _setup(names=ANIMALS):
  """A generator [S] that makes (latent's index, label, its seed's number)."""

  def sample(averages, key, index, label=None):
    label = jnp.zeros_like(index) - 1 if label is None else label
    seed = jnp.broadcast_to(averages, index.shape)
    return jnp.stack([index, label, seed], axis=1).astype(jnp.float32)

  return types.SimpleNamespace(
    sample=sample,
    num_classes=len(names),
    conditional=bool(names),
    attributes=(),
    dataset=types.SimpleNamespace(
      shape=(2,),
      name='animals',
      class_names=names,
      count_classes=lambda: np.arange(len(names)) * 10,
    ),
  )


STATE = types.SimpleNamespace(ema=np.arange(3) + 10)


@pytest.mark.parametrize('num', [1, 256, 300])
def test_any_labels_of_any_seed(num):
  labels = draws.labels_of([3, 1], num)
  made = draws.draw(_setup(), STATE, num, labels=labels, run_seed=2)
  assert made[:, 0].tolist() == list(range(num))
  assert made[:, 1].tolist() == ([3, 1] * num)[:num]
  assert set(made[:, 2]) == {12}


def test_by_default_classes_as_in_the_data_of_the_first_seed():
  made = draws.draw(_setup(), STATE, 1000)
  shares = np.bincount(made[:, 1].astype(int), minlength=5) / 1000
  np.testing.assert_allclose(shares, [0, 0.1, 0.2, 0.3, 0.4], atol=0.05)
  made = draws.draw(_setup(), STATE, 7)
  assert set(made[:, 2]) == {10}
  assert set(draws.draw(_setup(()), STATE, 7)[:, 1]) == {-1}


@pytest.mark.parametrize(
  'words, names, expected',
  [
    ('dog', ANIMALS, [1]),
    ('sheep,cat', ANIMALS, [3, 0]),
    ('a, b', ANIMALS, [4]),
    ('dog, a, b,cat', ANIMALS, [1, 4, 0]),
    ('a, b,a, b', ANIMALS, [4, 4]),
    ('two words,\u732b', ('\u732b', 'two words'), [1, 0]),
    ('7', tuple('0123456789'), [7]),
    ('11, 2', tuple(f'{k:02}' for k in range(12)), [11, 2]),
    ('90', ('10', '90', '0'), [1]),
  ],
)
def test_classes_by_name(words, names, expected):
  assert draws.class_numbers(_setup(names), words) == expected


@pytest.mark.parametrize(
  'words, names, said',
  [
    ('hrose', ANIMALS, '--class=hrose: no such class; the nearest are horse'),
    ('Cat', ANIMALS, 'the nearest are cat'),
    ('cat,bird', ANIMALS, '--class=bird'),
    ('1', ANIMALS, '--class=1: no such class; there are cat, dog'),
    ('10', tuple('0123456789'), 'the nearest are 1, 0'),
    ('x', tuple('0123456789'), 'there are 0, 1, 2, 3, 4 and 5 more'),
    ('cat', (), 'knows no classes'),
  ],
)
def test_an_unknown_class_is_refused_with_the_nearest(words, names, said):
  with pytest.raises(UserError) as caught:
    draws.class_numbers(_setup(names), words)
  assert said in str(caught.value)


def test_seeds_of_a_run_by_their_numbers():
  config = {'seed': 5, 'num_seeds': 3}
  found = [draws.seed_positions(config, w) for w in ('', 'all', '5', '7')]
  assert found == [[0], [0, 1, 2], [0], [2]]
  for wrong in ('4', '8', '-1', 'first', '5,6'):
    with pytest.raises(UserError, match='the seeds 5 to 7'):
      draws.seed_positions(config, wrong)
  with pytest.raises(UserError, match='the seed 0; or all'):
    draws.seed_positions({'seed': 0, 'num_seeds': 1}, '1')


@pytest.mark.parametrize('words', [',', 'cat,', ' '])
def test_a_list_of_classes_with_a_gap(words):
  with pytest.raises(UserError, match='--class: expected names of classes'):
    draws.class_numbers(_setup(), words)


def test_long_names_do_not_fill_the_screen():
  with pytest.raises(UserError) as refused:
    draws.class_numbers(_setup(('x' * 300, 'y')), 'unlike')
  assert len(str(refused.value)) < 150


@pytest.mark.parametrize(
  'names, flags, word',
  [
    (ANIMALS, {'labels': 'data', 'class': 'cat'}, '--labels=data does not go'),
    (ANIMALS, {'num': 2, 'class': 'cat,dog,horse'}, 'each of the 3 classes'),
    ((), {'labels': 'balanced'}, '--labels=balanced: this generator knows no'),
    ((), {'class': 'cat'}, '--class=cat: this generator knows no classes'),
  ],
)
def test_flags_that_cannot_be_had_together(names, flags, word):
  usual = {
    'num': 8,
    'seed': 0,
    'labels': '',
    'class': '',
    'classes': '',
    'condition': '',
  }
  flags = usual | flags
  with pytest.raises(UserError, match=word):
    sample_labels.asked(
      _setup(names), types.SimpleNamespace(**flags), grid=True
    )


@pytest.mark.parametrize(
  'seeds, line',
  [
    (None, '4 samples of step 9 -> o/'),
    ([3, 3, 3, 3], '4 samples of step 9 -> o/'),
    ([3, 3, 4, 4], '4 samples of step 9 -> o/, 2 of each seed, one after'),
  ],
)
def test_the_last_line_says_whose_samples_they_are(seeds, line):
  assert sample._summary(4, 9, seeds, 'o/').startswith(line)
  assert sample._summary(1, 9, None, 'o') == '1 sample of step 9 -> o'
