"""Metrics of any kind of data, and of pictures: a line for each."""

from gan_jax.metrics import compute
from gan_jax.metrics.metric import Family, Metric

METRICS = (
  Metric(('fid',), compute.frechet, ('moments',), ('moments',)),
  Metric(
    ('fd_infinity',), compute.frechet_extrapolated, ('features',), ('moments',)
  ),
  Metric(
    ('sfid',),
    compute.frechet_spatial,
    ('spatial',),
    ('spatial',),
    where='spatial',
  ),
  Metric(
    ('intra_fid',),
    compute.frechet_in_classes,
    ('features', 'labels'),
    ('features', 'labels'),
    where='labels',
    extras=('class_fid',),
  ),
  Metric(
    ('kid',),
    compute.kernel,
    ('features',),
    ('features',),
    options=('subsets',),
    decisive=compute.of_kernel,
    method=lambda protocol: 'subsets' if 'subsets' in protocol else 'blocks',
  ),
  Metric(
    ('is',),
    compute.inception,
    ('probabilities',),
    where='probabilities',
    options=('splits', 'order'),
    extras=('is_std',),
  ),
  Metric(
    ('precision', 'recall', 'density', 'coverage'),
    compute.neighbourhoods,
    ('features',),
    ('features',),
    options=('k', 'closed'),
  ),
  Metric(
    ('swd',),
    compute.sliced,
    ('features',),
    ('features',),
    options=('projections',),
  ),
  Metric(('vendi',), compute.variety, ('features',)),
  Metric(
    ('authenticity', 'c_t'),
    compute.copying,
    ('features',),
    ('features',),
    held_out=('features',),
    where='held_out',
  ),
  Metric(
    ('class_coverage',),
    compute.classes,
    ('probabilities',),
    ('probabilities',),
    where='classes',
    extras=('class_shares', 'min_share'),
  ),
  Metric(
    ('classifier_accuracy',),
    compute.usefulness,
    ('samples', 'labels'),
    held_out=('samples', 'labels'),
    where='labels',
  ),
  Metric(
    ('modes', 'high_quality', 'reverse_kl'),
    compute.mixture,
    ('samples',),
    where='modes',
    options=('threshold', 'min_count'),
    extras=('num_modes',),
  ),
  Metric(
    ('stacked_modes', 'stacked_kl'),
    compute.stacked,
    ('probabilities',),
    where='stacked',
    options=('min_count',),
    extras=('num_modes',),
  ),
)

FAMILY = Family(
  METRICS,
  where={
    'features': 'samples that a feature net can look at',
    'spatial': 'features of places: --features=inception',
    'probabilities': 'a classifier: --features=classifier or inception',
    'classes': "a classifier of the data set's own: --features=classifier",
    'labels': 'a labelled data set, by classes, and a conditional generator',
    'held_out': 'a data set with a test split',
    'modes': 'a data set with known modes',
    'stacked': 'the data set stacked_mnist',
  },
  options=compute.OPTIONS,
  choices=compute.CHOICES,
  counts=frozenset({'subsets'}),
  # A metric may also be requested by the name of its file.
  files={
    'prdc': ('precision', 'recall', 'density', 'coverage'),
    'inception_score': ('is',),
    'memorisation': ('authenticity', 'c_t'),
    'diversity': ('vendi',),
    'stacked_mnist': ('stacked_modes', 'stacked_kl'),
  },
  lower_is_better=frozenset(
    {
      'fid',
      'fd_infinity',
      'sfid',
      'intra_fid',
      'kid',
      'swd',
      'reverse_kl',
      'stacked_kl',
    }
  ),
  signed=frozenset({'kid', 'c_t', 'fd_infinity'}),
  least={
    'fid': (2, 2),
    'fd_infinity': (2, 4),
    'sfid': (2, 2),
    'kid': (2, 2),
    'precision': ('k + 1', 'k + 1'),
    'recall': ('k + 1', 'k + 1'),
    'density': ('k + 1', 'k + 1'),
    'coverage': ('k + 1', 'k + 1'),
    'authenticity': (2, 1),
    'c_t': (10, 21),  # as many as cells; more than 20 fakes in one of them
    'classifier_accuracy': (1, 2),
    'is': (1, 'splits'),
  },
)
