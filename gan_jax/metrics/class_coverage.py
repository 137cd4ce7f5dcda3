"""How many of the classes the samples reach, as a classifier sees them."""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError


def class_coverage(
  probabilities_or_labels, num_classes: int, *, min_share: float | None = None
) -> dict:
  """Share of the classes that are not forgotten.

  A class is covered if at least `min_share` of the samples fall in it, each
  sample counting for its most probable class.

  Args:
    probabilities_or_labels: [N, num_classes] floats, or labels [N] integers.
    num_classes: number of classes.
    min_share: default 0.1 / num_classes, a tenth of an even share. A class
      without any sample is never covered.

  Returns:
    class_coverage: share of the classes that are covered, from 0 to 1.
    class_shares: list of num_classes floats, the share of samples in each.

  Raises:
    UserError: wrong shape, no samples, NaN, a label out of range.
  """
  labels = _labels(np.asarray(probabilities_or_labels), num_classes)
  if min_share is None:
    min_share = default_min_share(num_classes)
  shares = np.bincount(labels, minlength=num_classes) / len(labels)  # [C]
  covered = (shares >= min_share) & (shares > 0)
  return {
    'class_coverage': float(covered.mean()),
    'class_shares': shares.tolist(),
  }


def default_min_share(num_classes: int) -> float:
  """A tenth of an even share: 0.01 for ten classes."""
  return 0.1 / num_classes


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
