"""What a run was made with: manifest.json, and how two of them differ.

python -m gan_jax.manifest diff runs/a runs/b

It describes the newest start of a run; `starts` lists all of them, each with
what was not as at the one before.
"""

import json
import pathlib
import re

import jax

import gan_jax
from gan_jax.data import fingerprint, loading
from gan_jax.devices import parallel
from gan_jax.devices.parallel import Program
from gan_jax.run import autotune, compatibility
from gan_jax.run.setup import Setup
from gan_jax.run.workdir import differences as differences_lib
from gan_jax.run.workdir import provenance, sources
from gan_jax.storage import files, format
from gan_jax.types import UserError

NAME = 'manifest.json'
SHORT = 12  # characters of a hash that are shown
LAYOUT_SINCE = (0, 2)  # of gan_jax: the first one to save format.FORMAT


# What a run is made with.


def describe(**also) -> dict:
  """The code, the packages, the machine; `also` is added as it stands."""
  return {**provenance.describe(), **also}


def of_run(config: dict, setup: Setup, program: Program) -> dict:
  """All that decides a run's numbers beside its config, as plain values."""
  forced = compatibility.names(setup.clashes)
  autotuned = autotune.loaded()
  return describe(
    data_name=setup.dataset.name,
    data_fingerprint=_fingerprint(setup),
    components=sources.outside_modules(config),
    layout=program.layout._asdict(),
    **({'forced': forced} if forced else {}),
    **({'autotuned': autotuned} if autotuned else {}),
    split=_split(config['parallel'], len(setup.keys), program.layout),
  )


def _fingerprint(setup):
  """The fingerprint of the data; a user's own data set may give none."""
  if setup.dataset.fingerprint or not setup.structure.resident:
    return setup.dataset.fingerprint
  return fingerprint.digest(loading.whole(setup.dataset))


def _split(wrapper, num_seeds, layout):
  """How devices share the work, as far as it decides bits.

  Seeds that are computed one at a time, each with its whole batch, have the
  same bits wherever they are; of these jit and pmap make the same program.
  """
  devices = jax.device_count()
  wrapper = wrapper or parallel.default_wrapper(devices)
  along_seeds, along_batch = parallel.device_grid(
    num_seeds, devices, wrapper=wrapper, layout=layout
  )
  whole = along_batch == 1 and layout.seeds != 'vmap'
  same = whole and wrapper in ('jit', 'pmap')
  return {
    'by': 'jit or pmap' if same else wrapper,
    'batch': along_batch,
    'processes': jax.process_count() if along_batch > 1 else 1,
    'seeds_at_once': num_seeds // along_seeds if layout.seeds == 'vmap' else 1,
  }


# What it was made with before.


def read(workdir) -> dict:
  """The manifest of a workdir, {} if there is none that can be read."""
  return load(pathlib.Path(workdir) / NAME)


def load(path):
  """A manifest, {} where the file is missing or holds something else."""
  record = files.read_json(path)
  of = lambda name, kind: isinstance(record.get(name, kind()), kind)
  sound = of('xla_flags', str) and of('data_fingerprint', str)
  sound = sound and of('components', dict) and of('starts', list)
  sound = sound and all(map(_is_start, record.get('starts', [])))
  return record if sound else {}


def _is_start(start):
  pairs = start.get('decides', {}) if isinstance(start, dict) else None
  return isinstance(pairs, dict) and all(
    isinstance(pair, list) and len(pair) == 2 for pair in pairs.values()
  )


def fingerprint_of(workdir) -> str:
  """The fingerprint of a run's data; '' if nobody knows it."""
  return read(workdir).get('data_fingerprint', '')


def check_layout(workdir):
  """Refuses a run whose state was laid out in another way when it was saved.

  Args:
    workdir: of the run; there may be none yet.

  Raises:
    UserError: an earlier version trained it; the message names that version.
  """
  workdir = pathlib.Path(workdir)
  if not (workdir / 'config.json').exists() or not _is_outdated(workdir):
    return
  version = read(workdir).get('gan_jax') or '(of an unknown version)'
  raise UserError(
    f'--workdir={workdir} was trained by gan_jax {version}, whose checkpoints'
    f' gan_jax {gan_jax.__version__} cannot read: go on with that version, or'
    ' choose another workdir. A finished run can still be evaluated by its'
    ' samples: python -m gan_jax.evaluate --samples=...'
  )


def _is_outdated(workdir):
  """By its checkpoints, or by its manifest where it has none."""
  try:
    steps = format.step_folders(workdir / 'checkpoints').values()
  except OSError:  # restoring them will say why
    return False
  formats = [one for one in map(format.peek, steps) if one is not None]
  if formats:
    return min(formats) < format.FORMAT
  version = re.match(r'(\d+)\.(\d+)', str(read(workdir).get('gan_jax')))
  return (
    version is not None and tuple(map(int, version.groups())) < LAYOUT_SINCE
  )


def check(
  workdir,
  record: dict,
  *,
  deterministic: bool = False,
  accept_source: bool = False,
) -> list[str]:
  """Compares a run that is about to go on with its earlier starts.

  Args:
    workdir: of the run; there may be none yet.
    record: from of_run.
    deterministic: nothing that can change numbers may differ.
    accept_source: but components may, and the package's own source.

  Returns:
    what differs and can change numbers, in words.

  Raises:
    UserError: the data or a component are not those that it was trained with,
      or it is deterministic and anything else differs.
  """
  workdir = pathlib.Path(workdir)
  if not (workdir / 'config.json').exists():
    return []
  before = _as_today(read(workdir))
  _check_data(workdir, before, record)
  if not accept_source:
    _check_components(workdir, before, record)
  differences = differences_lib.records(before, record)
  changes = [str(d) for d in differences if d.decides]
  missing = differences_lib.missing(before, record)
  if not before:
    changes.append(f'what it was made with unknown (no {NAME})')
  elif missing:
    changes.append(f'not recorded then: {", ".join(missing)}')
  if deterministic:
    accepted = [str(d) for d in differences if is_source(d.key)]
    refused = [c for c in changes if not accept_source or c not in accepted]
    _check_unchanged(workdir, [*history(before, accepted=False), *refused])
  return changes


def is_source(key: str) -> bool:
  """Whether a manifest's key tells of source that --accept_source accepts."""
  return key.split('.')[0] in ('components', 'source')


def _as_today(before):
  """A manifest with the hashes that this version makes."""
  if 'components' not in before:
    return before
  return before | {'components': sources.as_today(before['components'])}


def _check_data(workdir, before, now):
  hashes = [one.get('data_fingerprint', '') for one in (before, now)]
  if all(hashes) and hashes[0] != hashes[1]:
    then, today = (one[:SHORT] for one in hashes)
    raise UserError(
      f'--workdir={workdir} holds a run on other data: {now["data_name"]} had'
      f' the fingerprint {then} at its start, and has {today} now. Put the data'
      ' back, or choose another workdir.'
    )


def _check_components(workdir, before, now):
  hashes = before.get('components', now['components'])
  changed = [
    n for n in now['components'] if hashes.get(n) != now['components'][n]
  ]
  if changed or set(hashes) - set(now['components']):
    names = changed or sorted(set(hashes) - set(now['components']))
    raise UserError(
      f'--workdir={workdir} holds a run with another {", ".join(names)}: its'
      ' source has changed since, not only its comments. Put it back, or choose'
      ' another workdir; --accept_source goes on and records the change.'
    )


def _check_unchanged(workdir, changes):
  if changes:
    raise UserError(
      f'deterministic=True, but --workdir={workdir} would go on with'
      f' {"; ".join(changes)}. Go on as before, or choose another workdir.'
    )


def history(record, *, accepted: bool = True):
  """What changed at earlier starts and can change numbers, in words.

  Args:
    record: a manifest.
    accepted: also what was accepted by --accept_source.
  """
  difference = lambda key, pair: differences_lib.Difference(key, *pair, True)
  return [
    f'{difference(key, pair)} at step {start.get("step")}'
    for start in record.get('starts', [])
    for key, pair in start.get('decides', {}).items()
    if accepted or not (start.get('accept_source') and is_source(key))
  ]


def write(
  workdir,
  record: dict,
  config: dict,
  *,
  step: int,
  accept_source: bool = False,
):
  """Writes config.json and manifest.json of a start; earlier ones stay in it.

  Args:
    workdir: of the run.
    record: from of_run.
    config: of this start.
    step: that it goes on from.
    accept_source: as it was for `check`.
  """
  workdir, before = pathlib.Path(workdir), _as_today(read(workdir))
  changes, keys = [], []
  if before:
    config_before = files.read_json(workdir / 'config.json')
    config_now = json.loads(json.dumps(config))
    changes = differences_lib.records(before, record)
    keys = differences_lib.configs(config_before, config_now)
  start = {
    **{name: record[name] for name in ('started', 'host', 'command')},
    'step': step,
    'decides': _pairs(d for d in changes if d.decides),
    'differs': _pairs(d for d in changes if not d.decides),
    'config': _pairs(keys),
    **({'accept_source': True} if accept_source else {}),
  }
  starts = [*before.get('starts', _first(before)), start]
  # The config last: with it a run has begun.
  files.write_json(workdir / NAME, {**record, 'step': step, 'starts': starts})
  files.write_json(workdir / 'config.json', config)


def _pairs(differences):
  return {d.key: [d.before, d.now] for d in differences}


def _first(before):
  """The start that a manifest without a list of starts describes."""
  if not before:
    return []
  start = {name: before.get(name) for name in ('started', 'host', 'command')}
  return [{**start, 'step': None}]
