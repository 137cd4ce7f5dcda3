"""Ways of drawing samples as somebody gives them from Python."""

from gan_jax.components import modules, options
from gan_jax.run.samplers import codes, settling
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.way import Way
from gan_jax.types import UserError

KINDS = {
  'truncation_mode': str,
  'rejection': str,
  'calibrate': bool,
  'code': str,
}
WHOLE = 'truncation_layers', 'rejection_steps', 'rejection_percentile'
MOST = 2**31 - 1


def given(fields: dict, setup) -> Way:
  """The way of these fields of Way, settled; `code` is in words, see codes.

  Raises:
    UserError: no such field, a value that it cannot have, or not for this run.
  """
  way = unsettled(fields)
  words = fields.get('code', '')
  code, walk = codes.parse(words, setup) if words else ((), None)
  if walk:
    raise UserError(f'code={words!r}: expected values, no walk.')
  return settling.settled(way, setup)._replace(code=code)


def unsettled(fields: dict) -> Way:
  """The same before a run is known; it leaves `code` out."""
  for name, value in fields.items():
    if name not in Way._fields:
      near = modules.near(name, Way._fields)
      hint = f'; did you mean {near[0]!r}?' if near else '.'
      raise UserError(
        f'{name}: no such option{hint} There are {", ".join(Way._fields)}.'
      )
    if name in KINDS:
      options.check_kind(name, value, KINDS[name])
    elif name in WHOLE:
      options.whole_number(name, value, least=0, most=MOST)
    elif value is not None:
      options.check_kind(name, value, float)
  plain = {k: v for k, v in fields.items() if k != 'code'}
  way = Way(**plain)
  way_lib.check(way)
  return way
