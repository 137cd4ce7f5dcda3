"""Defaults of the metrics: they are the protocol of every published score."""

import importlib
import inspect
import pkgutil

from gan_jax import metrics

# What only bounds the memory in use.
FREE = {'block', 'batch', 'size'}
DEFAULTS = {
  'checks.features': {'least': 1},
  'checks.pair': {'least': 1},
  'checks.unconverted': {'least': 1},
  'class_coverage.class_coverage': {'min_share': None, 'real_shares': None},
  'class_coverage.least_shares': {'min_share': None},
  'classifier_accuracy.classifier_accuracy': {'seed': 0, 'steps': None},
  'diversity.vendi': {'order': 1.0, 'kernel': 'cosine', 'bandwidth': None},
  'fd_infinity.fd_infinity': {'points': 15, 'smallest': None, 'seed': 0},
  'inception_score.inception_score': {'splits': 10, 'shuffle_seed': None},
  'intervals.bootstrap': {
    'statistic': None,
    'level': 0.95,
    'resamples': 1000,
    'seed': 0,
  },
  'intervals.groups': {'num_groups': 10, 'seed': 0},
  'intervals.jackknife': {'sizes': None, 'level': 0.95},
  'intervals.normal_quantile': {'level': 0.95},
  'intervals.number_seen': {
    'least': 1,
    'level': 0.95,
    'resamples': 1000,
    'seed': 0,
  },
  'intervals.of_draws': {'level': 0.95},
  'kid.kernel_distance': {
    'subsets': 0,
    'subset_size': 1000,
    'degree': 3,
    'gamma': None,
    'coef': 1.0,
    'seed': 0,
  },
  'kid.kernel_distance_blocks': {
    'block_size': 1024,
    'degree': 3,
    'gamma': None,
    'coef': 1.0,
  },
  'kid.kernel_distance_interval': {'subsets': 100, 'subset_size': 1000},
  'kid.kernel_distance_subsets': {
    'subsets': 100,
    'subset_size': 1000,
    'degree': 3,
    'gamma': None,
    'coef': 1.0,
    'seed': 0,
  },
  'memorisation.c_t': {'cells': 10, 'min_fakes': 20, 'seed': 0},
  'memorisation.nearest': {'k': 1},
  'modes.mode_counts': {'threshold': 3.0},
  'modes.modes': {'threshold': 3.0, 'min_count': 1},
  'modes.modes_and_counts': {'threshold': 3.0, 'min_count': 1},
  'prdc.neighbourhoods': {'k': 5, 'closed': False},
  'prdc.prdc': {'k': 5, 'closed': False},
  'stacked_mnist.mode_counts': {'num_classes': 10},
  'stacked_mnist.stacked_modes': {'num_classes': 10, 'min_count': 1},
  'swd.laplacian_swd': {
    'patches': 128,
    'projections': 512,
    'smallest': 16,
    'seed': 0,
  },
  'swd.sliced_wasserstein': {'projections': 512, 'order': 1, 'seed': 0},
  'views.look': {'features': None, 'labels': None, 'groups': 10},
}
# What puts metrics together, and measures nothing itself.
COMPOSING = {
  'compute', 'content', 'measures', 'metric_options', 'records', 'reference',
  'scores',
}  # fmt: skip


def defaults_of(function):
  parameters = inspect.signature(function).parameters.values()
  return {
    p.name: p.default
    for p in parameters
    if p.default is not p.empty and p.name not in FREE
  }


def test_defaults_are_those_of_the_scores_so_far():
  found = {}
  for info in pkgutil.iter_modules(metrics.__path__):
    if info.ispkg or info.name in COMPOSING:
      continue
    module = importlib.import_module(f'gan_jax.metrics.{info.name}')
    for name, function in inspect.getmembers(module, inspect.isfunction):
      own = function.__module__ == module.__name__ and name[0] != '_'
      if own and defaults_of(function):
        found[f'{info.name}.{name}'] = defaults_of(function)
  assert found == DEFAULTS
