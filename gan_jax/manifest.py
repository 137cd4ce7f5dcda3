"""What a run was made with: manifest.json, and what of it differs.

python -m gan_jax.manifest diff runs/a runs/b

It describes the newest start of a run; `starts` lists all of them, each with
what was not as at the one before.
"""

import json
import pathlib
import sys

import jax

from gan_jax import (
  command,
  components,
  differing,
  examples,
  parallel,
  provenance,
  runs,
)
from gan_jax import data as data_lib
from gan_jax.lab import Lab
from gan_jax.parallel import Program
from gan_jax.report import writers
from gan_jax.types import UserError

NAME = 'manifest.json'
SHORT = 12  # characters of a hash that are shown


# What a run is made with.


def describe(**also) -> dict:
  """The code, the packages, the machine; `also` is added as it stands."""
  return {**provenance.describe(), **also}


def of_run(config: dict, lab: Lab, program: Program) -> dict:
  """All that decides a run's numbers beside its config, as plain values."""
  return describe(
    data_name=lab.dataset.name,
    data_fingerprint=_fingerprint(lab),
    components=components.outside_modules(config),
    layout=program.layout._asdict(),
    split=_split(config['parallel'], len(lab.keys), program.layout),
  )


def _fingerprint(lab):
  """Of the data; a data set of one's own may give none."""
  if lab.dataset.fingerprint or not lab.resident:
    return lab.dataset.fingerprint
  return examples.digest(data_lib.arrays(lab.dataset))


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
  return _load(pathlib.Path(workdir) / NAME)


def _load(path):
  """A manifest, {} where the file is missing or holds something else."""
  found = writers.read_json(path)
  of = lambda name, kind: isinstance(found.get(name, kind()), kind)
  sound = of('xla_flags', str) and of('data_fingerprint', str)
  sound = sound and of('components', dict) and of('starts', list)
  return found if sound and all(map(_is_start, found.get('starts', []))) else {}


def _is_start(told):
  pairs = told.get('decides', {}) if isinstance(told, dict) else None
  return isinstance(pairs, dict) and all(
    isinstance(pair, list) and len(pair) == 2 for pair in pairs.values()
  )


def check(workdir, record: dict, *, deterministic: bool = False) -> list[str]:
  """Compares a run that is about to go on with its earlier starts.

  Args:
    workdir: of the run; there may be none yet.
    record: from of_run.
    deterministic: nothing that can change numbers may differ.

  Returns:
    what differs and can change numbers, in words.

  Raises:
    UserError: the data or a component are not those that it was trained with,
      or it is deterministic and anything else differs.
  """
  workdir = pathlib.Path(workdir)
  if not (workdir / 'config.json').exists():
    return []
  before = read(workdir)
  _check_data(workdir, before, record)
  _check_components(workdir, before, record)
  found = [str(d) for d in differing.records(before, record) if d.decides]
  untold = differing.missing(before, record)
  if not before:
    found.append(f'what it was made with unknown (no {NAME})')
  elif untold:
    found.append(f'not recorded then: {", ".join(untold)}')
  if deterministic:
    _check_nothing(workdir, [*_history(before), *found])
  return found


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
      ' source has changed since. Put it back, or choose another workdir.'
    )


def _check_nothing(workdir, found):
  if found:
    raise UserError(
      f'deterministic=True, but --workdir={workdir} would go on with'
      f' {"; ".join(found)}. Go on as before, or choose another workdir.'
    )


def _history(record):
  """What changed at earlier starts and can change numbers, in words."""
  return [
    f'{differing.Difference(key, *pair, True)} at step {start.get("step")}'
    for start in record.get('starts', [])
    for key, pair in start.get('decides', {}).items()
  ]


def write(workdir, record: dict, config: dict, *, step: int):
  """Writes config.json and manifest.json of a start; earlier ones stay in it.

  Args:
    workdir: of the run.
    record: from of_run.
    config: of this start.
    step: that it goes on from.
  """
  workdir, before = pathlib.Path(workdir), read(workdir)
  found, keys = [], []
  if before:
    told = writers.read_json(workdir / 'config.json')
    found = differing.records(before, record)
    keys = differing.configs(told, json.loads(json.dumps(config)))
  start = {
    **{name: record[name] for name in ('started', 'host', 'command')},
    'step': step,
    'decides': _pairs(d for d in found if d.decides),
    'differs': _pairs(d for d in found if not d.decides),
    'config': _pairs(keys),
  }
  starts = [*before.get('starts', _first(before)), start]
  # The config last: with it a run has begun.
  writers.write_json(workdir / NAME, {**record, 'step': step, 'starts': starts})
  writers.write_json(workdir / 'config.json', config)


def _pairs(differences):
  return {d.key: [d.before, d.now] for d in differences}


def _first(before):
  """The start that a manifest without a list of them tells of."""
  if not before:
    return []
  told = {name: before.get(name) for name in ('started', 'host', 'command')}
  return [{**told, 'step': None}]


# The command.


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.manifest diff A B',
    'A and B: workdirs of runs, or their manifest.json',
    'exit code: 1 if anything differs that can change numbers, else 0',
  ]


def diff(a, b) -> dict[str, list[str]]:
  """What differs between two runs.

  Args:
    a: workdir of a run, or its manifest.json.
    b: the other one's.

  Returns:
    lines under 'can change the numbers' and 'cannot change them'.

  Raises:
    UserError: there is no manifest, or it cannot be read.
  """
  paths = [_path(one) for one in (a, b)]
  sides = [_load(path) for path in paths]
  for path, side in zip(paths, sides, strict=True):
    if not side:
      raise UserError(f'{path}: not a manifest.')
  told = [path.with_name('config.json') for path in paths]
  found = differing.records(*sides)
  if all(path.is_file() for path in told):
    found += differing.configs(*map(runs.read_config, told))
  lines = {
    title: [str(d) for d in found if d.decides == decides]
    for title, decides in (
      ('can change the numbers', True),
      ('cannot change them', False),
    )
  }
  first, second = map(_history, sides)
  for path, own, other in ((a, first, second), (b, second, first)):
    lines['can change the numbers'] += [
      f'only in {path}: {line}' for line in own if line not in other
    ]
  untold = differing.missing(*sides)
  if untold:
    lines['can change the numbers'].append(
      f'not recorded in one of the two: {", ".join(untold)}'
    )
  return lines


def _path(given):
  path = pathlib.Path(given)
  path = path / NAME if path.is_dir() else path
  if not path.is_file():
    raise UserError(f'{given}: no run here (no {NAME}).')
  return path


def main(argv: list[str]):
  """The command."""
  if {'--help', '-h'} & set(argv[1:]):
    command.parse(argv, help_lines=help_lines)
  verb, *paths = argv[1:] or ['']
  if verb != 'diff':
    raise UserError(f'{verb!r}: expected diff A B; --help shows the usage.')
  if len(paths) != 2:
    raise UserError(f'diff: expected two runs, there are {len(paths)}.')
  lines = diff(*paths)
  for title, under in lines.items():
    if under:
      print(f'{title}:', *under, sep='\n  ')
  if not any(lines.values()):
    print('no difference')
  raise SystemExit(1 if lines['can change the numbers'] else 0)


if __name__ == '__main__':
  command.run(main, sys.argv)
