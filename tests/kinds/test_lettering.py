"""Names of classes in pictures: whatever their letters, in their order."""

import numpy as np
import pytest

from gan_jax.data import memory
from gan_jax.kinds import image, point
from gan_jax.kinds.drawing import lettering, sheets

NAMES = ('\u00fcn\u00ef', '\u732b', '\u72ac\u72ac', 'plain', '\u03a9 \u0436')


def test_letters_that_no_font_has():
  expected = [NAMES[0], '1 ?', '2 ??', 'plain', NAMES[4]]
  assert lettering.titles(NAMES, NAMES) == expected
  assert lettering.titles(['\u732b', 'x']) == ['?', 'x']


@pytest.mark.parametrize('text', ['plain', *NAMES[::4]])
def test_what_is_written_can_be_told_from_what_is_missing(text):
  made = sheets.written(text)
  assert made.shape[0] == sheets.HEAD and len(np.unique(made)) > 9
  missing = sheets.written(text[:-1] + '\U0010ffff')
  assert made.shape != missing.shape or (made != missing).any()


@pytest.mark.parametrize('seed', range(3))
def test_columns_are_in_the_order_of_the_classes(seed):
  labels = np.random.default_rng(seed).permutation(list(NAMES[1:]) * 3)
  assert list(sheets.chosen(labels, NAMES)) == list(NAMES[1:])
  x = np.arange(12, dtype=np.uint8)[:, None, None, None].repeat(3, -1)
  order = np.argsort([NAMES.index(name) for name in labels], kind='stable')
  data = memory.from_arrays(
    'x', 'image', x, np.arange(12) % 5, class_names=NAMES
  )
  drawn = image.picture(x, dataset=data, labels=list(labels))
  sorted_ = image.picture(
    x[order], dataset=data, labels=[labels[k] for k in order]
  )
  assert drawn.tobytes() == sorted_.tobytes()


@pytest.mark.parametrize('classes, each', [(1, 10), (1, 4), (2, 12), (3, 9)])
def test_few_classes_do_not_make_a_tower(classes, each):
  x = np.zeros((classes * each, 8, 8, 3), np.uint8)
  made = image.picture(x, labels=[f'c{k % classes}' for k in range(len(x))])
  assert made.height < 2 * made.width


@pytest.mark.parametrize('names', [('$5', '$\\frac{'), ('_x', ''), NAMES])
def test_a_legend_takes_any_name(names):
  x = np.zeros((len(names), 2), np.float32)
  data = memory.from_arrays(
    'x', 'point', x, np.arange(len(x)), class_names=names
  )
  assert point.picture(x, dataset=data, labels=list(names)).size == (600, 600)
