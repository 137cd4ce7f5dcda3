"""Scores of the generators of a lab, every seed of them."""

from collections.abc import Callable

import numpy as np

from gan_jax import data as data_lib
from gan_jax.lab import Lab
from gan_jax.metrics import measures, scores
from gan_jax.metrics.features import base, classifier, pixels
from gan_jax.sampling import collect, take_seed
from gan_jax.types import UserError

# Real samples that a score is taken against, at most, by kind of data.
MAX_REAL = {'image': 50_000, 'point': 10_000}


def metric_names(lab: Lab, wanted=()) -> tuple[str, ...]:
  """The metrics wanted, or the usual ones of this kind of data.

  Raises:
    UserError: one does not exist, or not for this data set.
  """
  labelled = bool(lab.dataset.class_names) and lab.dataset.kind == 'image'
  stand_in = base.Features('', '', None, accuracy=1.0 if labelled else None)
  known = {'features': stand_in, 'modes': lab.dataset.modes}
  possible = measures.available_names(**known)
  for name in wanted:
    if name not in possible:
      raise UserError(
        f'metrics: {name!r} is not possible with {lab.dataset.name}; there are'
        f' {", ".join(possible)}.'
      )
  return tuple(wanted) or measures.default_names(lab.dataset.kind, **known)


def reference_samples(dataset) -> np.ndarray:
  """The real samples [N, ...] that scores are taken against, uint8 or float."""
  most = MAX_REAL[dataset.kind]
  rows = np.random.default_rng(0).permutation(dataset.size)[:most]
  rows.sort()
  return dataset.read(rows)['x']


def features_of(dataset, *, space: str = '', say: Callable) -> base.Features:
  """The classifier of a labelled image data set, or else the pixels.

  Args:
    dataset: types.Dataset.
    space: 'classifier', 'pixels', or '' for the better one of them that there
      is.
    say: told when a classifier has to be trained first.

  Raises:
    UserError: there is no such space, or not for this data set.
  """
  check_space(dataset, space)
  labelled = bool(dataset.class_names) and dataset.kind == 'image'
  space = space or ('classifier' if labelled else 'pixels')
  if space == 'pixels':
    return pixels.load(dataset.shape)
  return classifier.load_or_train(dataset, say=say)


def check_space(dataset, space: str):
  """Refuses a space of features that a data set does not have.

  Raises:
    UserError: there is no such space, or not for this data set.
  """
  if space not in ('', 'classifier', 'pixels'):
    raise UserError(f'features={space!r}: there are classifier, pixels.')
  labelled = bool(dataset.class_names) and dataset.kind == 'image'
  if space == 'classifier' and not labelled:
    raise UserError(f'features=classifier: {dataset.name} has no classes.')


def make_scores(
  lab: Lab, names: tuple[str, ...], *, num_samples: int, space='', say=print
) -> Callable:
  """Returns score(step, variables [S], keys [S], seeds [S]) -> records.

  Real samples and features are prepared at the first call and kept.

  Args:
    lab: the networks and their data.
    names: from metric_names.
    num_samples: generated for each seed.
    space: see features_of.
    say: told when something takes its time.
  """
  dataset, made = lab.dataset, []
  check_space(dataset, space)

  def scorer():
    if not made:
      looked = not set(names) <= {'modes', 'high_quality', 'reverse_kl'}
      features = features_of(dataset, space=space, say=say) if looked else None
      made.append(
        scores.make_scorer(
          names,
          reference_samples(dataset),
          kind=dataset.kind,
          features=features,
          modes=dataset.modes,
          reference=f'{dataset.name}/train',
        )
      )
    return made[0]

  def score(step, variables, keys, seeds) -> list[dict]:
    records = []
    for s, seed in enumerate(seeds):
      fake = collect(
        lab.sample,
        take_seed(variables, s),
        keys[s],
        num_samples,
        num_classes=lab.num_classes,
      )
      if not np.isfinite(fake).all():
        say(f'seed {seed} makes non-finite samples: not scored')
        continue
      records += scorer()(fake, step=step, seed=int(seed), ema=lab.averaged)
    return records

  return score


def mean_of(records: list[dict], metric: str) -> float | None:
  """Mean over the seeds, None if there is no such score."""
  values = [r['value'] for r in records if r['metric'] == metric]
  return float(np.mean(values)) if values else None


def goal_reached(records: list[dict], goal: dict) -> bool:
  """Whether the mean over seeds is below, or above, what was wanted.

  Args:
    records: of one step.
    goal: {} or {'metric': name, 'below': value} or {..., 'above': value}.
  """
  value = mean_of(records, goal['metric']) if goal else None
  if value is None:
    return False
  return value < goal.get('below', -np.inf) or value > goal.get('above', np.inf)


def check_goal(goal: dict, names: tuple[str, ...]):
  """Refuses a config.stop_when that could never be reached.

  Raises:
    UserError: not {'metric': one of names, 'below' or 'above': number}.
  """
  if not goal:
    return
  keys = set(goal)
  if keys not in ({'metric', 'below'}, {'metric', 'above'}):
    raise UserError(
      "stop_when: expected {'metric': ..., 'below': ...} or 'above', got"
      f' {goal}.'
    )
  for key in keys - {'metric'}:
    if not isinstance(goal[key], int | float):
      raise UserError(f'stop_when.{key}={goal[key]!r}: expected a number.')
  if goal['metric'] not in names:
    raise UserError(
      f'stop_when.metric={goal["metric"]!r} is not among the metrics of this'
      f' run: {", ".join(names)}.'
    )


def show_samples(lab: Lab, variables, *, seed: int = 0, num: int = 100):
  """Fixed samples of one seed, float32 [num, ...] in model range."""
  return collect(
    lab.sample,
    take_seed(variables, seed),
    lab.keys[seed],
    num,
    num_classes=lab.num_classes,
  )


def real_samples(lab: Lab, num: int) -> np.ndarray:
  """Evenly spread real samples [num, ...] in model range."""
  rows = np.linspace(0, lab.dataset.size - 1, num).astype(int)
  return np.asarray(data_lib.to_model_range(lab.dataset.read(rows)['x']))
