"""Metrics of series: a line for each, and how each looks at views."""

import numpy as np

from gan_jax.metrics import intervals
from gan_jax.metrics.metric import Family, Metric
from gan_jax.metrics.series import (
  correlations,
  discriminative,
  mmd,
  predictive,
  tails,
  usefulness,
)
from gan_jax.types import UserError

SAMPLES = ('samples',)
LABELLED = ('samples', 'labels')


def discrepancy(real, fake, known):
  """Chosen on one half of both sides, measured on the other."""
  sides = [x.samples.reshape(x.count, -1) for x in (known.held_out, fake)]
  half = min(mmd.MOST, *(len(x) // 2 for x in sides))
  bandwidth = mmd.chosen(*(x[:half] for x in sides))
  measured = (x[half : 2 * half] for x in sides)
  value, variance = mmd.discrepancy(*measured, bandwidth)
  wide = intervals.normal_quantile() * np.sqrt(variance)
  return (
    {'mmd': value, 'parts': {'bandwidth': bandwidth}},
    {'mmd': (value - wide, value + wide)},
  )


def told_apart(real, fake, known):
  """|accuracy - 1/2| of a judge."""
  variant = known.options['variant']
  if variant == 'timegan':
    right = discriminative.as_timegan(real.samples, fake.samples)
  else:
    strict = variant == 'strict'
    columns = fake.samples.shape[-1]
    right = discriminative.mended(
      real.samples,
      known.held_out.samples,
      fake.samples,
      discriminative.STRICT if strict else discriminative.ours(columns),
    )
  span = intervals.bootstrap(
    right.astype(np.float64), lambda x: abs(x.mean() - 0.5)
  )
  return {'discriminative': discriminative.value(right)}, {
    'discriminative': span
  }


def forecast(real, fake, known):
  """Mean absolute error of a forecaster that learned on the fakes."""
  if known.options['variant'] == 'timegan':
    errors = predictive.as_timegan(real.samples, fake.samples)
  else:
    errors = predictive.mended(known.held_out.samples, fake.samples)
  return {'predictive': errors.mean()}, {'predictive': _spread(errors)}


def taught(real, fake, known):
  """Accuracy on held-out series of what learned on the fakes."""
  return _useful('tstr', fake, known.held_out, known)


def recognised(real, fake, known):
  """Accuracy on the fakes of what learned on real series."""
  return _useful('trts', real, fake, known)


def _useful(name, learned, tested, known):
  pair = lambda view: (view.samples, view.labels)
  right = usefulness.right(pair(learned), pair(tested), known.num_classes)
  return {name: right.mean()}, {name: _spread(right)}


def _spread(each):
  each = np.asarray(each, np.float64)
  return intervals.bootstrap(each) if len(each) > 1 else None


def autocorrelations(real, fake, known):
  """Of values, their sizes and their squares, and the mean of the three."""
  names = ('values', 'absolute', 'squares')
  values, span = _correlated(names, real, fake, known)
  own = {name: values[name] for name in names}
  made = {'acf_distance': values['mean'], 'parts': own}
  return made, {'acf_distance': span}


def leverage(real, fake, known):
  """Of values and the squares of later ones."""
  values, span = _correlated(('leverage',), real, fake, known)
  return {'leverage_distance': values['mean']}, {'leverage_distance': span}


def _correlated(names, real, fake, known):
  """({name: distance, 'mean'}, interval by the jackknife)."""
  length = real.samples.shape[1]
  lags = min(known.options['lags'], length - 1)
  if lags < 1:
    raise UserError('acf, leverage: expected two moments or more, there is one')
  sizes = np.bincount(fake.group)
  there = np.flatnonzero(sizes)
  values, others = {}, []
  for name in names:
    of = lambda x, name=name: correlations.sums(x, name, lags)
    truth = of(real.samples)
    parts = [of(fake.samples[fake.group == g]) for g in there]
    values[name] = correlations.distance(truth, correlations.added(parts))
    others.append(_without_each(truth, parts))
  values['mean'] = np.mean([values[name] for name in names])
  return values, _jackknife(values['mean'], np.mean(others, 0), sizes[there])


def _without_each(truth, parts):
  """Distances with one of the parts left out, in turn."""
  if len(parts) < 2:
    return []
  rest = lambda g: correlations.added(parts[:g] + parts[g + 1 :])
  return [correlations.distance(truth, rest(g)) for g in range(len(parts))]


def earth(real, fake, known):
  """Distances of values and sums, in deviations of the real ones."""
  own, without = {}, []
  sizes = np.bincount(fake.group)
  there = np.flatnonzero(sizes)
  for steps in tails.horizons(real.samples.shape[1]):
    pairs = (tails.sums(x.samples, steps) for x in (real, fake))
    value, others = tails.scaled(*pairs, fake.group)
    own[f'{steps}'] = value
    without.append(others[there])
  value = np.mean([*own.values()])
  span = _jackknife(value, np.mean(without, axis=0), sizes[there])
  return {'tail_distance': value, 'parts': own}, {'tail_distance': span}


def _jackknife(value, others, sizes):
  if len(others) < 2:
    return None
  return intervals.jackknife(value, others, sizes=sizes)


METRICS = (
  Metric(
    ('discriminative',),
    told_apart,
    SAMPLES,
    SAMPLES,
    held_out=SAMPLES,
    where='time',
    options=('variant',),
  ),
  Metric(
    ('mmd',),
    discrepancy,
    SAMPLES,
    held_out=SAMPLES,
    where='time',
    extras=('parts',),
    method='normal',
  ),
  Metric(
    ('predictive',),
    forecast,
    SAMPLES,
    SAMPLES,
    held_out=SAMPLES,
    where='time',
    options=('variant',),
  ),
  Metric(('tstr',), taught, LABELLED, held_out=LABELLED, where='time labels'),
  Metric(('trts',), recognised, LABELLED, LABELLED, where='time labels'),
  Metric(
    ('acf_distance',),
    autocorrelations,
    SAMPLES,
    SAMPLES,
    where='time',
    options=('lags',),
    extras=('parts',),
    method='jackknife',
  ),
  Metric(
    ('leverage_distance',),
    leverage,
    SAMPLES,
    SAMPLES,
    where='time',
    options=('lags',),
    method='jackknife',
  ),
  Metric(
    ('tail_distance',),
    earth,
    SAMPLES,
    SAMPLES,
    where='time',
    extras=('parts',),
    method='jackknife',
  ),
)

FAMILY = Family(
  METRICS,
  where={'time': 'samples that go on in time'},
  options={'variant': 'mended', 'lags': 50},
  choices={'variant': ('mended', 'strict', 'timegan')},
  lower_is_better=frozenset(
    {
      'discriminative',
      'mmd',
      'predictive',
      'acf_distance',
      'leverage_distance',
      'tail_distance',
    }
  ),
  signed=frozenset({'mmd'}),
  least={'discriminative': (2, 2), 'mmd': (1, 8)},
)
