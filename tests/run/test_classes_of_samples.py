"""Labels of samples mean what their names say, whatever they lie in."""

import functools

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.data import loading, memory, names
from gan_jax.run import sources
from gan_jax.types import UserError
from tests import tiny_data
from tests.run.test_commands import complaint
from tests.run.test_external_samples import PIXELS, score

NUMBERS = tuple(map(str, range(12)))
MIXED = tuple(f'class{k}' for k in range(1, 13))
WORDS = ('cat', 'dog', 'eel')
CLOTHES = ('bag', 'coat', 'shirt', 'top')  # whose publisher begins with top


@pytest.mark.parametrize(
  'theirs, ours, places',
  [
    (NUMBERS, NUMBERS, range(12)),
    (('2', '10'), NUMBERS, [2, 10]),
    (sorted(MIXED), MIXED, [0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8]),
    (('eel', 'cat'), WORDS, [2, 0]),
    (('00', '07', '11'), NUMBERS, [0, 7, 11]),
    (('0', '1', '2'), ('eel', 'dog', 'cat'), range(3)),  # a declared order
    (('a', 'b', 'a'), ('a', 'b', 'a'), range(3)),
  ],
)
def test_names_decide(theirs, ours, places):
  assert names.numbered(tuple(theirs), tuple(ours)) == list(places)


@pytest.mark.parametrize(
  'theirs, ours, words',
  [
    (('cat', 'fox'), WORDS, 'fox not among the classes cat, dog, eel'),
    (('0', '1'), WORDS, '0, 1 not among'),  # which two?
    (('1', '2', '3'), WORDS, '1, 2, 3 not among'),
    (WORDS, ('0', '1'), 'cat, dog, eel not among'),
    (NUMBERS, MIXED, 'class1, .* and 7 more: nothing says which number is'),
    (MIXED, NUMBERS, 'class1, .* and 7 more: nothing says which number is'),
    (('0', '1', '2'), WORDS, 'names them cat, dog, eel: nothing says'),
    (WORDS, ('000', '001', '002'), 'names them cat, dog, eel: nothing says'),
    (('0', '1', '2'), ('one', 'two', 'zero'), 'one, two, zero: nothing says'),
    (('1', '2', '3'), ('0', '1', '2'), 'names them 1, 2, 3: nothing says'),
    (CLOTHES, ('0', '1', '2', '3'), 'names them bag, coat, shirt, top: noth'),
    (('Cat', 'Dog', 'Eel'), WORDS, 'Cat, Dog, Eel not among the classes cat'),
    (('a', 'b'), ('a', 'b', 'a'), 'not among'),
  ],
)
def test_what_does_not_match_is_refused_by_name(theirs, ours, words):
  with pytest.raises(UserError, match=words):
    names.numbered(theirs, ours)


def test_a_declared_order_is_beyond_doubt():
  """Of whichever side has the names."""
  of = lambda *declared: functools.partial(names.numbered, declared=declared)
  assert of(False, True)(NUMBERS, MIXED) == list(range(12))
  assert of(True, False)(MIXED, NUMBERS) == list(range(12))
  for declared, pair in (
    ((True, False), (NUMBERS, MIXED)),
    ((False, True), (MIXED, NUMBERS)),
  ):
    with pytest.raises(UserError, match='nothing says which number'):
      of(*declared)(*pair)


def test_what_has_no_class_keeps_having_none():
  x = np.zeros((4, 2), np.float32)
  make = functools.partial(memory.from_arrays, 'own', 'point', x)
  fake = make([0, -1, 1, 0], class_names=('b', 'a'))
  real = make([0, 1, 2, 0], class_names=('a', 'b', 'c'))
  found, why = sources.with_classes_of(fake, real, declared=(False, False))
  assert loading.arrays(found)['label'].tolist() == [1, -1, 0, 1]
  assert found.class_names == real.class_names and not why
  bare, why = sources.with_classes_of(real, fake, declared=(False, False))
  assert bare.class_names == () and 'c not among' in why


@pytest.fixture(scope='module')
def same(tmp_path_factory):
  """The same pictures of twelve classes, far from each other, in all forms."""
  root = tmp_path_factory.mktemp('same')
  label = np.arange(72) % 12
  noise = np.random.default_rng(0).integers(0, 12, (72, 4, 4, 1))
  x = (20 * label[:, None, None, None] + noise).astype(np.uint8)
  save = lambda name, **own: np.savez(root / f'{name}.npz', x=x, **own)
  save('numbers', label=label)
  save('texts', label=label.astype(str))
  save('named', label=label, class_names=np.array(MIXED))
  save('words', label=np.array(MIXED)[label])
  save('turned', label=11 - label, class_names=np.array(MIXED[::-1]))
  tiny_data.write_folder(root / 'folder', x, classes=NUMBERS)
  tiny_data.write_folder(root / 'named', x, classes=MIXED)
  return root


PAIRS = [
  ('folder', 'numbers.npz'), ('folder', 'texts.npz'),
  ('numbers.npz', 'texts.npz'), ('named', 'named.npz'),
  ('named', 'words.npz'), ('turned.npz', 'named'), ('turned.npz', 'words.npz'),
]  # fmt: skip


@pytest.mark.parametrize('one, other', PAIRS)
def test_the_same_pictures_are_the_same_in_every_form(
  one, other, same, tmp_path
):
  flags = PIXELS, '--metrics=intra_fid', '--data.channels=1'
  for pair in ((one, other), (other, one)):
    paths = [same / name for name in pair]
    found = score(tmp_path, *paths, *flags)['intra_fid']['value']
    assert found == pytest.approx(0, abs=1e-6)


def test_both_ways_of_a_doubtful_comparison_are_refused(same, capfd):
  for a, b in (('named', 'numbers.npz'), ('numbers.npz', 'named')):
    flags = f'--samples={same / a}', f'--data={same / b}', PIXELS
    line = complaint(capfd, evaluate.main, *flags, '--metrics=intra_fid')
    assert 'nothing says which number' in line and '`class_names`' in line
