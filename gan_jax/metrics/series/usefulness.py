"""Train on synthetic, test on real, and the other way round.

C. Esteban et al. (2017), https://arxiv.org/abs/1706.02633, section 4.2.
"""

import numpy as np

from gan_jax.metrics import checks, content
from gan_jax.metrics.series import judge

STEPS = 500
MOST = 10_000  # series that are learned from, or tested


def right(learned, tested, num_classes: int) -> np.ndarray:
  """Which series a classifier gets right that learned on others: bool [M].

  Args:
    learned: series [N, T, C] and their classes [N].
    tested: [M, T, C] and [M].
    num_classes: there are.

  Raises:
    UserError: shapes that differ, NaN or infinity, classes out of range.
  """
  x, labels = _checked(*learned, 'tstr, trts: learned', num_classes)
  other, expected = _checked(*tested, 'tstr, trts: tested', num_classes, like=x)
  # Nothing depends on how the classes are numbered.
  order, place = content.order(x, labels, num_classes)
  order = order[:MOST]
  recipe = judge.Recipe(24, num_classes, loss='classes', steps=STEPS)
  params = judge.train(x[order], place[labels[order]].astype(np.int32), recipe)
  says = judge.judge(params, other[:MOST], recipe).argmax(axis=1)
  return says == place[expected[:MOST]]


def _checked(x, labels, name, num_classes, like=None):
  x, labels = judge.checked(x, name, like=like), np.asarray(labels)
  checks.label_range(labels, num_classes, f'{name}: labels')
  return x, labels
