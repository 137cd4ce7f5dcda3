"""Every component is traced as a step will call it, before the training.

What is wrong with one of them is then a line that names it. Nothing is
computed: only shapes are followed.
"""

import contextlib
import functools
import traceback
from typing import Any

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.components import modules
from gan_jax.components.modules import in_words
from gan_jax.components.options import shape_of
from gan_jax.game import forward, rules, step
from gan_jax.game import keys as keys_lib
from gan_jax.run import label_use
from gan_jax.run.programs import Functions, Structure
from gan_jax.types import D, G, UserError

# Groups of a config with a component each, and their rooms.
ROOMS = {
  'loss': 'losses',
  'conditioning': 'conditioning',
  'augment': 'augment',
  'dynamics': 'dynamics',
  'model': 'models',
}


def check(structure: Structure, functions: Functions, state: Any, numbers: Any):
  """Refuses components that a step could not call.

  Args:
    structure: of the game.
    functions: of this structure.
    state: shapes of one seed's state.
    numbers: the floats of the game's options.

  Raises:
    UserError: which component, and why.
  """
  if structure in _checked:
    return
  given, options = structure.given, structure.options
  size = max(given.batch_size // options['microbatches'], 1)
  batch = jax.eval_shape(lambda: structure.zeros(size))
  batch |= {'frozen': rules.frozen(options)}
  key = jax.eval_shape(lambda: jax.random.key(0))
  with blamed(options):
    pass_ = functools.partial(_pass, functions.make_rules, size)
    jax.eval_shape(pass_, state, batch, key, numbers)
    if modules.is_outside(options['dynamics'].get('name', '')):
      whole = functools.partial(_step, functions, structure.batches)
      jax.eval_shape(whole, state, batch, key, numbers)
    if given.num_classes:
      label_use.check(functions.make_rules, state, batch, key, numbers)
  _checked[structure] = None
  while len(_checked) > KEPT:
    del _checked[next(iter(_checked))]


KEPT = 64
_checked: dict[Structure, None] = {}  # structures that are fine


def _pass(make_rules, size, state, batch, key, numbers):
  """A forward pass, and what every component makes of it."""
  made = make_rules(numbers)
  game = made.game
  augment = forward.augment_at(game, batch['step'])
  moves = {
    name: functools.partial(_kept, name, move)
    for name, move in game.moves.items()
  }
  game = game._replace(augment=_watched(augment), moves=moves)
  seen, _ = forward.forward(game, state, batch, key)
  if hasattr(seen.fake, 'shape') and len(seen.fake) != size:
    raise UserError(
      f'model.{G}: of {size} latents it makes {shape_of(seen.fake, size)};'
      ' expected [B, ...], a sample of each.'
    )
  for where, heads in (('real', seen.on_real), ('fake', seen.on_fake)):
    logits = heads['logits']
    if logits.ndim != 1:
      raise UserError(
        f'model.{D}: logits of {where} samples are {shape_of(logits, size)};'
        ' expected [B], a number per sample.'
      )
  keys = keys_lib.fold_examples(key, batch['index'])
  for player, terms in game.terms.items():
    for name, term in terms.items():
      memo = state.memo[step.memo_name(player, name)]
      _check_term(
        player, name, term.value(seen, memo, key=keys), memo, size, seen
      )
  for project in game.project.get(D, ()):
    params = state.players[D].params
    _check_alike('penalties', 'project', project(params), params)
  if forward.AUGMENT in state.memo:
    memo = state.memo[forward.AUGMENT]
    after = augment.update(memo, seen.on_real['logits'])
    _check_alike('augment', 'update', after, memo)


def _watched(augment):
  """The augmentation, which has to keep a sample's shape."""

  def apply(x, memo, *, key):
    shown = augment.apply(x, memo, key=key)
    _check_alike('augment', 'apply', shown, x)
    return shown

  def replace(real, fake, memo, *, key):
    shown = augment.replace(real, fake, memo, key=key)
    _check_alike('augment', 'replace', shown, real)
    return shown

  return augment._replace(apply=apply, replace=replace, at=None)


def _kept(name, move, latent, *args, **kw):
  """A move of latents, which has to keep their shape."""
  moved = move(latent, *args, **kw)
  _check_alike(f'penalties.{name}', 'move_latent', moved, latent)
  return moved


def _check_term(player, name, made, memo, size, seen):
  flag = 'penalties.' + name
  if name in ('loss', 'conditioning'):
    flag = name
  if not (isinstance(made, tuple) and len(made) == 2):
    raise UserError(f'{flag}: expected (a value per example [B], memo).')
  value, after = made
  sizes = size, len(seen.on_real['logits'])  # of packs of samples, fewer
  if jnp.ndim(value) != 1 or len(value) not in sizes:
    raise UserError(
      f'{flag}: the term of player {player} is {shape_of(value, size)};'
      ' expected [B], a value per example.'
    )
  _check_alike(flag, 'memo', after, memo)


def _check_alike(flag, what, made, before):
  shapes = lambda tree: jax.tree.map(lambda x: (jnp.shape(x), _dtype(x)), tree)
  made, before = shapes(made), shapes(before)
  if made != before:
    raise UserError(
      f'{flag}: {what} gives {_short(made)}; expected {_short(before)}, as'
      ' it was before.'
    )


def _dtype(x):
  return str(jnp.result_type(x))


def _short(tree):
  leaves = jax.tree.leaves(tree, is_leaf=lambda x: isinstance(x, tuple))
  return f'{tree}' if len(leaves) < 4 else f'{len(leaves)} arrays'


def _step(functions, batches, state, batch, key, numbers):
  """The whole step."""
  many = {
    k: v if k in step.SHARED else jnp.stack([v] * batches)
    for k, v in batch.items()
  }
  return functions.make_step(None)(state, many, key, numbers)


# ------------------------------------------------------------ whose fault it is


@contextlib.contextmanager
def blamed(options: dict):
  """Makes an error within a component the line that names it.

  Args:
    options: of the game.

  Raises:
    UserError: for whatever goes wrong.
  """
  try:
    yield
  except UserError:
    raise
  except Exception as e:
    raise UserError(_line(e, options)) from e


def _line(error, options):
  files = _files(options)
  frames = traceback.extract_tb(error.__traceback__)[::-1]
  mine = [f for f in frames if f.filename in files]
  flag = files[mine[0].filename] if mine else 'model'
  at = f' ({mine[0].filename}, line {mine[0].lineno})' if mine else ''
  line = f'{flag}: {in_words(error, typed=True)}{at}'
  if 'needs PRNG' in line:
    line += '; networks draw no random numbers, as of dropout'
  if 'single key' in line:
    line += '; key holds one key per example, [B]'
  return line


def _files(options):
  """{file: how the config names the component in it}."""
  named = {
    f'{group}.name={options[group]["name"]}': (room, options[group]['name'])
    for group, room in ROOMS.items()
    if options[group].get('name')
  }
  for name in options['penalties']:
    named[f'penalties.{name}'] = 'penalties', name
  following, flag = options['augment'].get('then'), 'augment'
  while following:
    flag = f'{flag}.then'
    named[f'{flag}.name={following["name"]}'] = 'augment', following['name']
    following = following.get('then')
  return {
    select.module(*of, flag=flag).__file__: flag for flag, of in named.items()
  }
