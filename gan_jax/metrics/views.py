"""Samples as the metrics see them: what is kept of a stream of batches.

Pictures are dropped once they have been looked at, so that memory is bounded by
the features; where only means and covariances are wanted, these are not kept
either.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gan_jax.metrics import content, fid
from gan_jax.metrics.features import base
from gan_jax.types import UserError

GROUPS = 10  # of the samples, each left out once by the jackknife
# What a view may hold, by the names of its fields.
FIELDS = (
  'moments',
  'spatial',
  'features',
  'probabilities',
  'labels',
  'samples',
)
ARRAYS = ('features', 'probabilities', 'labels', 'samples')
SEEN = ('moments', 'spatial', 'features', 'probabilities')  # by a feature net


class SampleStats:
  """What was kept of N samples, in an order and in groups of their own.

  Both follow from the content of the samples, so that the same samples give the
  same view in whatever order they come.

  Attributes:
    count: N.
    moments: fid.Moments of the features of each group; () if not wanted.
    spatial: the same of the spatial features.
    features: [N, D] float32, or None; so are the arrays below.
    probabilities: of classes, [N, C].
    labels: [N] that the samples were made for, or have.
    samples: [N, ...] in model range.
    group: [N], the group of each sample.
    position: [N], where each sample was among those that came.
  """

  def __init__(
    self, count, *, group, position=None, moments=(), spatial=(), **arrays
  ):
    self.count, self.group, self.position = count, group, position
    self.moments, self.spatial = moments, spatial
    for name in ARRAYS:
      setattr(self, name, arrays.get(name))

  @functools.cached_property
  def statistics(self) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and covariance [D, D] of the features."""
    return functools.reduce(fid.Moments.merge, self.moments).statistics()

  @functools.cached_property
  def spatial_statistics(self) -> tuple[np.ndarray, np.ndarray]:
    """Mean [S] and covariance [S, S] of the spatial features."""
    return functools.reduce(fid.Moments.merge, self.spatial).statistics()

  @functools.cached_property
  def distance(self) -> Callable:
    """(mu, sigma) -> Fréchet distance to the features of this view."""
    return fid.distance_to(*self.statistics)

  @functools.cached_property
  def spatial_distance(self) -> Callable:
    """(mu, sigma) -> Fréchet distance to the spatial features."""
    return fid.distance_to(*self.spatial_statistics)

  def without(self, left_out: int) -> 'SampleStats':
    """The view of all samples but those of one group."""
    kept = self.group != left_out
    arrays = {name: getattr(self, name) for name in ARRAYS}
    others = lambda parts: parts[:left_out] + parts[left_out + 1 :]
    return SampleStats(
      int(kept.sum()),
      group=self.group[kept],
      position=self.position[kept],
      moments=others(self.moments),
      spatial=others(self.spatial),
      **{k: None if x is None else x[kept] for k, x in arrays.items()},
    )


class Collector:
  """Takes batches of samples and keeps what is wanted of them."""

  def __init__(
    self,
    total: int,
    *,
    wants: frozenset,
    features: base.Features | None = None,
    groups: int = GROUPS,
  ):
    """Starts with nothing.

    Args:
      total: N, the number of samples that will come.
      wants: some of FIELDS.
      features: the net that looks at the samples; None if none of SEEN is
        wanted.
      groups: that the samples are dealt to.
    """
    self._total, self._groups = total, max(1, min(groups, total))
    self._keys, self._labels, self._group = [], [], []
    self._occurrences = content.Occurrences()
    self._wants, self._features, self._count = wants, features, 0
    self._parts = {name: [] for name in ARRAYS if name in wants}
    self._moments = {name: {} for name in ('moments', 'spatial')}

  def add(self, samples: Any, labels: Any = None):
    """Looks at a batch [B, ...], in model range or uint8, with its labels [B].

    Raises:
      UserError: NaN or infinity, more samples than were announced, labels that
        are wanted and do not come.
    """
    labelled = labels if 'labels' in self._wants else None
    group = self._groups_of(samples, labelled)
    seen = {'samples': samples, 'labels': labels}
    if self._wants & set(SEEN):
      seen |= self._features.apply(samples)._asdict()
    for name in self._parts:
      if seen[name] is None:
        raise UserError(f'these metrics need {name}, and there are none')
      part = seen[name]
      part = base.to_model_range(part) if name == 'samples' else part
      self._parts[name].append(np.asarray(part))
    for name, source in (('moments', 'features'), ('spatial', 'spatial')):
      if name in self._wants:
        self._add_moments(name, seen[source], group)

  def _groups_of(self, samples, labels):
    """The groups [B] of the next samples; equal samples take turns."""
    self._count += len(samples)
    if self._count > self._total:
      raise UserError(f'more than the {self._total} samples expected')
    keys = content.keys(samples)
    # Labels only tell equal samples apart: their numbers mean nothing.
    labels = np.zeros(len(keys), np.int64) if labels is None else labels
    seen = self._occurrences(content.labelled(keys, labels))
    turn = keys + seen.astype(np.uint64)
    group = (turn % np.uint64(self._groups)).astype(np.int8)
    self._keys.append(keys)
    self._labels.append(np.asarray(labels))
    self._group.append(group)
    return group

  def _add_moments(self, name, x, group):
    for g in np.unique(group):
      moments = self._moments[name].setdefault(int(g), fid.Moments())
      moments.add(x[group == g])

  def view(self) -> SampleStats:
    """What was kept.

    Raises:
      UserError: fewer samples came than were announced.
    """
    if self._count != self._total:
      raise UserError(f'{self._count} samples, {self._total} expected')
    position = np.lexsort([*map(np.concatenate, (self._labels, self._keys))])
    in_order = lambda parts: np.concatenate(parts)[position]
    each = lambda of: tuple(
      of.get(g, fid.Moments()) for g in range(self._groups if of else 0)
    )
    return SampleStats(
      self._count,
      group=in_order(self._group),
      position=position,
      moments=each(self._moments['moments']),
      spatial=each(self._moments['spatial']),
      **{k: in_order(parts) for k, parts in self._parts.items()},
    )


def look(
  samples,
  *,
  wants: frozenset,
  features: base.Features | None = None,
  labels=None,
  groups: int = GROUPS,
  batch: int = 1000,
) -> SampleStats:
  """The view of samples in memory.

  Args:
    samples: [N, ...] in model range or uint8.
    wants: some of FIELDS.
    features: the net that looks at them.
    labels: [N], or None.
    groups: see Collector.
    batch: samples per look.

  Raises:
    UserError: see Collector.add.
  """
  collector = Collector(
    len(samples), wants=wants, features=features, groups=groups
  )
  for start in range(0, len(samples), batch):
    rows = slice(start, start + batch)
    collector.add(samples[rows], None if labels is None else labels[rows])
  return collector.view()
