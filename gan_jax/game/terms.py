"""Terms: the parts of which each player's loss is the sum.

A term looks at one forward pass of all networks, which it may do nothing to:

  term(forward, memo, *, key) -> ([B], memo)

The contracts of losses, penalties and conditionings become terms here, each by
an adapter of a few lines.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from gan_jax.game import packing
from gan_jax.types import D, G, Tree


class Forward(NamedTuple):
  """One pass of all networks in training mode: what a term may look at."""

  batch: dict  # 'x', 'label' if any, 'index' [B], 'step' [], 'frozen' if any
  latent: Tree  # [B, ...]: z, codes, noise
  real: Tree  # [B, ...]: what D is shown
  fake: Tree
  on_real: dict  # D's heads: {'logits': [B] float32, ...}
  on_fake: dict
  # (sample, label=, part=) -> heads; no example sees another one. `part` is the
  # index of the examples of the batch that these samples are of.
  critic: Callable
  net: Callable  # (player, *inputs, **kw) -> its output, in evaluation mode
  also: dict = {}  # what else the model's play gives: codes, what it rebuilt
  # () -> slopes of D's logits at real and fake, of one backward pass.
  slopes: Callable | None = None
  prior: Callable | None = None  # key -> latent of one example
  params: dict = {}  # {player: its parameters}
  augment: dict = {}  # {metric: []}: what the augmentation's memo says


def samples_of(shown: Tree) -> jax.Array:
  """The samples among what D is shown: of pairs, the first ones."""
  return shown[0] if isinstance(shown, tuple) else shown


def with_samples(shown: Tree, samples: jax.Array) -> Tree:
  """What D is shown, with other samples [B, ...] in their place."""
  return (samples, *shown[1:]) if isinstance(shown, tuple) else samples


class Term(NamedTuple):
  """One part of one player's loss."""

  value: (
    Callable  # (Forward, memo, *, key: one for each example) -> ([B], memo)
  )
  init: Callable = tuple  # () -> memo
  every: int = 1  # steps; above 1 it is an update of its own, see step.move
  label: str = ''  # name of its mean among the metrics
  also: dict = {}  # {metric: Forward -> []} that is measured beside it


def loss_terms(loss, gather: Callable = lambda x: x) -> dict[str, Term]:
  """The adversarial loss: a term of each of the two players.

  Args:
    loss: .d_loss and .g_loss, both (real [B], fake [B]) -> [B].
    gather: makes the logits of the global batch of those of a device.
  """

  def term(function, f, memo, *, key):
    del key
    judged = (gather(judgements(each)) for each in (f.on_real, f.on_fake))
    return of_judgements(function, *judged), memo

  mean = lambda heads: heads['logits'].mean()
  measured = {
    'd_real': lambda f: mean(f.on_real),
    'd_fake': lambda f: mean(f.on_fake),
  }
  make = lambda function: functools.partial(term, function)
  return {
    D: Term(make(loss.d_loss), label='d_loss', also=measured),
    G: Term(make(loss.g_loss), label='g_loss'),
  }


def judgements(heads: dict) -> jax.Array:
  """What a loss is of: D's logits [B], or those of a sample's parts [B, P]."""
  return heads.get('parts', heads['logits'])


def of_judgements(function: Callable, real, fake) -> jax.Array:
  """A loss [B] of logits, or the mean over parts of that of each part.

  Each part is a game of its own, so that a loss which compares a logit with
  those of the batch compares it with the same part of other samples.

  Args:
    function: (real [B], fake [B]) -> [B].
    real: [B] or [B, P].
    fake: likewise.
  """
  if real.ndim == 1:
    return function(real, fake)
  return jax.vmap(function, in_axes=1, out_axes=1)(real, fake).mean(axis=1)


def penalty_term(penalty: Callable, **fields) -> Term:
  """A penalty on D's slope or values at samples.

  Of packs of samples it is that of each pack, whose key is its first sample's.

  Args:
    penalty: (critic, real, fake, memo, *, key) -> ([B], memo), where critic
      maps samples [B, ...] to logits [B] and key [B] is one per example.
    **fields: of Term.
  """

  def value(f: Forward, memo: Any, *, key: jax.Array, **now):
    size = len(f.on_real['logits'])
    pack = len(key) // size

    def critic(x, part=None):
      part = None if part is None else packing.members(part, pack, size)
      return f.critic(packing.unpacked(x, pack), part=part)['logits']

    shown = (packing.packed(x, pack) for x in (f.real, f.fake))
    return penalty(critic, *shown, memo, key=key[::pack], **now)

  return Term(value, **fields)


def slope_term(of_gradient: Callable, *, at: str, **fields) -> Term:
  """A penalty on D's slope, which others of the pass look at too.

  Args:
    of_gradient: slopes [B, ...] -> [B].
    at: 'real' or 'fake', where they are.
    **fields: of Term.
  """

  def value(f: Forward, memo: Any, *, key: jax.Array, **now):
    slope = f.slopes()[PLACES.index(at)]
    pack = len(key) // len(f.on_real['logits'])
    return of_gradient(packing.packed(slope, pack), **now), memo

  return Term(value, **fields)


PLACES = ('real', 'fake')  # of Forward.slopes


def scheduled(term: Term, rates: dict[str, Callable]) -> Term:
  """A term some of whose options follow the steps.

  Args:
    term: its value takes them as keyword arguments.
    rates: {option: step [] -> []}.
  """
  if not rates:
    return term

  def value(f: Forward, memo: Any, *, key: jax.Array):
    now = {name: rate(f.batch['step']) for name, rate in rates.items()}
    return term.value(f, memo, key=key, **now)

  return term._replace(value=value)


def label_of(player: str, name: str) -> str:
  """What the metrics call the term that a component adds to a player's loss."""
  return f'penalty_{name}' if player == D else f'{player}_penalty_{name}'


def is_minimised(metric: str) -> bool:
  """Whether a metric is a loss or a part of one, by its name."""
  return metric.endswith('_loss') or 'penalty_' in metric
