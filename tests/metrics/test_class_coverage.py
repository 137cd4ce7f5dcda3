"""Class coverage: labels, probabilities, forgotten classes."""

import numpy as np

from gan_jax.metrics import class_coverage as coverage_lib


def test_class_coverage():
  labels = np.repeat([0, 1, 2], [500, 499, 1])  # class 3 is missing
  got = coverage_lib.class_coverage(labels, 4)
  assert got['class_coverage'] == 0.5  # 1 of 1,000 is below 0.1 / 4
  assert got['class_shares'] == [0.5, 0.499, 0.001, 0]
  probabilities = np.eye(4)[labels] * 0.5 + 0.125
  assert coverage_lib.class_coverage(probabilities, 4) == got
  for min_share in (0.001, 0):  # the border counts, no sample never does
    got = coverage_lib.class_coverage(labels, 4, min_share=min_share)
    assert got['class_coverage'] == 0.75


def test_a_tenth_of_an_even_share_covers_a_class():
  assert coverage_lib.default_min_share(10) == 0.01
  labels = np.repeat([0, 1, 2, 3], [440, 300, 36, 24])  # of 800: .045, .03
  assert coverage_lib.class_coverage(labels, 4)['class_coverage'] == 1
  labels = np.repeat([0, 1, 2, 3], [440, 300, 41, 19])  # the last is below
  assert coverage_lib.class_coverage(labels, 4)['class_coverage'] == 0.75
