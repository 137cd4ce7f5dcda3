"""The keys of a config."""

from gan_jax.run.config import recipe
from gan_jax.types import UserError

# All top-level keys; those of the second group change what is said about a
# run but not its numbers, so a resumed run may change them.
TRAINING_KEYS = (
  'seed', 'num_seeds', 'batch_size', 'd_steps', 'dynamics', 'fresh_real',
  'conditional', 'dtype', 'data', 'model', 'latent', 'loss', 'penalties',
  'optim', 'ema',
)  # fmt: skip
FREE_KEYS = (
  'steps', 'parallel', 'report_every', 'health_every', 'save_every',
  'eval_every', 'eval_samples', 'metrics', 'features', 'protocol',
  'best_metric', 'stop_when', 'on_divergence', 'max_rollbacks',
  'save_patience_minutes', 'deterministic',
)  # fmt: skip
KEYS = TRAINING_KEYS + FREE_KEYS
# What runs of earlier versions do not have in their config.json.
ADDED_KEYS = dict.fromkeys(('features', 'protocol', 'best_metric'), '')
ADDED_KEYS |= {
  'health_every': 0,
  'on_divergence': 'stop',
  'max_rollbacks': 0,
  'save_patience_minutes': 30.0,
  'deterministic': False,
}


def check_keys(config: dict, known: tuple[str, ...]) -> dict:
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
