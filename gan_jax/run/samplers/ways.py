"""Ways of drawing samples as somebody gives them from Python."""

import numpy as np

from gan_jax.components import modules, options
from gan_jax.run.samplers import asked, codes, settling
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.asked import Asked
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
  way = _of_an_open_run(fields)
  words = fields.get('code', '')
  code, walk = codes.parse(words, setup) if words else ((), None)
  if walk:
    raise UserError(f'code={words!r}: expected values, no walk.')
  return settling.settled(way, setup)._replace(code=code)


def strips_given(fields: dict, setup) -> tuple[Way, Asked]:
  """What strips these fields of Way and of Asked ask for.

  Raises:
    UserError: as `given`; none or two of asked.WHAT, options of another one.
  """
  words = fields.get('code', '')
  code, walk = codes.parse(words, setup) if words else ((), None)
  strip = {k: v for k, v in fields.items() if k in asked.OPTIONS}
  strip = _checked(strip | {'code': walk})
  way = {k: v for k, v in fields.items() if k not in asked.OPTIONS}
  way = _of_an_open_run(way, also=asked.OPTIONS)
  if way.rejection:
    raise UserError(f'rejection={way.rejection}: it is not of strips.')
  return settling.settled(way, setup)._replace(code=code), strip


def _of_an_open_run(fields, also=()):
  """The way, whose average has been chosen before."""
  if 'ema' in fields:
    raise UserError('ema: a run is opened with it, gan_jax.load(run, ema=.1).')
  return unsettled(fields, also)


def _checked(strip):
  """Asked of its fields."""
  what = [name for name in asked.WHAT if strip.get(name)]
  if len(what) != 1:
    raise UserError(
      f'strips: expected one of {", ".join(asked.WHAT[:-1])}, or a code with a'
      f' walk; got {" and ".join(what) or "none"}.'
    )
  for name, of in asked.ALSO.items():
    if name in strip and of not in what:
      raise UserError(f'{name}: it goes with {of}, which is not given.')
  for name in ('direction', 'mix', 'path'):
    options.check_kind(name, strip.get(name, ''), str)
  steps = options.whole_number(
    'interpolate', strip.get('interpolate', 0), least=0, most=MOST
  )
  strength = np.atleast_1d(strip.get('strength', asked.STRENGTHS))
  numbers = strength.dtype.kind in 'iuf' and strength.ndim == 1
  if not (numbers and strength.size and np.isfinite(strength).all()):
    raise UserError('strength: expected numbers, such as (-3, 0, 3).')
  exact = {'interpolate': steps, 'strength': tuple(map(float, strength))}
  return Asked(**strip | exact)


def unsettled(fields: dict, also: tuple[str, ...] = ()) -> Way:
  """The same before a run is known; it leaves `code` out.

  Args:
    fields: of Way.
    also: names of others that an error tells of.
  """
  for name, value in fields.items():
    if name not in Way._fields:
      known = (*also, *Way._fields)
      near = modules.near(name, known)
      hint = f'; did you mean {near[0]!r}?' if near else '.'
      raise UserError(
        f'{name}: no such option{hint} There are {", ".join(known)}.'
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
