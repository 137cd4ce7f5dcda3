"""Scores a run anew: other metrics, another protocol, another checkpoint."""

import functools
import os
import pathlib

import numpy as np

from gan_jax.metrics import records
from gan_jax.report import console, lines, page
from gan_jax.run import (
  labels,
  neighbours,
  rebuilt,
  score_failures,
  score_trial,
  scoring,
)
from gan_jax.run.recovery import rollback
from gan_jax.run.samplers import drawing, settling
from gan_jax.run.workdir import averages, contents
from gan_jax.storage import files, paths
from gan_jax.types import UserError


def evaluate(
  workdir,
  *,
  metrics: tuple[str, ...] = (),
  which: str = 'latest',
  places: dict | None = None,
  progress=None,
  **given,
) -> list[dict]:
  """Scores a run's moving average of G and keeps the records.

  Args:
    workdir: of the run, finished or still training.
    metrics: their names; () for those of the run.
    which: checkpoint: 'latest', 'best', or a step.
    places: where its data are now, see contents.open_run.
    progress: console.Counter that shows the progress, or None.
    **given: fields of scoring.EvalProtocol but `name`, in place of the run's
      own; or `protocol`, the name of one.

  Returns:
    the records, one for each metric and seed, without a value but with a
    reason where these samples have no such score; scores.json keeps them beside
    those of other protocols, and report.html shows them.

  Raises:
    UserError: no run, no checkpoint, no score at all, a damaged scores.json.
  """
  opened = contents.open_run(workdir, which=which, places=places)
  config, setup, state, step = opened
  labels.check_classes(given.get('labels', ''), setup)
  workdir = paths.expand(workdir)
  path = workdir / 'scores.json'
  contents.read_records(path)  # a damaged file must stop us before the work
  if way := given.get('way'):
    given['way'] = settling.settled(way, setup)
  protocol = chosen_protocol(contents.eval_protocol(config), given)
  progress = progress or console.Counter('samples', main=False)
  names = metrics or _possible(setup, config['metrics'], protocol, progress.say)
  names = scoring.metric_names(setup, names, protocol=protocol)
  _check_numbers(setup, names, protocol)
  refusals = score_failures.Refusals()
  look = scoring.make_look(
    setup,
    names,
    protocol=protocol,
    say=progress.say,
    tick=progress.tick,
    rollbacks=rollback.count(workdir, step),
    refused=refusals.note,
  )
  seeds = config['seed'] + np.arange(config['num_seeds'])
  variables = _variables(workdir, opened, protocol.way)
  draws = look(step, variables, setup.keys, seeds)
  made = scoring.gather([(seed, compute()) for seed, compute in draws])
  progress.close()
  refusals.check(made)
  _keep(path, made, progress.say, setup=setup, config=config, state=state)
  return made


def _variables(workdir, opened, way):
  """What samples are made of, by the average that the way asks for."""
  config, setup, state, step = opened
  of = workdir, config, setup, step, state
  return drawing.variables(averages.taken(*of, way.ema)[0], way)


def _keep(path, made, say, **run):
  """Adds the records to a run's scores and page; if not, they are told."""
  workdir = path.parent
  if not os.access(workdir, os.W_OK):
    say(f'{workdir} is not writable: its files stay as they are')
    return
  _neighbours(workdir, say, **run)
  try:
    append(path, made)
    page.write_page(workdir)
  except Exception:
    for line in lines.summary(made):
      say(line)
    raise


def _neighbours(workdir, say, *, setup, config, state):
  try:
    neighbours.save(setup, config, state, workdir, say=say)
  # Published statistics need no data, a picture does; and the scores are there.
  except Exception as e:
    say(f'no picture of neighbours: {e}')
  try:
    rebuilt.save(setup, state, workdir)
  except Exception as e:
    say(f'no picture of what is rebuilt: {e}')


def _possible(setup, names, protocol, say):
  """Those of the run's own metrics that this protocol allows."""
  check = functools.partial(scoring.metric_names, setup, protocol=protocol)
  refused = _refused(names, check)
  for error in refused.values():
    say(f'no score: {error}')
  return tuple(name for name in names if name not in refused)


def _check_numbers(setup, names, protocol):
  """Refuses numbers of samples that none of the metrics can do with."""
  check = functools.partial(score_trial.check_numbers, setup)
  _refused(names, functools.partial(check, protocol=protocol, flag='--num'))


def _refused(names, check):
  """{metric: error} of those that check((metric,)) refuses; not of all."""
  refused = {}
  for name in names:
    try:
      check((name,))
    except UserError as error:
      refused[name] = error
  if refused and refused.keys() >= set(names):
    raise refused[names[0]]
  return refused


def chosen_protocol(usual, given):
  """The usual EvalProtocol with what is given in place of its own fields.

  Args:
    usual: scoring.EvalProtocol.
    given: fields of it, or the name of a `protocol`; '' and 0 do not count.

  Raises:
    UserError: there is no such protocol.
  """
  given = {k: v for k, v in given.items() if v}
  if 'protocol' in given:
    named = scoring.named_protocol(given.pop('protocol'))
    kept = {
      k: getattr(usual, k)
      for k in ('labels', 'options', 'standing_stats', 'way')
    }
    return named._replace(**kept | given)
  # Any other field makes it a protocol without a name, except how often to
  # draw, of which classes, what metrics are told, where the weights are, what
  # batch norms use, in which way.
  kept = {'draws', 'weights', 'labels', 'options', 'standing_stats', 'way'}
  reset = {'name': ''} if set(given) - kept else {}
  reset |= {'resize': ''} if 'space' in given else {}  # was for the other net
  return usual._replace(**{**reset, **given})


def append(path: pathlib.Path, made: list[dict]):
  """Adds records to a scores.json, in place of those of the same protocol."""
  files.write_json(path, records.join(contents.read_records(path), made))
