"""How many of the classes the samples reach, as a classifier sees them."""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError


def class_coverage(
  probabilities_or_labels,
  num_classes: int,
  *,
  min_share: float | None = None,
  real_shares: np.ndarray | None = None,
) -> dict:
  """Share of the classes that are not forgotten.

  A class is covered if at least `min_share` of the samples fall in it, each
  sample counting for its most probable class.

  Args:
    probabilities_or_labels: [N, num_classes] floats, or labels [N] integers.
    num_classes: number of classes.
    min_share: default a tenth of the class's share in the data. A class
      without any sample is never covered.
    real_shares: [num_classes] of the classes in the data; those that they lack
      do not count. None: all alike.

  Returns:
    class_coverage: share of the classes that are covered, from 0 to 1.
    class_shares: list of num_classes floats, the share of samples in each.

  Raises:
    UserError: wrong shape, no samples, NaN, a label out of range.
  """
  labels = _labels(np.asarray(probabilities_or_labels), num_classes)
  if real_shares is None:
    real_shares = np.full(num_classes, 1 / num_classes)
  shares = np.bincount(labels, minlength=num_classes) / len(labels)  # [C]
  covered = (shares >= least_shares(real_shares, min_share)) & (shares > 0)
  return {
    'class_coverage': float(covered[real_shares > 0].mean()),
    'class_shares': shares.tolist(),
  }


def least_shares(real_shares, min_share: float | None = None) -> np.ndarray:
  """What covers each class [C]: min_share, or a tenth of what the data have.

  Args:
    real_shares: [C] of the classes in the data.
    min_share: see class_coverage.
  """
  if min_share is None:
    return 0.1 * np.asarray(real_shares)
  return np.full(len(real_shares), float(min_share))


def _labels(x, num_classes):
  """Labels [N] in range, from labels or from probabilities [N, C]."""
  if x.ndim == 2 and x.shape[1] == num_classes:
    x = checks.features(x, 'probabilities').argmax(axis=1)
  if x.ndim != 1 or not x.size or not np.issubdtype(x.dtype, np.integer):
    raise UserError(
      f'class_coverage: expected probabilities [N, {num_classes}] or integer '
      f'labels [N], got {x.dtype} {list(x.shape)}'
    )
  checks.label_range(x, num_classes, 'class_coverage: labels')
  return x
