"""What differs between two records of a run, and what of it changes numbers.

A record is a manifest, see record.of_run. Where one of two was written by an
earlier version, only what both hold is compared.
"""

import re
from typing import Any, NamedTuple

from gan_jax.run import examples
from gan_jax.run.config import keys

# Where the data are and how they are read does not change what they are.
PLACES = (*examples.PLACES, *examples.READING, 'memory_mb')
# Of a manifest, what decides nothing by itself. How devices shared the work is
# in `split`, and what the code was in `source`, where these are recorded.
IDLE = ('command', 'host', 'gan_jax', 'platform', 'autotuned')
OF_A_START = ('started', 'step', 'starts')  # never the same
IDLE_WITH = {
  'data_name': 'data_fingerprint',
  'num_devices': 'split', 'num_processes': 'split', 'git_revision': 'source',
  'git_changed': 'source', 'git_diff': 'source',
}  # fmt: skip
# Flags of XLA that change no program: numbers of devices, dumps and logs.
IDLE_FLAGS = re.compile(
  r'xla_force_host_platform_device_count|xla_(\w+_)?(dump|log|profile)_?\w*|'
  r'xla_gpu_cuda_data_dir|xla_gpu_per_fusion_autotune_cache_dir|'
  r'xla_gpu_load_autotune_results_from'  # of the run itself, see run.autotune
)
_GROUPS = ('packages', 'jax_config')  # where an absent entry means nothing


class Difference(NamedTuple):
  """One thing that is not the same on both sides; None where it is absent."""

  key: str  # dotted
  before: Any
  now: Any
  decides: bool  # whether it can change numbers

  def __str__(self):
    show = lambda v: 'absent' if v is None else repr(v) if v == '' else str(v)
    return f'{self.key} {show(self.before)} -> {show(self.now)}'


def records(before: dict, now: dict) -> list[Difference]:
  """What differs between two manifests, in the order of their keys."""
  both = (set(before) & set(now)) - {*OF_A_START, 'xla_flags'}
  a, b = ({name: record[name] for name in both} for record in (before, now))
  if 'xla_flags' in before and 'xla_flags' in now:
    a['xla_flags'], b['xla_flags'] = map(
      xla_flags, (before['xla_flags'], now['xla_flags'])
    )
  decides = lambda key: _decides(key, both)
  return _differences(a, b, decides)


def missing(before: dict, now: dict) -> list[str]:
  """What decides numbers and is recorded in only one of two manifests."""
  both = set(before) & set(now)
  one = (set(before) ^ set(now)) - {*OF_A_START, *IDLE}
  return sorted(name for name in one if IDLE_WITH.get(name) not in both)


def configs(before: dict, now: dict) -> list[Difference]:
  """What differs between two configs."""
  goals = bool(before.get('stop_when')) or bool(now.get('stop_when'))
  rolls = 'rollback' in (before.get('on_divergence'), now.get('on_divergence'))
  deciding = {
    *keys.that_decide(keys.TRAINING),
    *keys.that_decide(keys.SCORES),
  }
  deciding |= {'eval_every'} if goals else set()
  deciding |= {'on_divergence', 'max_rollbacks'} if rolls else set()
  places = {f'data.{name}' for name in PLACES}
  decides = lambda key: key not in places and key.split('.')[0] in deciding
  return [
    d._replace(key=f'config.{d.key}')
    for d in _differences(before, now, decides)
  ]


def _differences(a, b, decides):
  a, b = keys.flatten(a), keys.flatten(b)
  differences = []
  for key in sorted({*a, *b}):
    before, now = a.get(key), b.get(key)
    comparable = key.split('.')[0] not in _GROUPS or (key in a and key in b)
    # An empty group beside a full one is not a value of its own.
    if before != now and comparable and {} not in (before, now):
      differences.append(Difference(key, before, now, decides(key)))
  return differences


def _decides(key, recorded):
  group, _, rest = key.partition('.')
  if group == 'xla_flags':
    return not IDLE_FLAGS.fullmatch(rest)
  return group not in IDLE and IDLE_WITH.get(group) not in recorded


def xla_flags(text: str) -> dict[str, str]:
  """The flags of XLA_FLAGS by name, of repeated ones the last."""
  words = [word.lstrip('-').partition('=') for word in text.split()]
  return {name: value or 'true' for name, _, value in words}
