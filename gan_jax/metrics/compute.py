"""Every metric as a function (real, fake, known) -> (values, intervals).

The samples come as views.SampleStats. Both results are by name; an interval of
None says that there is none, and a value whose interval is missing gets one by
the jackknife, see scores.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gan_jax.metrics import (
  class_coverage,
  classifier_accuracy,
  diversity,
  fd_infinity,
  fid,
  inception_score,
  intervals,
  kid,
  memorisation,
  modes,
  prdc,
  stacked_mnist,
  swd,
)
from gan_jax.metrics.views import SampleStats

# Defaults of what `options` may hold, by the names that records use.
OPTIONS = {
  'k': 5,
  'closed': False,
  'splits': 10,
  'order': 'drawn',  # of the splits: or 'given', as published scores have it
  'projections': 512,
  'threshold': 3.0,
  'min_count': 1,
  'min_share': None,
  'subsets': None,  # of kid; None: by the number of samples, 0: all pairs
}


CHOICES = {'order': ('drawn', 'given')}


class Known(NamedTuple):
  """What a metric may need besides the real samples and the fakes."""

  options: dict = OPTIONS
  modes: Any = None  # {'centers': [M, D], 'std': float}
  num_classes: int = 0  # of the labels
  held_out: SampleStats | None = None  # real samples, never trained on
  about: Any = None  # what the data set tells of itself, see types.Dataset
  images: Callable = lambda x: x  # samples -> images that a classifier sees
  encoder: Any = None  # of the run: Encoder, where the metric needs it
  spans: bool = True  # whether intervals are wanted, too


class Encoder(NamedTuple):
  """The encoder of a run, and its G, as functions of arrays."""

  encode: Callable  # samples [N, ...] in model range -> codes [N, Z]
  rebuild: Callable  # samples [N, ...] -> what G makes of their codes


class Facts(NamedTuple):
  """What a data set tells of itself to those who score against it."""

  kind: str  # of data, see kinds/README.md
  modes: Any = None  # known modes, or None
  about: Any = None
  num_classes: int = 0  # of the labels that the fakes are made for
  also: frozenset = frozenset()  # conditions that hold for the run's networks


def frechet(real, fake, known):
  """Fréchet distance."""
  return {'fid': real.distance(*fake.statistics)}, {}


def frechet_spatial(real, fake, known):
  """Fréchet distance of the spatial features."""
  return {'sfid': real.spatial_distance(*fake.spatial_statistics)}, {}


def frechet_extrapolated(real, fake, known):
  """Fréchet distance of infinitely many fakes."""
  result = fd_infinity.fd_infinity(real.statistics, fake.features)
  return {'fd_infinity': result['fd_infinity']}, {}


def frechet_in_classes(real, fake, known):
  """Mean of the Fréchet distances in the classes."""
  distances = fid.intra_class_distance(
    real.features, real.labels, fake.features, fake.labels, known.num_classes
  )
  return {
    'intra_fid': distances['mean'],
    'class_fid': distances['per_class'],
  }, {}


def of_kernel(options: dict, num_real: int, num_fake: int) -> dict:
  """What a kernel distance of so many samples is measured by.

  Up to kid.MOST samples it is of all pairs, which has the least noise; of more,
  their number grows with the square, and it is of random subsets.

  Returns:
    {'subsets': n, 'subset_size': m}, or {} for all pairs.
  """
  subsets = options['subsets']
  if subsets is None:
    subsets = kid.SUBSETS if max(num_real, num_fake) > kid.MOST else 0
  if not subsets:
    return {}
  size = min(kid.SUBSET_SIZE, num_real, num_fake)
  return {'subsets': subsets, 'subset_size': size}


def kernel(real, fake, known):
  """Kernel distance; its interval is from ten blocks, or from its subsets."""
  own = of_kernel(known.options, real.count, fake.count)
  if own:
    value, span = kid.kernel_distance_interval(
      real.features, fake.features, **own
    )
    return {'kid': value}, {'kid': span}
  value = kid.kernel_distance(real.features, fake.features)
  if min(real.count, fake.count) < 20:
    return {'kid': value}, {'kid': None}
  # Disjoint tenths of both sides, each in random order, are independent.
  tenth = -(-max(real.count, fake.count) // 10)
  rng = np.random.default_rng(0)
  blocks = kid.kernel_distance_blocks(
    rng.permutation(real.features),
    rng.permutation(fake.features),
    block_size=tenth,
  )
  low, high = intervals.of_draws(blocks)
  half = (high - low) / 2
  return {'kid': value}, {'kid': (value - half, value + half)}


def inception(real, fake, known):
  """Inception score; a view's own order draws the splits."""
  probabilities = fake.probabilities
  if known.options['order'] == 'given':
    probabilities = probabilities[np.argsort(fake.position)]
  # Fewer splits would be another score; of single samples it is always 1.
  splits = known.options['splits']
  mean, std = inception_score.inception_score(probabilities, splits)
  return {'is': mean, 'is_std': std}, {}


def neighbourhoods(real, fake, known):
  """Precision, recall, density and coverage."""
  k = known.options['k']
  contributions = prdc.neighbourhoods(
    real.features, fake.features, k, closed=known.options['closed']
  )
  each = {
    'precision': contributions.hits > 0,
    'recall': contributions.recalled,
    'density': contributions.hits / k,
    'coverage': contributions.covered,
  }
  each = {name: np.asarray(x, np.float64) for name, x in each.items()}
  return (
    {name: x.mean() for name, x in each.items()},
    {name: intervals.bootstrap(x) for name, x in each.items()},
  )


def sliced(real, fake, known):
  """Sliced Wasserstein distance."""
  value = swd.sliced_wasserstein(
    real.features, fake.features, projections=known.options['projections']
  )
  return {'swd': value}, {}


def classes(real, fake, known):
  """Class coverage; the data's shares are as the same classifier sees them."""
  num_classes = fake.probabilities.shape[1]
  seen = np.bincount(real.probabilities.argmax(axis=1), minlength=num_classes)
  shares, min_share = seen / seen.sum(), known.options['min_share']
  values = class_coverage.class_coverage(
    fake.probabilities, num_classes, min_share=min_share, real_shares=shares
  )
  counts = np.rint(np.array(values['class_shares']) * fake.count).astype(int)
  least = class_coverage.least_shares(shares, min_share) * fake.count
  least = np.maximum(1, np.ceil(least.round(9)))
  span = intervals.number_seen(
    counts[seen > 0], fake.count, least=least[seen > 0]
  )
  span = tuple(x / (seen > 0).sum() for x in span)
  return {**values, 'min_share': min_share}, {'class_coverage': span}


def mixture(real, fake, known):
  """Modes captured, and the quality of the samples."""
  mixture = (
    fake.samples.reshape(fake.count, -1),
    known.modes['centers'],
    known.modes['std'],
  )
  threshold, least = (known.options[k] for k in ('threshold', 'min_count'))
  options = {'threshold': threshold, 'min_count': least}
  values, counts = modes.modes_and_counts(*mixture, **options)
  values = {**values, 'num_modes': len(counts)}
  if not known.spans:
    return values, {}
  span = intervals.number_seen(counts, fake.count, least=least)
  return values, {'modes': span}


def stacked(real, fake, known):
  """Modes of stacked digits."""
  least = known.options['min_count']
  values = stacked_mnist.stacked_modes(fake.probabilities, min_count=least)
  counts = stacked_mnist.mode_counts(fake.probabilities)
  span = intervals.number_seen(counts, fake.count, least=least)
  return {**values, 'num_modes': len(counts)}, {'stacked_modes': span}


def copying(real, fake, known):
  """Authenticity and C_T."""
  authentic = memorisation.authentic(real.features, fake.features)  # [M] bool
  c_t = memorisation.c_t(real.features, known.held_out.features, fake.features)
  values = {'authenticity': authentic.mean(), 'c_t': c_t['c_t']}
  spans = {'authenticity': intervals.bootstrap(authentic.astype(np.float64))}
  half = intervals.normal_quantile() * c_t['std']
  return values, {**spans, 'c_t': (c_t['c_t'] - half, c_t['c_t'] + half)}


def variety(real, fake, known):
  """Vendi score."""
  return {'vendi': diversity.vendi(fake.features)}, {}


def usefulness(real, fake, known):
  """Accuracy of a classifier that learns on the fakes."""
  result = classifier_accuracy.classifier_accuracy(
    known.images(fake.samples),
    fake.labels,
    known.images(known.held_out.samples),
    known.held_out.labels,
    known.num_classes,
  )
  right = result['right'].astype(np.float64)  # [N]
  spans = {'classifier_accuracy': intervals.bootstrap(right)}
  return {'classifier_accuracy': result['classifier_accuracy']}, spans
