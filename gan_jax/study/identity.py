"""Identifies a run by the hash of everything that decides its numbers.

Two runs with the same identity have the same weights and scores, whatever study
needs them and wherever their data are; so a finished run is never repeated.
"""

import hashlib
import json

from gan_jax.run.config import keys
from gan_jax.run.workdir import differences, sources


def of_cell(config: dict, fingerprint: str) -> str:
  """The identity of a cell, its runs without their seeds: 16 hex digits.

  Args:
    config: resolved, plain values.
    fingerprint: of its data set.
  """
  training = [
    k for k in keys.that_decide(keys.TRAINING) if k not in ('seed', 'num_seeds')
  ]
  decisive = {
    key: config[key] for key in (*training, *keys.that_decide(keys.SCORES))
  }
  if not decisive['init_from']:
    del decisive['init_from']  # runs of earlier versions had none
  decisive['data'] = {
    k: v for k, v in config['data'].items() if k not in differences.PLACES
  }
  if config['stop_when']:
    decisive['eval_every'] = config['eval_every']
  if config['on_divergence'] == 'rollback':
    decisive |= {k: config[k] for k in ('on_divergence', 'max_rollbacks')}
  decisive['fingerprint'] = fingerprint
  decisive['modules'] = sources.outside_modules(config)
  return _digest(decisive)


def of_run(cell: str, seed: int) -> str:
  """The identity of one run of a cell."""
  return _digest([cell, int(seed)])


def _digest(content):
  text = json.dumps(content, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:16]
