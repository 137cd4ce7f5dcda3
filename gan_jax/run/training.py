"""Trains a GAN, shows it, scores it; the same command goes on with it.

python -m gan_jax.train --config=configs/digits.py --workdir=runs/digits
"""

import contextlib
import functools
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from gan_jax.devices import multihost, parallel
from gan_jax.report import page
from gan_jax.run import (
  compile_cache,
  determinism,
  examples,
  goals,
  initial,
  loop,
  score_trial,
  scoring,
  signals,
)
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import recipe
from gan_jax.run.hooks import Begun, Hooks
from gan_jax.run.null_hooks import NullHooks
from gan_jax.run.recovery import rollback
from gan_jax.run.workdir import claims, contents, description, lock, ranking
from gan_jax.run.workdir import record as record_lib
from gan_jax.storage import paths
from gan_jax.storage.checkpoints import Checkpoints


def train(
  config: dict | ConfigDict,
  workdir,
  *,
  progress=None,
  accept_source: bool = False,
  init_from='',
) -> list[dict]:
  """Trains until config.steps or config.stop_when, from where it stopped.

  Args:
    config: keys of run.config.keys.TABLE; others have their usual values.
    workdir: folder of the run; made, or resumed if it holds one.
    progress: shows how far the run is; a line on the console by default.
    accept_source: go on although components of one's own have changed.
    init_from: in place of the config's, if it is given.

  Returns:
    the last score records.

  Raises:
    UserError: a mistake in the config, or a workdir of another or a longer run;
      nothing is written then.
    loop.Diverged: no seed is finite any more, and no rollbacks are left.
    signals.Stopped: by a signal, after one more checkpoint.
  """
  workdir, config = paths.expand(workdir), _whole(config, init_from)
  prepare(config)
  config = multihost.on_process_0(lambda: initial.as_begun(config, workdir))
  # Everything is checked before anything is written.
  setup, names = _resolve(config)
  program = setup_lib.make_program(setup, wrapper=config['parallel'])
  setup = initial.with_weights(setup, config['init_from'])
  origin, line = multihost.on_process_0(lambda: initial.origin(setup, workdir))
  record = record_lib.of_run(config, setup, program) | origin
  accept = {'accept_source': accept_source}
  claim = functools.partial(claims.claim, workdir, config, record, **accept)
  multihost.on_process_0(lambda: claims.check_used(workdir, config, setup))
  multihost.on_process_0(claim)
  say = progress.say if progress else print
  multihost.on_process_0(lambda: _rehearse(workdir, config, setup, names, say))
  with (
    claims.nothing_half_made(workdir),
    signals.catch_signals() as stop_signal,
    lock.hold(workdir, stop_signal=stop_signal, say=say) as lease,
    signals.nothing_to_save(lease.give_back) as got_on,
    _checkpoints(workdir, config, names, setup, lease) as checkpoints,
  ):
    # Once more: another process may have trained here before the lock was held.
    changes = multihost.on_process_0(claim)
    stop_signal = multihost.agreed(stop_signal)
    begun = _begin(setup, config, names, checkpoints)
    claims.check_steps(workdir, config, begun.step)
    if multihost.is_first():
      description.write(workdir, setup)
      record_lib.write(workdir, record, config, step=begun.step, **accept)
      rollback.note(workdir, begun.rollbacks)
    run = _Run(setup, config, names, workdir, checkpoints, lease, stop_signal,
               got_on, progress, say)  # fmt: skip
    return _train_all(run, begun, program, _news(run, begun, changes, line))


def _whole(config, init_from):
  """All keys as plain values, with the places of data as they are kept."""
  begin = {'init_from': str(paths.expand(init_from))} if init_from else {}
  return examples.with_places(recipe.complete(config).to_dict() | begin)


def prepare(config):
  """What has to be set before JAX starts."""
  compile_cache.use()
  if config.get('deterministic'):
    determinism.prepare()
  parallel.use_cores(config.get('num_seeds', 1))


def _resolve(config):
  """(setup, names of the metrics), all keys of the config checked."""
  setup = setup_lib.build(config)
  protocol = contents.eval_protocol(config)
  names = scoring.metric_names(setup, config['metrics'], protocol=protocol)
  goals.check(config['stop_when'], names)
  contents.ranking_metric(config, names)
  score_trial.check_numbers(
    setup, names, protocol=protocol, flag=_numbers_flag(config)
  )
  return setup, names


class _Run(NamedTuple):
  """What stays the same throughout a run."""

  setup: setup_lib.Setup
  config: dict
  names: tuple[str, ...]
  workdir: pathlib.Path
  checkpoints: Checkpoints | None  # in the process that owns them
  lease: Any  # of the workdir, see lock
  stop_signal: Callable
  got_on: Callable  # see signals.nothing_to_save
  progress: Any  # shows how far the run is, or None
  say: Callable  # prints a line where there are no hooks


def _news(run, begun, changes, first):
  """The line about a run that goes on, and about what differs from before."""
  if not begun.step:
    return claims.with_clashes(first, run.setup)
  but = f', but not as before: {"; ".join(changes)}' if changes else ''
  return f'resumed {run.workdir} at step {begun.step}{but}'


def _train_all(run, begun, program, news):
  """Trains to the end, again after each rollback; returns the last scores."""
  config = run.config
  rolls_back = config['on_divergence'] == 'rollback'
  policy = rollback.Policy(
    config['max_rollbacks'] if rolls_back else 0,
    config['report_every'],
    config['seed'],
  )
  while True:
    setup = rollback.fresh(run.setup, len(begun.rollbacks))
    if begun.rollbacks:
      program = setup_lib.make_program(setup, wrapper=config['parallel'])
    data = setup_lib.make_data(setup, program, step=begun.step)
    try:
      return _train_part(run, begun, program, data, news)
    except loop.Diverged as e:
      seen = e.with_traceback(None)  # which holds the state and the data
    del data
    begun = _go_back(run, begun, seen, setup, program, policy)
    news = rollback.summary(begun, policy)


def _go_back(run, begun, seen, setup, program, policy):
  """Where the run goes on; if it does not, its page shows that."""
  run.lease.confirm()
  if multihost.is_first():
    run.say(f'diverged {seen}; looking for the step')
  last = _begin(run.setup, run.config, run.names, run.checkpoints)
  try:
    return rollback.go_back(
      seen,
      begun,
      last,
      setup=setup,
      program=program,
      workdir=run.workdir,
      policy=policy,
    )
  except loop.Diverged:
    if multihost.is_first():
      with contextlib.suppress(Exception):  # the run has a graver fault
        page.write_page(run.workdir)
    raise


def _train_part(run, begun, program, data, news):
  """Trains until the end, or until it diverges."""
  config = run.config
  with _hooks(
    run.setup,
    config,
    run.names,
    run.workdir,
    run.checkpoints,
    begun=Begun(begun.step, begun.records, begun.rollbacks),
    progress=run.progress,
  ) as hooks:
    if news:
      hooks.say(news)
    if not begun.step:
      hooks.first_pictures(begun.state.value)
    last = goals.last_step(begun.step, begun.records, config)
    if begun.step < last:
      hooks.compiles()
    ours = functools.partial(_if_ours, run.lease)
    outcome = loop.run(
      program,
      loop.StartPoint(begun.state, begun.step, begun.window, begun.owed),
      data,
      steps=last,
      cadence=loop.Cadence(
        config['report_every'], config['eval_every'], config['save_every']
      ),
      calls=loop.Calls(
        ours(hooks.report),
        _agreed_goal(ours(hooks.score), config),
        ours(hooks.save),
        _tick(run, hooks.tick),
      ),
      stop_signal=run.stop_signal,
    )
    return ours(hooks.finish)(outcome, run.stop_signal)


def _numbers_flag(config):
  """What says how many samples are drawn."""
  name = config['protocol']
  return f'protocol={name}: eval_samples' if name else 'eval_samples'


def _rehearse(workdir, config, setup, names, say):
  """Tries the scores."""
  protocol = contents.eval_protocol(config)
  with claims.nothing_half_made(workdir):
    score_trial.run(setup, names, protocol=protocol, say=say)


def _checkpoints(workdir, config, names, setup, lease):
  """The checkpoints, in the process that owns them."""
  if not multihost.is_first():
    return contextlib.nullcontext()
  return contents.open_checkpoints(
    workdir,
    config,
    names,
    fits=scoring.fitting(setup, contents.eval_protocol(config)),
    confirm=lease.confirm,
  )


def _begin(setup, config, names, checkpoints):
  """Where the run starts or continues, without scores of other protocols."""
  fits = scoring.fitting(setup, contents.eval_protocol(config))
  still_valid = functools.partial(ranking.still_valid, names=names, fits=fits)
  return rollback.begin(setup, checkpoints, still_valid)


def _if_ours(lease, function):
  """The function, called only while the workdir is still this process's."""

  def call(*args):
    lease.confirm()
    return function(*args)

  return call


def _tick(run, tick):
  """Also notes the step in the lease, and that there is something to save."""

  def call(step):
    run.got_on()
    run.lease.tell(step=step, steps=run.config['steps'])
    tick(step)

  return call


def _hooks(*args, **kwargs):
  """What the loop calls; only in process 0 does it write anything."""
  return Hooks(*args, **kwargs) if multihost.is_first() else NullHooks()


def _agreed_goal(score, config):
  """A score function whose result, whether to stop, is that of process 0."""
  if not config['stop_when']:
    return score
  return lambda step, state: multihost.share(score(step, state))
