"""The keys of a config, all in one table."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from gan_jax.run.config import recipe
from gan_jax.types import UserError

TRAINING, SCORES = 'training', 'scores'


class Key(NamedTuple):
  """What is known of one top-level key.

  kind: of its value: a plain type; dict for a group of options.
  decides: TRAINING: it decides what is trained, so a run that goes on has to
    keep it; SCORES: it decides what is scored; '': neither.
  least: smallest value of a number; counts also stay below 2**31.
  choices: the names there are; () if some other place knows them.
  since: version of the package that brought it; '' for the first one.
  before: what runs of earlier versions did.
  """

  kind: type
  decides: str = ''
  least: int | None = None
  choices: tuple[str, ...] = ()
  since: str = ''
  before: Any = None


TABLE = {
  # What is trained
  'seed': Key(int, TRAINING, least=0),
  'num_seeds': Key(int, TRAINING, least=1),
  'batch_size': Key(int, TRAINING, least=1),
  'microbatches': Key(int, TRAINING, least=1, since='0.2.0', before=1),
  'pack': Key(int, TRAINING, least=1, since='0.2.0', before=1),
  'd_steps': Key(int, TRAINING, least=1),
  'fresh_real': Key(bool, TRAINING),
  'conditional': Key(bool, TRAINING),
  'dtype': Key(str, TRAINING, choices=('float32', 'bfloat16')),
  'data': Key(dict, TRAINING),
  'model': Key(dict, TRAINING),
  'latent': Key(dict, TRAINING),
  'loss': Key(dict, TRAINING),
  'penalties': Key(dict, TRAINING),
  'conditioning': Key(
    dict, TRAINING, since='0.2.0', before={'name': 'projection'}
  ),
  'augment': Key(dict, TRAINING, since='0.2.0', before={}),
  'dynamics': Key(dict, TRAINING),
  'optim': Key(dict, TRAINING),
  'ema': Key(dict, TRAINING),
  'init_from': Key(str, TRAINING, since='0.2.0', before=''),
  'force': Key(bool, TRAINING, since='0.2.0', before=False),
  # How long, and on what
  'steps': Key(int, SCORES, least=0),
  'stop_when': Key(dict, SCORES),
  'parallel': Key(str),
  'deterministic': Key(bool),
  # What is reported, saved and scored
  'report_every': Key(int, least=0),
  'health_every': Key(int, least=0),
  'save_every': Key(int, least=0),
  'eval_every': Key(int, least=0),
  'eval_samples': Key(int, SCORES, least=1),
  'eval_labels': Key(
    str, SCORES, choices=('data', 'balanced'), since='0.2.0', before='balanced'
  ),
  'standing_stats': Key(int, SCORES, least=0, since='0.2.0', before=0),
  'metrics': Key(tuple),
  'metric_options': Key(dict, SCORES, since='0.2.0', before={}),
  'features': Key(str, SCORES),
  'protocol': Key(str, SCORES),
  'best_metric': Key(str),
  # When something goes wrong
  'on_divergence': Key(str, choices=('stop', 'rollback')),
  'max_rollbacks': Key(int, least=0),
  'save_patience_minutes': Key(float, least=0),
}
ADDED = {name: key.before for name, key in TABLE.items() if key.since}


def that_decide(what: str) -> tuple[str, ...]:
  """Names of the keys that decide TRAINING, or SCORES."""
  return tuple(name for name, key in TABLE.items() if key.decides == what)


def check_keys(config: dict, known: Iterable[str] = TABLE) -> dict:
  """Returns a config whose top-level keys are just the known ones.

  Raises:
    UserError: a key is unknown, with the nearest known one, or missing.
  """
  for key in config:
    recipe.check_known(known, key, flag=f'config.{key}')
  missing = [key for key in known if key not in config]
  if missing:
    raise UserError(f'config lacks {", ".join(missing)}.')
  return config


def flatten(tree: dict, prefix: str = '') -> dict:
  """Nested dicts by dotted keys; an empty dict is a value of its own."""
  flat = {}
  for key, value in tree.items():
    if isinstance(value, dict) and value:
      flat |= flatten(value, f'{prefix}{key}.')
    else:
      flat[f'{prefix}{key}'] = value
  return flat
