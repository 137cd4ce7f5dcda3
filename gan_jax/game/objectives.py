"""Every player's terms: what losses, penalties and conditionings add up to."""

import functools
import inspect
from collections.abc import Callable

from gan_jax.game import changes, terms
from gan_jax.types import Conditioning, D, G, Loss, Model


def terms_of(
  loss: Loss,
  penalties: dict,
  conditioning: Conditioning | None = None,
  *,
  gather: Callable = lambda x: x,
  axis: str | None = None,
) -> dict:
  """{player: {name: Term}} of all components.

  Args:
    loss: of both players.
    penalties: Penalty by name.
    conditioning: of D, if it has any.
    gather: see terms.loss_terms.
    axis: mesh axis over which the batch is split, if it is.
  """
  by_player = {
    player: {'loss': term}
    for player, term in terms.loss_terms(loss, gather).items()
  }

  def add(player, name, value, *, make=terms.Term, rates=None, **fields):
    label = terms.label_of(player, name)
    term = make(on_axis(value, axis), label=label, **fields)
    own = {k: r for k, r in (rates or {}).items() if k in value.keywords}
    by_player.setdefault(player, {})[name] = terms.scheduled(term, own)

  for name, p in penalties.items():
    fields = {'init': p.init, 'every': p.every, 'rates': p.rates}
    if _shares(p, penalties):
      make = functools.partial(terms.slope_term, at=p.at)
      add(D, name, p.of_gradient, make=make, **fields)
    elif p.penalty:
      add(D, name, p.penalty, make=terms.penalty_term, **fields)
    for player, value in p.terms.items():
      add(player, name, value, **fields)
  own = conditioning.terms if conditioning else {}
  for player, value in own.items():
    if conditioning.in_place_of:
      usual = by_player[player]['loss']
      by_player[player]['loss'] = usual._replace(
        value=on_axis(value, axis), init=conditioning.init
      )
    else:
      add(player, 'conditioning', value, init=conditioning.init)
  for player in (D, G):
    own = _changes_of(player, penalties, axis)
    usual = by_player[player]['loss']
    by_player[player]['loss'] = changes.changed(usual, own, axis=axis)
  return by_player


def _shares(penalty, penalties):
  """Whether another one asks for D's slope elsewhere in the same update."""
  return penalty.of_gradient is not None and any(
    p.of_gradient
    and p.every == penalty.every
    and {p.at, penalty.at} == set(terms.PLACES)
    for p in penalties.values()
  )


def _changes_of(player, penalties, axis):
  """{name: Changing} of a player's loss."""
  made = {}
  for name, p in penalties.items():
    if value := p.changes.get(player):
      rates = {k: r for k, r in p.rates.items() if k in value.keywords}
      own = changes.scheduled(on_axis(value, axis), rates)
      made[name] = changes.Changing(own, p.init)
  return made


def moves_of(penalties: dict) -> dict:
  """What moves latents before they are played, by name; see Game.moves."""
  return {
    name: functools.partial(_move, p)
    for name, p in penalties.items()
    if p.move_latent
  }


def _move(penalty, latent, net, label, *, key, step):
  takes = penalty.move_latent.keywords
  now = {k: rate(step) for k, rate in penalty.rates.items() if k in takes}
  return penalty.move_latent(latent, net, label, key=key, **now)


def projections_of(penalties: dict, model: Model) -> dict:
  """What follows each update of a player: {player: [params -> params]}."""
  own = {player: [model.project] for player in model.nets if model.project}
  of_d = [p.project for p in penalties.values() if p.project]
  return own | {D: own.get(D, []) + of_d}


def on_axis(function: Callable, axis: str | None) -> Callable:
  """Tells the axis to a component that looks at the batch as a whole."""
  takes = inspect.signature(function).parameters
  given = {'axis_name': axis} if 'axis_name' in takes else {}
  return functools.partial(function, **given)
