"""Weights that a run begins with, from another run.

`--init_from=WORKDIR[@STEP][:g,d,ema]` takes the networks, and the averages, of
a checkpoint; optimizers and steps begin anew. The config keeps the folder
absolute and the step as a number, so that a run which is killed before its
first checkpoint begins again with the same.
"""

import functools
import hashlib
import json
import os
import pathlib
import re
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.devices import multihost
from gan_jax.run.setup import Setup
from gan_jax.run.workdir import contents
from gan_jax.storage import files, format, paths
from gan_jax.types import State, UserError

AVERAGES = 'ema'
SHOWN = 5  # arrays in a line
_FORM = re.compile(
  r'(?P<folder>.+?)(@(?P<step>latest|best|\d+))?(:(?P<parts>\w+(,\w+)*))?'
)


class Source(NamedTuple):
  """What --init_from names."""

  folder: str  # absolute
  step: str  # 'latest', 'best' or a number
  parts: tuple[str, ...]  # players and AVERAGES; () for all

  def __str__(self):
    parts = f':{",".join(self.parts)}' if self.parts else ''
    return f'{self.folder}@{self.step}{parts}'


class Match(NamedTuple):
  """What is taken of a checkpoint."""

  names: dict[str, str]  # leaf here -> leaf there
  count: int  # of those asked for
  asked: int
  lacking: list[str]  # in words
  origin: dict  # for the manifest

  def line(self) -> str:
    """What is taken and what is not, for people."""
    more = len(self.lacking) - SHOWN
    rest = f' and {more} more, see manifest.json' if more > 0 else ''
    but = f'; not: {", ".join(self.lacking[:SHOWN])}{rest}'
    return (
      f'init_from: {self.count} of {self.asked} arrays of'
      f' {self.origin["workdir"]} at step {self.origin["step"]}'
      f'{but if self.lacking else ""}'
    )


def parse(text: str) -> Source:
  """What a value of init_from means; a folder of such a name comes first."""
  whole = os.path.abspath(paths.expand(text))
  if os.path.isdir(whole):
    return Source(whole, 'latest', ())
  source = _FORM.fullmatch(text)
  parts = tuple((source['parts'] or '').split(',')) if source['parts'] else ()
  folder = os.path.abspath(paths.expand(source['folder']))
  return Source(folder, source['step'] or 'latest', parts)


def as_begun(config: dict, workdir: pathlib.Path) -> dict:
  """The config with the init_from that a run has begun with, or begins with.

  Args:
    config: as given now.
    workdir: of the run; where it holds one, this one's own value counts,
      unless another one is given.

  Raises:
    UserError: there is no such run or checkpoint.
  """
  text, path = config['init_from'], workdir / 'config.json'
  if path.exists():
    before = files.read_json(path).get('init_from') or ''
    same = not text or (before and _same(text, before))
    return config | {'init_from': before if same else text}
  if not text:
    return config
  source = parse(text)
  return config | {'init_from': str(source._replace(step=str(_step(source))))}


def _same(given, before):
  a, b = parse(given), parse(before)
  return a._replace(step=b.step) == b and a.step in ('latest', 'best', b.step)


def _step(source):
  """The number of the step that is meant."""
  flag, folder = f'--init_from={source}', pathlib.Path(source.folder)
  if not (folder / 'config.json').is_file():
    raise UserError(f'{flag}: no run there (no config.json).')
  there = format.step_folders(folder / 'checkpoints')
  steps = [s for s, path in there.items() if format.is_finished(path)]
  if steps and source.step == 'best':
    return contents.best_step(folder, flag=flag)
  if source.step not in ('latest', 'best'):
    steps = [s for s in steps if s == int(source.step)]
  if not steps:
    known = ', '.join(map(str, there)) or 'none'
    raise UserError(f'{flag}: no such checkpoint; there: {known}.')
  return steps[-1]


@functools.lru_cache(64)
def _note(path):
  try:
    return format.read_note(path)
  except Exception as e:  # Orbax raises anything
    raise UserError(f'--init_from: {path} cannot be read ({e}).') from e


def match(text: str, setup: Setup) -> Match:
  """What a run of this setup takes from the checkpoint that init_from names.

  Raises:
    UserError: nothing fits, or it has another number of seeds.
  """
  source = parse(text)
  path = pathlib.Path(source.folder) / 'checkpoints' / str(_step(source))
  there = _note(path)['leaves']
  here = format.named(jax.eval_shape(setup.init))
  players = sorted({n.split('/')[1] for n in here if n.startswith('players/')})
  parts = source.parts or (*players, AVERAGES)
  for part in parts:
    if part not in (*players, AVERAGES):
      known = ', '.join((*players, AVERAGES))
      raise UserError(f'--init_from={text}: {part!r} is none of {known}.')
  names, lacking, asked = {}, [], 0
  for name, leaf in here.items():
    part = _part(name)
    if part in parts:
      asked += 1
      misfit = _misfit(there.get(name), leaf)
      if misfit:
        lacking.append(f'{name.removeprefix("players/")} {misfit}')
      else:
        names[name] = name
  count = len(names)
  if not count:
    raise UserError(
      f'--init_from={text}: nothing there fits: {", ".join(lacking[:SHOWN])}.'
    )
  _follow(names, here)
  _check_seeds(text, there, names, len(setup.keys))
  crcs = {name: there[other]['crc'] for name, other in sorted(names.items())}
  origin = {
    'workdir': source.folder,
    'step': int(path.name),
    'arrays': count,
    'of': asked,
    'not': lacking,
    'digest': hashlib.sha256(json.dumps(crcs).encode()).hexdigest(),
  }
  return Match(names, count, asked, lacking, origin)


def _part(name):
  """Of which part a leaf is; None for optimizers and all that is not learnt."""
  top, *rest = name.split('/')
  if top == 'players' and rest[1] in ('params', 'vars'):
    return rest[0]
  return AVERAGES if top == AVERAGES else None


def _misfit(kind, leaf):
  """Why a leaf there is not one for here, '' if it is."""
  mine = tuple(leaf.shape[1:])
  if kind is None:
    return 'absent there'
  if tuple(kind['shape'][1:]) != mine:
    return f'{tuple(kind["shape"][1:])} -> {mine}'
  if kind['dtype'] != str(leaf.dtype):
    return f'{kind["dtype"]} -> {leaf.dtype}'
  return ''


def _follow(names, here):
  """An average that is not taken begins as the weights that are taken."""
  for name in here:
    own = f'players/{name.removeprefix(f"{AVERAGES}/")}'
    if _part(name) == AVERAGES and name not in names and own in names:
      names[name] = names[own]


def _check_seeds(text, there, names, seeds):
  theirs = there[next(iter(names.values()))]['shape'][0]
  if theirs not in (1, seeds):
    raise UserError(
      f'--init_from={text}: a run of {theirs} seeds; expected 1 or'
      f' num_seeds={seeds}.'
    )


def adopt(text: str, setup: Setup, state: State) -> State:
  """The state [S, ...] at step 0 with what is taken in its place.

  Raises:
    UserError: see match; or the checkpoint is damaged.
  """
  source = match(text, setup)
  folder = pathlib.Path(source.origin['workdir'])
  path = folder / 'checkpoints' / str(source.origin['step'])
  kinds = _note(path)['leaves']
  try:
    there, _ = format.read(path, {k: format.blank(v) for k, v in kinds.items()})
  except UserError:
    raise
  except Exception as e:  # Orbax raises anything
    raise UserError(f'--init_from: {path} cannot be read ({e}).') from e
  leaves = [
    jnp.array(jnp.broadcast_to(there[source.names[name]], leaf.shape))
    if name in source.names
    else leaf
    for name, leaf in format.named(state).items()
  ]
  return jax.tree.unflatten(jax.tree.structure(state), leaves)


def with_weights(setup: Setup, text: str) -> Setup:
  """The setup of a run that begins with the weights that init_from names."""
  if not text or not multihost.is_first():  # which tells the others
    return setup
  take = functools.partial(adopt, text, setup)
  return setup._replace(init_from=text, adopt=take)


def origin(setup: Setup, workdir: pathlib.Path) -> tuple[dict, str]:
  """What the manifest says of a run's first weights, and a line for people.

  Once the run has a checkpoint, nothing else is read of the other one.

  Raises:
    UserError: see match; or the run has begun with other weights.
  """
  if not setup.init_from:
    return {}, ''
  before = files.read_json(workdir / 'manifest.json').get('init_from')
  if before and format.step_folders(workdir / 'checkpoints'):
    return {'init_from': before}, ''
  source = match(setup.init_from, setup)
  if before and before != source.origin:
    raise UserError(
      f'--init_from={setup.init_from}: --workdir={workdir} began with other'
      ' weights. Choose another workdir.'
    )
  return {'init_from': source.origin}, source.line()
