"""Options of a game that do not go together: each is an error of one line."""

from gan_jax.components import options as options_lib
from gan_jax.types import Conditioning, D, G, Model, UserError


def check_players(groups: dict, players: dict):
  """Refuses options of a player that the model does not have, or lacks G."""
  there = ', '.join(players)
  for player in (G, D):
    if player not in players:
      name = groups['model']['name']
      raise UserError(
        f'model.name={name!r}: the module has no player {player}.'
      )
  for group, also in (('optim', ()), ('model', ('name',))):
    for name, own in groups[group].items():
      if name in also:
        continue
      flag = f'{group}.{name}'
      if name not in players:
        raise UserError(
          f'{flag}: model {groups["model"]["name"]} has no such player; it has'
          f' {there}.'
        )
      options_lib.check_kind(flag, own, dict)


def check_loss(options: dict, conditioning: Conditioning, model: Model):
  """Refuses a loss in whose place the conditioning's own cannot stand."""
  own, name = conditioning.in_place_of, options['loss']['name']
  if own and (name != own or model.adversarial):
    why = (
      f'model.name={options["model"]["name"]} has a game of its own'
      if name == own
      else f'there is loss.name={name}'
    )
    raise UserError(
      f'conditioning.name={options["conditioning"]["name"]} is a loss in place'
      f' of {own}: expected loss.name={own} in the usual game, {why}.'
    )


def check_moves(penalties: dict, name: str, model: Model):
  """Refuses to move latents of a game that is not the usual one."""
  if moves := [f'penalties.{k}' for k, p in penalties.items() if p.move_latent]:
    if model.play:
      raise UserError(
        f'{moves[0]}: moves the latents of the usual game, and'
        f' model.name={name} has one of its own.'
      )
