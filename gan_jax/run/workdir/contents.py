"""A run's workdir: what is in it, and what may go on in it."""

import functools
import json
import os
import pathlib
from collections.abc import Callable

import jax

from gan_jax.metrics import measures, metric_options, records
from gan_jax.run import examples as examples_lib
from gan_jax.run import scoring
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import keys, validation
from gan_jax.run.workdir import description, ranking, record, sources
from gan_jax.storage import files, paths
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import UserError

MAX_NAME = 200  # bytes of a file's name; a temporary one is longer


def ranking_metric(config: dict, names: tuple[str, ...]) -> str:
  """The metric that decides which checkpoint is the best.

  Raises:
    UserError: it is not among the run's metrics.
  """
  goal = config['stop_when'].get('metric')
  best = config['best_metric'] or goal or names[0]
  if best not in names:
    raise UserError(
      f'best_metric={best!r} is not among the metrics of this run: '
      f'{", ".join(names)}.'
    )
  return best


def eval_protocol(config: dict) -> scoring.EvalProtocol:
  """How a run's samples are scored while it trains.

  Raises:
    UserError: a protocol that does not exist.
  """
  if config['protocol']:
    usual = scoring.named_protocol(config['protocol'])
  else:
    usual = scoring.EvalProtocol(
      space=config['features'], num_samples=config['eval_samples']
    )
  return usual._replace(
    labels=config['eval_labels'],
    standing_stats=config['standing_stats'],
    options=metric_options.pairs(config['metric_options']),
  )


def open_checkpoints(
  workdir: pathlib.Path,
  config: dict,
  names: tuple[str, ...],
  *,
  fits: Callable = lambda record: True,
  **options,
) -> Checkpoints:
  """The checkpoints of a run that is scored by these metrics.

  Args:
    workdir: of the run.
    config: of the run.
    names: of its metrics.
    fits: record -> whether it was scored as the run is now, see
      scoring.fitting; only such scores make a checkpoint the best.
    **options: of Checkpoints.
  """
  metric = ranking_metric(config, names)
  mode = 'min' if measures.is_lower_better(metric) else 'max'
  folder = pathlib.Path(workdir) / 'checkpoints'
  later = files.read_json(pathlib.Path(workdir) / 'scores.json', list)
  rank = functools.partial(ranking.rank, metric=metric, fits=fits, later=later)
  return Checkpoints(folder, metric=metric, mode=mode, rank=rank, **options)


def open_run(
  workdir, *, which: str = 'latest', places: dict | None = None
) -> tuple:
  """A run that has been trained, or is being trained.

  Its data need not be there: setup.dataset tells what they are, and raises
  UserError when an example is read that cannot be found.

  Args:
    workdir: of the run; it is only read.
    which: 'latest', 'best', or a step.
    places: where its data are now, if they have moved: 'dir' or 'path', the
      options of that name of config.data.

  Returns:
    (config, setup, State [S, ...], step).

  Raises:
    UserError: there is no run, or no checkpoint yet.
  """
  workdir = paths.expand(workdir)
  config, setup = run_at(workdir, places or {}, only_read=True)
  is_step = which.isascii() and which.isdecimal()
  if which not in ('latest', 'best') and not is_step:
    raise UserError(f'--checkpoint={which!r}: latest, best, or a step.')
  wanted = int(which) if is_step else which
  with _to_be_read(workdir, config, setup) as checkpoints:
    if which == 'best' and checkpoints.steps():
      ranking.check_best(workdir, config, checkpoints)
    restored = checkpoints.restore(jax.eval_shape(setup.init), which=wanted)
  if restored is None:
    raise UserError(f'--workdir={workdir}: there is no checkpoint yet.')
  return config, setup, restored.state, restored.step


def best_step(workdir: pathlib.Path, *, flag: str) -> int:
  """The step of a run's best checkpoint, by its present protocol.

  Args:
    workdir: of the run, which has a checkpoint.
    flag: what an error begins with.

  Raises:
    UserError: there is no score of that protocol, or no run.
  """
  config, setup = run_at(workdir, {}, only_read=True)
  with _to_be_read(workdir, config, setup) as checkpoints:
    ranking.check_best(workdir, config, checkpoints, flag=flag)
    return checkpoints.best_step()


def run_at(
  workdir: pathlib.Path, places: dict, *, only_read: bool = False
) -> tuple[dict, setup_lib.Setup]:
  """(config, setup) of a run, see open_run and sources.as_read."""
  path = workdir / 'config.json'
  if not os.path.isfile(path):
    raise UserError(f'--workdir={workdir}: no run here (no config.json).')
  record.check_layout(workdir)
  config = keys.check_keys(read_config(path))
  validation.check_kinds(config)
  config['data'] = {**config['data'], **_known_places(config, places)}
  resolved = sources.as_read(config) if only_read else config
  return config, _open_setup(workdir, resolved)


def _to_be_read(workdir, config, setup):
  """The checkpoints of a run, ranked as it is scored now."""
  protocol = eval_protocol(config)
  # Only a score needs the weights of its net.
  names = scoring.metric_names(
    setup, tuple(config['metrics']), protocol=protocol, loadable=False
  )
  fits = scoring.fitting(setup, protocol)
  return open_checkpoints(workdir, config, names, fits=fits, read_only=True)


def _known_places(config, places):
  """Where a run's data are now, as options of its data set."""
  there = examples_lib.places_of(config['data'])
  for name in places:
    if name not in there:
      takes = ', '.join(f'--data.{one}' for one in there) or 'none'
      raise UserError(
        f'--data.{name}: does not say where the data of this run are now; what'
        f' does: {takes}.'
      )
  return places


def _open_setup(workdir, config):
  """The setup of a run; its data are not loaded if they are described."""
  known = description.read(workdir)
  if known is None:
    return setup_lib.build(config)
  dataset, has_splits = known
  later = examples_lib.described(dataset, config['data'], has_splits=has_splits)
  return setup_lib.build(config, opened=lambda _: later)


def read_config(path: pathlib.Path) -> dict:
  """The config that a run has written.

  Raises:
    UserError: it is not JSON any more.
  """
  try:
    config = json.loads(path.read_text('utf-8'))
  except (OSError, ValueError, RecursionError) as e:
    raise UserError(f'{path}: not a config ({e}).') from e
  if not isinstance(config, dict):
    raise UserError(f'{path}: not a config object.')
  return keys.ADDED | config


def read_records(path: pathlib.Path, flag: str = '') -> list[dict]:
  """The score records of a file, none if there is no such file yet.

  Args:
    path: of a scores.json.
    flag: what an error begins with.

  Raises:
    UserError: it holds something else.
  """
  try:
    document = json.loads(path.read_text('utf-8'))
  except FileNotFoundError:
    return []
  except (ValueError, OSError, RecursionError) as e:
    raise UserError(f'{flag}{path}: not score records ({e}).') from e
  is_list = isinstance(document, list)
  if not is_list or not all(map(records.is_record, document)):
    raise UserError(f'{flag}{path}: not a list of score records.')
  return document


def check_same_training(
  workdir: pathlib.Path, config: dict, *, fingerprint: str = ''
):
  """A workdir is resumed only by a config that trains the same.

  Args:
    workdir: of the run; there may be none yet.
    config: that is to go on.
    fingerprint: of its data; where it is that of the run, the data may lie
      elsewhere than they did.

  Raises:
    UserError: it holds a run of another config, and the message shows where
      the two differ; or a run of an earlier version; or it is damaged.
  """
  path = workdir / 'config.json'
  if os.path.exists(workdir / 'study.json'):
    raise UserError(f'--workdir={workdir}: it holds a study, not a run.')
  if not os.path.exists(path):
    return
  record.check_layout(workdir)
  read_records(workdir / 'scores.json')  # rather now than at the end of a run
  before = keys.flatten(read_config(path))
  now = keys.flatten(json.loads(json.dumps(config)))
  then = record.fingerprint_of(workdir)
  moved = fingerprint and fingerprint == then
  free = (*examples_lib.PLACES, *examples_lib.READING) if moved else ()
  idle = {f'data.{name}' for name in free}
  differences = [
    f'{key} {before.get(key, "absent")!r} -> {now.get(key, "absent")!r}'
    for key in sorted({*before, *now})
    if before.get(key) != now.get(key)
    and key not in idle
    and key.split('.')[0] in keys.that_decide(keys.TRAINING)
  ]
  if differences:
    if fingerprint and then and not moved:
      differences.append(f'data_fingerprint {then[:12]} -> {fingerprint[:12]}')
    raise UserError(
      f'--workdir={workdir} holds a run of another config: '
      f'{"; ".join(differences)}. Choose another workdir, or the same'
      f' config; elsewhere, --init_from={workdir} begins with its weights.'
    )


def check_out(out: pathlib.Path):
  """Checks that a file of this name can be written.

  Raises:
    UserError: there is no such folder, it is not writable, or something else
      has this name.
  """
  if not os.path.isdir(out.parent):
    raise UserError(f'--out={out}: there is no folder {out.parent}.')
  if os.path.exists(out) and not os.path.isfile(out):
    what = 'a directory' if os.path.isdir(out) else 'not a file'
    raise UserError(f'--out={out}: it is {what}.')
  if not os.access(out.parent, os.W_OK | os.X_OK):
    raise UserError(f'--out={out}: {out.parent} is not writable.')
  if len(os.fsencode(out.name)) > MAX_NAME:
    raise UserError(f'--out={out}: the name is too long.')


def make_workdir(workdir: pathlib.Path):
  """Makes a folder, and checks that it can be written.

  Raises:
    UserError: it is a file, or is not writable.
  """
  try:
    workdir.mkdir(parents=True, exist_ok=True)
  except OSError as e:
    raise UserError(f'--workdir={workdir}: {e.strerror}.') from e
  if not os.access(workdir, os.W_OK | os.X_OK):
    raise UserError(f'--workdir={workdir}: not writable.')
