"""Whether the networks of a conditional game look at the label at all."""

from collections.abc import Callable
from typing import Any

import jax

from gan_jax.game import forward, step
from gan_jax.game import keys as keys_lib
from gan_jax.types import D, G, UserError

OF_G = 'label of G'  # in a batch whose two labels are told apart


def check(make_rules: Callable, state, batch: dict, key, numbers):
  """Refuses a conditional game whose G or D would learn nothing of labels.

  D learns of them by its logits, or by a term of any player (an auxiliary
  classifier); a conditioning may say that it means to tell D nothing.

  Args:
    make_rules: see programs.Functions.
    state: shapes of one seed's state.
    batch: of one move, its shapes.
    key: shape of one.
    numbers: the floats of the game's options.

  Raises:
    UserError: which network ignores the label.
  """

  def run(labels, rest, state, key, numbers):
    rules = make_rules(numbers)
    game = rules.game
    batch = {**rest, 'label': labels[D], OF_G: labels[G]}
    seen, _ = forward.forward(_told_apart(game), state, batch, key)
    terms = [
      term.value(seen, state.memo[step.memo_name(player, name)], key=keys)[0]
      for keys in [keys_lib.fold_examples(key, batch['index'])]
      for player, own in game.terms.items()
      for name, term in own.items()
    ]
    logits = seen.on_real['logits'], seen.on_fake['logits']
    # A D that means to ignore the label is asked for nothing.
    excused = () if rules.conditioning.sees_label else labels[D]
    return seen.fake, (logits, terms, excused)

  rest = {k: v for k, v in batch.items() if k != 'label'}
  labels = dict.fromkeys((D, G), batch['label'])
  closed, shapes = jax.make_jaxpr(run, return_shape=True)(
    labels, rest, state, key, numbers
  )
  jaxpr = closed.jaxpr
  where = dict(zip(sorted(labels), jaxpr.invars[:2], strict=True))
  made = len(jax.tree.leaves(shapes[0]))
  for player, outputs in ((G, jaxpr.outvars[:made]), (D, jaxpr.outvars[made:])):
    if not set(map(id, outputs)) & _reached(jaxpr, where[player]):
      raise UserError(
        f'conditional=True, but {_NAMES[player]} ignores the label: whatever'
        ' the class, its output is the same.'
      )


_NAMES = {G: 'the generator', D: 'the discriminator'}


def _told_apart(game):
  def play(run, net, batch, latent):
    return game.play(run, net, {**batch, 'label': batch[OF_G]}, latent)

  return game._replace(play=play)


def _reached(jaxpr: Any, start: Any) -> set:
  """Ids of the variables that may depend on one; too many rather than few."""
  reached = {id(start)}
  for eqn in jaxpr.eqns:
    given = [id(v) in reached for v in eqn.invars]
    if not any(given):
      continue
    inner = eqn.params.get('jaxpr') if eqn.primitive.name in CALLS else None
    if inner is None:
      reached |= set(map(id, eqn.outvars))
      continue
    inner = getattr(inner, 'jaxpr', inner)
    for is_given, own in zip(given, inner.invars, strict=True):
      if is_given:
        after = _reached(inner, own)
        outs = zip(inner.outvars, eqn.outvars, strict=True)
        reached |= {id(outer) for of, outer in outs if id(of) in after}
  return reached


CALLS = ('pjit', 'jit')
