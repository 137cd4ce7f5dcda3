"""The way in which samples are drawn, where it is not the training's own.

Truncation keeps latents or styles near their mean; rejection and chains let D
choose. Scores of such samples are of another protocol, see `names`.
"""

import math
from typing import Any, NamedTuple

from gan_jax.game.sampling import rejection as rejection_lib
from gan_jax.game.sampling import truncation as truncation_lib
from gan_jax.types import UserError

STYLE, RESAMPLE, SCALE = 'style', 'resample', 'scale'
CHANGES = {
  RESAMPLE: truncation_lib.resampled,
  SCALE: truncation_lib.scaled,
}
MODES = (STYLE, *CHANGES)
DRS, MH, DDLS = 'drs', 'mh', 'ddls'
STEPS = {DRS: rejection_lib.TRIES, MH: 640, DDLS: 1000}
RATE = 0.01  # of DDLS


class Way(NamedTuple):
  """How samples are drawn; the fields are the flags of `sample`."""

  truncation: float | None = None
  truncation_mode: str = ''  # one of MODES; '': the model's own
  truncation_layers: int = 0  # styles that it moves, coarse to fine; 0: all
  rejection: str = ''  # one of STEPS
  rejection_steps: int = 0  # of a chain, tries of drs; 0: see STEPS
  rejection_percentile: int = 0  # of drs, see rejection.gamma_of; 0: exact
  calibrate: bool = False  # D's logits, on held-out samples
  ema: float | None = None  # width of G's average; None: the run's own
  # Numbers that codes of the latent have: pairs (their first place, values).
  code: tuple = ()

  @property
  def usual(self) -> bool:
    """Whether samples are drawn as in the training, of whatever average."""
    return self._replace(ema=None) == Way()


# Flags of the commands, by their usual values.
FLAGS = {
  'truncation': '',
  'truncation_mode': '',
  'truncation_layers': 0,
  'rejection': '',
  'rejection_steps': 0,
  'rejection_percentile': 0,
  'calibrate': False,
  'ema': '',
}

HELP = (
  '[--truncation=.7] [--truncation_mode=style|resample|scale]'
  ' [--truncation_layers=N]; or [--rejection=drs|mh|ddls] [--calibrate]'
  ' [--rejection_steps=N] [--rejection_percentile=P]; [--ema=.07], the width of'
  ' the average'
)


def of_flags(flags: Any) -> Way:
  """The way that the flags of a command say.

  Raises:
    UserError: values that no run could take.
  """
  given = {name: getattr(flags, name) for name in FLAGS}
  for name in ('truncation', 'ema'):
    given[name] = _number(name, given[name]) if given[name] else None
  way = Way(**given)
  check(way)
  return way


def _number(name, words):
  try:
    return float(words)
  except ValueError:
    raise UserError(f'{name}={words}: expected a number.') from None


def check(way: Way):
  """Refuses what no run could take.

  Raises:
    UserError: names the option.
  """
  amount, mode = way.truncation, way.truncation_mode
  if amount is not None and not math.isfinite(amount):
    raise UserError(f'truncation={amount}: expected a finite number.')
  if mode and mode not in MODES:
    raise UserError(f'truncation_mode={mode}: there are {", ".join(MODES)}.')
  if way.rejection and way.rejection not in STEPS:
    raise UserError(f'rejection={way.rejection}: there are {", ".join(STEPS)}.')
  for name in ('truncation_layers', 'rejection_steps', 'rejection_percentile'):
    if getattr(way, name) < 0:
      raise UserError(f'{name}={getattr(way, name)}: expected at least 0.')
  if way.rejection_percentile >= 100:
    raise UserError(
      f'rejection_percentile={way.rejection_percentile}: expected below 100.'
    )
  _check_pairs(way)


def _check_pairs(way):
  """Refuses options without what they are of, and two that do not agree."""
  for name in ('truncation_mode', 'truncation_layers'):
    if getattr(way, name) and way.truncation is None:
      raise UserError(
        f'{name}={getattr(way, name)}: it goes with truncation, which is not'
        ' given.'
      )
  for name in ('rejection_steps', 'rejection_percentile', 'calibrate'):
    if getattr(way, name) and not way.rejection:
      raise UserError(
        f'{name}={getattr(way, name)}: it goes with rejection, which is not'
        ' given.'
      )
  if way.rejection_percentile and way.rejection != DRS:
    raise UserError(
      f'rejection_percentile={way.rejection_percentile}: it goes with'
      f' rejection={DRS}, not with {way.rejection}.'
    )
  if way.rejection and way.truncation is not None:
    raise UserError(
      f'rejection={way.rejection} does not go with'
      f' truncation={way.truncation:g}: D compares the data with all that G'
      ' makes, not with samples of truncated latents.'
    )


NAMES = 'truncation', 'rejection', 'ema_width'  # in a record; the first always


def names(way: Way) -> dict:
  """What a record says of a settled way, see NAMES."""
  made = {'truncation': None}
  if way.truncation is not None:
    words = f'{way.truncation_mode} {way.truncation:g}'
    if way.truncation_layers:
      words += f', first {way.truncation_layers} layers'
    made['truncation'] = words
  if way.rejection:
    steps = way.rejection_steps or STEPS[way.rejection]
    words = way.rejection
    words += f', {steps} steps' if way.rejection != DRS else ''
    if way.rejection_percentile:
      words += f', gamma of percentile {way.rejection_percentile}'
    made['rejection'] = words + (', calibrated' if way.calibrate else '')
  if way.ema is not None:
    made['ema_width'] = way.ema
  return made
