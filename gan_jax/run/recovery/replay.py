"""Repeats the step at which a run diverged, and shows all that it computes.

python -m gan_jax.train --workdir=DIR --replay [--data.dir=DIR]
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax.devices import parallel
from gan_jax.run import command, determinism, examples, initial, loop
from gan_jax.run import setup as setup_lib
from gan_jax.run.recovery import divergence, dumps, rollback
from gan_jax.run.workdir import contents, record
from gan_jax.storage import paths
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import State, UserError

SHOWN = 8  # weights in the table, at most


class Watched(NamedTuple):
  """An optimizer's state, and the gradient that it received."""

  state: tuple
  gradient: dict


def watch(tx: optax.GradientTransformation) -> optax.GradientTransformation:
  """The same optimizer, with the incoming gradient recorded in its state.

  Of several updates in one step, the first non-finite gradient is recorded, or
  else the last one.
  """

  def init(params):
    return Watched(tx.init(params), jax.tree.map(jnp.zeros_like, params))

  def update(grads, state, params=None):
    moves, inner = tx.update(grads, state.state, params)
    # Once a recorded gradient is not finite it stays: later ones are its
    # consequences.
    finite = jnp.stack(
      [jnp.isfinite(g).all() for g in jax.tree.leaves(state.gradient)]
    ).all()
    seen = jax.tree.map(
      lambda old, new: jnp.where(finite, new, old), state.gradient, grads
    )
    return moves, Watched(inner, seen)

  return optax.GradientTransformation(init, update)


class Moves(NamedTuple):
  """What the players do in one step: {name: array} of weights."""

  before: dict
  gradient: dict
  update: dict


def moves(
  setup: setup_lib.Setup, state: State, batch: dict, seed: int
) -> Moves:
  """Takes one step of one seed, in a separately compiled program.

  The program records gradients, so it is not the run's, and its results may
  differ from the run's in the last bits.

  Args:
    setup: with the keys that the run drew with.
    state: State [S, ...] before the step.
    batch: the seed's batch, with its index.
    seed: index of the seed.
  """
  one = jax.tree.map(lambda x: jnp.asarray(x[seed]), state)
  zeros = lambda p: Watched(p.opt, jax.tree.map(jnp.zeros_like, p.params))
  seen = one._replace(
    players={k: p._replace(opt=zeros(p)) for k, p in one.players.items()}
  )
  at = np.int32(state.step[seed])
  batch = batch | {'step': at}
  batch |= {'frozen': setup.frozen} if setup.frozen else {}
  step = jax.jit(setup.functions.make_step(None, watch=watch))
  after, _ = step(seen, batch, setup.keys[seed], setup.numbers)
  of_all = lambda state, pick: {
    name: np.asarray(leaf)
    for player, own in state.players.items()
    for name, leaf in dumps.leaves(pick(own), player).items()
  }
  before, left = (of_all(s, lambda p: p.params) for s in (one, after))
  with np.errstate(invalid='ignore', over='ignore'):
    update = {k: left[k] - before[k] for k in before}
  return Moves(before, of_all(after, lambda p: p.opt.gradient), update)


def replay(
  workdir,
  *,
  config: dict | None = None,
  places: dict | None = None,
  say: Callable = print,
):
  """Repeats the step of the newest dump of a run; writes nothing.

  Args:
    workdir: of the run.
    config: if given, it must train as the run's own does; its data may lie
      elsewhere.
    places: where the data are now, see contents.open_run.
    say: called with each line of the output.

  Returns:
    Whether the step diverges again.

  Raises:
    UserError: no run, no dump, the checkpoint to start from is gone, or the
      config differs.
  """
  workdir = paths.expand(workdir)
  path = workdir / 'config.json'
  if not path.is_file():
    raise UserError(f'--workdir={workdir}: no run here (no config.json).')
  record.check_layout(workdir)
  if config is not None:
    config = examples.with_places(config)
    # Whether they are the same is checked when they are read.
    same = record.fingerprint_of(workdir)
    contents.check_same_training(workdir, config, fingerprint=same)
    there = examples.places_of(config['data'])
    places = {k: config['data'][k] for k in there} | (places or {})
  config = contents.read_config(path)
  document, arrays = dumps.newest(workdir)
  if config['deterministic']:
    determinism.prepare()
  parallel.use_cores(config['num_seeds'])
  config, setup = contents.run_at(workdir, places or {})
  begun = initial.with_weights(setup, config['init_from'])
  setup = rollback.fresh(begun, document['rollbacks'])
  program = setup_lib.make_program(setup, wrapper=config['parallel'])
  start, state = _origin(workdir, begun, document['checkpoint'])
  seeds = tuple(seed - config['seed'] for seed in document['seeds'])
  walk = divergence.Walk(setup, program, state, start=start, every=0)
  bad = divergence.look(walk, setup, step=document['step'], seeds=seeds)
  say(
    f'step {bad.step}, seed {document["shown"]}, from step {start}, after'
    f' {document["rollbacks"]} rollbacks'
  )
  for line in (*_compared(document, arrays, bad), *_table(setup, bad)):
    say(line)
  return _verdict(bad, config['seed'], say)


def _origin(workdir, setup, checkpoint):
  """(step, state) that the replay starts from; setup: as the run began."""
  if checkpoint is None:
    return 0, setup.first()
  # A rollback keeps its checkpoint in the second; the first one is pruned.
  for folder in ('checkpoints', f'{dumps.FOLDER}/checkpoints'):
    with Checkpoints(workdir / folder, read_only=True) as there:
      if checkpoint in there.steps():
        like = jax.eval_shape(setup.init)
        return checkpoint, there.restore(like, which=checkpoint).state
  raise UserError(
    f'--workdir={workdir}: checkpoint {checkpoint}, where the replay would'
    ' start, is gone.'
  )


def _verdict(bad, first_seed, say):
  """Whether the seeds it ended were finite before the step and not after."""
  seeds = list(bad.seeds)
  before = np.asarray(loop.finite_seeds(bad.before))[seeds]
  after = loop.alive(bad.after, bad.metrics)[seeds]
  reproduced = bool(before.all() and not after.any())
  if reproduced:
    say(f'reproduced: diverged {dumps.describe(bad, first_seed)}')
  else:
    say(f'not reproduced: finite before {before}, finite after {after}')
  return reproduced


def _compared(document, arrays, bad):
  """Lines on whether the step's inputs match the dump bit for bit."""
  there = document['batch']
  here = {name: dumps.digest(value) for name, value in bad.batch.items()}
  differ = [name for name in here if here[name] != there.get(name)]
  yield f'batch: {_equal(differ, set(here) == set(there))}'
  here = dumps.norms(bad.before, bad.seeds[0])
  there = dict(zip(document['norms'], arrays.get('norms', ()), strict=False))
  differ = [name for name in here if here[name] != there.get(name)]
  yield f'norms before: {_equal(differ, len(here) == len(there))}'


def _equal(differ, complete):
  if not differ and complete:
    return 'as in the dump, bit for bit'
  names = ', '.join(differ[:SHOWN]) or 'the dump has others'
  return f'NOT as in the dump: {names}'


def _table(setup, bad):
  """Lines on what each player did, and on the weights with large gradients."""
  seed = bad.seeds[0]
  shown = {k: v for k, v in bad.metrics.items() if not k.startswith('health_')}
  yield '  '.join(f'{k} {v[seed]:.4g}' for k, v in shown.items())
  did = moves(setup, bad.before, bad.batch, seed)
  yield f'{"":40} {"norm":>10} {"gradient":>10} {"update":>10}'
  for player in bad.before.players:
    own = [k for k in did.before if k.startswith(f'{player}/')]
    yield _row(f'{player.upper()}, all weights', did, own)
  size = {k: dumps.norm(v) for k, v in did.gradient.items()}
  finite = lambda k: bool(np.isfinite(size[k]))
  # Non-finite gradients first (False sorts before True), then the largest.
  for k in sorted(size, key=lambda k: (finite(k), -size[k]))[:SHOWN]:
    yield _row(k, did, [k])
  first = [k for k in size if not np.isfinite(did.gradient[k]).all()]
  yield f'first non-finite gradient: {first[0] if first else "none"}'
  arrays = dumps.nonfinite(bad.after, seed)
  yield f'first non-finite array: {arrays[0] if arrays else "none"}'


def _row(title, did, names):
  """Norms of some weights, of their gradients and of their updates."""
  norms = [
    dumps.norm(np.array([dumps.norm(part[k]) for k in names])) for part in did
  ]
  return f'{title:40} ' + ' '.join(f'{norm:10.4g}' for norm in norms)


def main(argv: list[str]):
  """The command; exit code 1 if the divergence does not recur."""
  given = any(word.split('=')[0].lstrip('-') == 'config' for word in argv[1:])
  flags = command.parse(
    argv,
    help_lines=help_lines,
    workdir=None,
    data={},
    **({'config': None} if given else {}),
  )
  if '' in flags.data:
    raise UserError(
      '--data: the data of this run are replayed; --data.dir or --data.path'
      ' says where they are now.'
    )
  config = flags.config.to_dict() if given else None
  if not replay(flags.workdir, config=config, places=flags.data):
    raise SystemExit(1)


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.train --workdir=DIR --replay [--config=...]'
    ' [--data.dir=DIR, if its data have moved]',
    'repeats the step at which a run diverged; exit code 0 if it diverges'
    ' again, 1 if not',
  ]
