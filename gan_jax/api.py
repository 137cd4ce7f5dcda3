"""gan_jax from Python: what the commands do, as functions. Quiet unless asked.

>>> import gan_jax
>>> config = gan_jax.recipes.load('digits:tiny', conditional=True)
>>> config.features, config.metrics = 'pixels', ('fid',)
>>> gan = gan_jax.train(config, workdir)
>>> gan
Trained(digits dcgan, step 8)
>>> gan.sample(4, seed=1, label='7').shape
(4, 8, 8, 1)
>>> [record['metric'] for record in gan.scores]
['fid']

The run is an ordinary one: the same call resumes it, `python -m
gan_jax.evaluate` scores it. It is opened again by

>>> gan = gan_jax.load(workdir)
>>> z = gan.latents(2)
>>> gan.generate(z, label=[3, 8]).shape
(2, 8, 8, 1)
>>> gan.discriminate(gan.sample(5, label=0), label=0).shape
(5,)
>>> scores = gan_jax.evaluate(workdir, metrics=('precision',))
>>> [(record['metric'], record['features']) for record in scores]
[('precision', 'pixels')]
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from gan_jax.components import options
from gan_jax.metrics import metric_options
from gan_jax.report import board as board_lib
from gan_jax.report import console
from gan_jax.run import evaluation, training
from gan_jax.run import spectrum as spectrum_lib
from gan_jax.run.samplers import ways
from gan_jax.run.trained import Trained
from gan_jax.run.workdir import contents
from gan_jax.storage import paths
from gan_jax.study.report.contents import ReportContents
from gan_jax.types import MAX_SIZE


def train(
  config: dict | ConfigDict,
  workdir: str | os.PathLike,
  *,
  init_from: str | os.PathLike = '',
  verbose: bool = False,
) -> Trained:
  """Trains a run to its end, from where it stopped.

  Args:
    config: from recipes.load, or of one's own; keys that it lacks have their
      usual values.
    workdir: folder of the run; made, or resumed if it holds one.
    init_from: another run whose weights it begins with, 'DIR[@STEP][:g,d,ema]';
      a run that goes on keeps what it began with.
    verbose: print what `python -m gan_jax.train` prints.

  Returns:
    the trained networks, with the run's scores.

  Raises:
    gan_jax.UserError: a mistake in the config, or a workdir that holds another
      run; nothing has been written then.
    gan_jax.Diverged: no seed is finite any more, and no rollbacks are left.
    gan_jax.run.score_failures.Failed: all is trained and saved, but computing
      a score failed unexpectedly.
  """
  quiet = None if verbose else console.Progress(0, main=False)
  begin = {'init_from': init_from} if init_from else {}
  training.train(config, paths.given(workdir), progress=quiet, **begin)
  return Trained(workdir)


def load(
  workdir: str | os.PathLike,
  *,
  checkpoint: str | int = 'latest',
  ema: float | None = None,
) -> Trained:
  """Opens a run that has been trained, or is being trained; see Trained.

  Args:
    workdir: of the run; its data need not be there.
    checkpoint: 'latest', 'best', or a step.
    ema: width of G's moving average in place of the run's, a share of the time
      of training: made of those that a run with ema.name=power has kept.

  Raises:
    gan_jax.UserError: there is no run, or no such checkpoint or average.
  """
  return Trained(workdir, checkpoint=checkpoint, ema=ema)


def sample(
  workdir: str | os.PathLike,
  n: int,
  *,
  checkpoint: str | int = 'latest',
  ema: float | None = None,
  **how: Any,
) -> np.ndarray:
  """Samples of a run; `load` keeps it open for more of them.

  Args:
    workdir: of the run.
    n: number of samples, at least 1.
    checkpoint: 'latest', 'best', or a step.
    ema: width of G's average, see `load`.
    **how: options of Trained.sample: seed=, label=, run_seed=, truncation=,
      rejection=, ...

  Returns:
    [n, *shape], float32 in model range.

  Raises:
    gan_jax.UserError: there is no run, or it cannot be sampled so.
  """
  return load(workdir, checkpoint=checkpoint, ema=ema).sample(n, **how)


def evaluate(
  workdir: str | os.PathLike,
  *,
  metrics: str | Sequence[str] | Mapping[str, dict] = (),
  features: str = '',
  protocol: str = '',
  num_samples: int = 0,
  draws: int = 1,
  checkpoint: str | int = 'latest',
  verbose: bool = False,
  **way: Any,
) -> list[dict]:
  """Scores a run; its scores.json keeps the records.

  Args:
    workdir: of the run.
    metrics: their names, as ('fid', 'prdc') or 'fid,prdc', or with options, as
      {'fid': {}, 'prdc': {'k': 3}}; () for those of the run.
    features: 'classifier', 'inception', ...; '' for the run's.
    protocol: name of a published one, in place of `features`.
    num_samples: of each seed; 0 for as many as the run draws.
    draws: how often to draw them, for the interval.
    checkpoint: 'latest', 'best', or a step.
    verbose: show the progress.
    **way: how samples are drawn, as in Trained.sample: truncation=, rejection=,
      ..., and ema= as in `load`; another protocol.

  Returns:
    a record for each metric and seed: 'metric', 'value', 'interval', and the
    protocol that it was measured under; 'value' is None, and 'reason' says why,
    where these samples have no such score.

  Raises:
    gan_jax.UserError: no run, or a metric that is not possible.
  """
  workdir, (names, own) = paths.given(workdir), _asked(metrics)
  number = options.whole_number
  num_samples = number('num_samples', num_samples, least=0, most=MAX_SIZE - 1)
  draws = number('draws', draws, least=1, most=MAX_SIZE)
  with console.Counter('samples', main=verbose) as progress:
    return evaluation.evaluate(
      workdir,
      metrics=names,
      which=str(checkpoint),
      progress=progress,
      space=features,
      protocol=protocol,
      num_samples=num_samples,
      draws=draws,
      options=own,
      way=ways.unsettled(way),
    )


def _asked(metrics):
  """(names of metrics, their options as a protocol holds them)."""
  if isinstance(metrics, str):
    metrics = [name.strip() for name in metrics.split(',') if name.strip()]
  given = metrics if isinstance(metrics, Mapping) else {}
  names = tuple(metrics) if np.iterable(metrics) else (metrics,)
  for name in names:
    options.check_kind('metrics', name, str)
  return names, metric_options.pairs({k: v for k, v in given.items() if v})


def spectrum(
  workdir: str | os.PathLike,
  *,
  checkpoint: str | int = 'latest',
  count: int = 6,
  num: int = 0,
) -> list[dict]:
  """Leading eigenvalues of the game's Jacobians, of each seed of a run.

  Args:
    workdir: of the run.
    checkpoint: 'latest', 'best', or a step.
    count: eigenvalues of each Jacobian.
    num: examples in the fixed batch; 0 for as many as in training.

  Returns:
    a dict for each seed: 'step', 'seed', and of the 'flow' and of the 'steps'
    {'verdict', 'eigenvalues': [[real, imaginary], ...], ...}.

  Raises:
    gan_jax.UserError: no run, or its data are not there.
  """
  number = options.whole_number
  count = number('count', count, least=1, most=MAX_SIZE)
  num = number('num', num, least=0, most=MAX_SIZE)
  opened = contents.open_run(paths.given(workdir), which=str(checkpoint))
  config, setup, state, step = opened
  made = []
  for k in range(config['num_seeds']):
    both = spectrum_lib.spectra(setup, state, run_seed=k, count=count, num=num)
    made.append(spectrum_lib.as_json(*both, step=step, seed=config['seed'] + k))
  return made


def ablate(
  study: str | os.PathLike,
  workdir: str | os.PathLike,
  *,
  engine: str = 'local',
  workers: int = 0,
  verbose: bool = False,
) -> ReportContents:
  """Runs what is missing of a study and writes its report.

  Args:
    study: path of a study file.
    workdir: folder of the study, new or to be continued.
    engine: how runs are started: local, processes, slurm, ray.
    workers: runs at once; 0: the engine chooses.
    verbose: print what `python -m gan_jax.ablate` prints.

  Returns:
    what the report shows: its verdicts are .analyses[.metric].comparisons.

  Raises:
    gan_jax.UserError: a mistake in the study; nothing has been run.
    gan_jax.study.ablation.Failed: some runs failed, the others are done.
  """
  # What runs studies takes long to import, and no other function needs it.
  from gan_jax.study import ablation

  study, workdir = paths.given(study), paths.given(workdir)
  workers = options.whole_number('workers', workers, least=0, most=MAX_SIZE)
  run = lambda board: ablation.ablate(
    study, workdir, engine=engine, workers=workers, board=board
  )
  if verbose:
    return run(board_lib.Board())
  with open(os.devnull, 'w') as nowhere:
    return run(board_lib.Board(stream=nowhere))
