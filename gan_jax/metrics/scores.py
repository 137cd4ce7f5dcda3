"""Score records: every value beside the protocol that it was measured under.

A metric is asked for by the name of one of its outputs; it is computed once,
however many of its outputs are wanted.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gan_jax.metrics.features import base, pixels
from gan_jax.metrics.measures import (
  METRICS,
  NEEDS,
  OPTIONS,
  View,
  available_names,
  default_names,
)
from gan_jax.types import UserError

SAMPLES = base.Features(name='samples', hash='', apply=None)


def make_scorer(
  names: Sequence[str] | None,
  real,
  *,
  kind: str,
  features: base.Features | None = None,
  modes: Any = None,
  reference: str = '',
  options: dict | None = None,
) -> Callable:
  """Prepares to score many sets of samples against the same real ones.

  The names are checked at once, so that a training does not find out at its
  end; the real samples are seen once, when the first score is asked for.

  Args:
    names: of metrics; none means `measures.default_names`.
    real: real samples [N, ...] in model range, or uint8.
    kind: 'image' or 'point', as the data set says.
    features: what fid and its like compare; default the pixels.
    modes: known modes as the data set gives them: {'centers': [M, D],
      'std': float}, or None.
    reference: what the real samples are, 'digits/train' say.
    options: in place of `measures.OPTIONS`: k, threshold, min_count, min_share.

  Returns:
    score(fake, *, step, seed, ema) -> list of records, one for each name, in
    their order: fake [M, ...] in model range; step, seed and ema say which
    generator made them. It raises UserError for samples of another shape, too
    few of them, NaN or infinity.

  Raises:
    UserError: a metric or option that does not exist, or not for this data.
  """
  names = _checked_names(names, kind, features, modes)
  options = _checked_options(options or {})
  features = features or pixels.load(np.shape(real)[1:])
  chosen = [m for m in METRICS if set(m.outputs) & set(names)]
  looked = any(m.needs != 'modes' for m in chosen)

  @functools.cache
  def seen_real():
    return _view(real, features, looked)

  def score(fake, *, step=0, seed=0, ema=True):
    _check_shape(fake, real)
    seen = _view(fake, features, looked)
    told = {'reference': reference, 'n_fake': len(seen.samples)}
    told |= {'ema': bool(ema), 'seed': int(seed), 'step': int(step)}
    records = {}
    for metric in chosen:
      real_view = seen_real() if metric.uses_real else None
      values = metric.compute(real_view, seen, modes, options)
      told['n_real'] = len(real_view.samples) if real_view else 0
      records |= _records(metric, values, features, options, told)
    return [records[name] for name in names]

  return score


def score(
  names: Sequence[str] | None,
  fake,
  real,
  *,
  step: int = 0,
  seed: int = 0,
  ema: bool = True,
  **scorer,
) -> list[dict]:
  """Scores one set of samples; `make_scorer` explains the arguments.

  Args:
    names: of metrics.
    fake: generated samples [M, ...].
    real: real samples [N, ...].
    step: of the generator.
    seed: of the generator.
    ema: whether it is the moving average.
    **scorer: kind, features, modes, reference, options.

  Returns:
    List of records, one for each name, in their order.

  Raises:
    UserError: as `make_scorer` and what it returns.
  """
  return make_scorer(names, real, **scorer)(fake, step=step, seed=seed, ema=ema)


def _checked_names(names, kind, features, modes):
  names = tuple(names or default_names(kind, features=features, modes=modes))
  possible = available_names(features=features, modes=modes)
  known = {name: m.needs for m in METRICS for name in m.outputs}
  for name in names:
    if name not in possible:
      needs = known.get(name)
      why = f'needs {NEEDS[needs]}' if needs else 'does not exist'
      raise UserError(
        f'metric {name!r} {why}; possible here: {", ".join(possible)}'
      )
  return tuple(dict.fromkeys(names))


def _checked_options(options):
  for name in options:
    if name not in OPTIONS:
      raise UserError(
        f'metric option {name!r} does not exist; there are: '
        f'{", ".join(OPTIONS)}'
      )
  return OPTIONS | options


def _check_shape(fake, real):
  if np.shape(fake)[1:] != np.shape(real)[1:]:
    raise UserError(
      f'samples of shape {list(np.shape(fake)[1:])} cannot be scored against '
      f'real ones of shape {list(np.shape(real)[1:])}'
    )
  if not len(fake) or not len(real):
    raise UserError(f'nothing to score: {len(fake)} fake, {len(real)} real')


def _view(samples, features, looked):
  samples = base.to_model_range(samples)
  if not looked:
    return View(samples)
  return View(samples, *features.apply(samples))


def _records(metric, values, features, options, told):
  """The metric's records by name."""
  if metric.needs == 'modes':
    features = SAMPLES
  protocol = {
    'features': features.name,
    'features_hash': features.hash,
    'features_accuracy': features.accuracy,
    **told,
    **{name: options[name] for name in metric.options},
    **{name: values[name] for name in metric.extras},
  }
  return {
    name: {'metric': name, 'value': float(values[name]), **protocol}
    for name in metric.outputs
  }
