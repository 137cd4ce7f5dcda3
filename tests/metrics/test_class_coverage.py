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
  labels = np.repeat([0, 1, 2, 3], [440, 300, 36, 24])  # of 800: .045, .03
  assert coverage_lib.class_coverage(labels, 4)['class_coverage'] == 1
  labels = np.repeat([0, 1, 2, 3], [440, 300, 41, 19])  # the last is below
  assert coverage_lib.class_coverage(labels, 4)['class_coverage'] == 0.75


def test_rare_classes_need_a_tenth_of_what_the_data_have():
  """A tenth of an even share would be more than a perfect generator has."""
  shares = np.array([0.95, 0.04, 0.01, 0])
  labels = np.repeat([0, 1, 2], [950, 40, 10])
  of = lambda y: coverage_lib.class_coverage(y, 4, real_shares=shares)
  assert of(labels)['class_coverage'] == 1  # of the three that there are
  assert of(np.append(labels, 3))['class_coverage'] == 1
  few = np.repeat([0, 1, 2], [995, 4, 1])  # .1 % is a tenth of 1 %
  assert of(few)['class_coverage'] == 1
  assert of(np.repeat([0, 2], [997, 3]))['class_coverage'] == 2 / 3
  least = coverage_lib.least_shares(shares, 0.02)
  assert least.tolist() == [0.02] * 4
