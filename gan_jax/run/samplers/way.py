"""The way in which samples are drawn, where it is not the training's own.

Truncation keeps latents or styles near their mean; rejection and chains let D
choose. Scores of such samples are of another protocol, see `names`.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from gan_jax import select
from gan_jax.game import latents
from gan_jax.game.sampling import rejection as rejection_lib
from gan_jax.game.sampling import truncation as truncation_lib
from gan_jax.types import G, UserError

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
  # Numbers that codes of the latent have: pairs (their first place, values).
  code: tuple = ()

  @property
  def usual(self) -> bool:
    """Whether samples are drawn as in the training."""
    return self == Way()


# Flags of the commands, by their usual values.
FLAGS = {
  'truncation': '',
  'truncation_mode': '',
  'truncation_layers': 0,
  'rejection': '',
  'rejection_steps': 0,
  'rejection_percentile': 0,
  'calibrate': False,
}

HELP = (
  '[--truncation=.7] [--truncation_mode=style|resample|scale]'
  ' [--truncation_layers=N]; or [--rejection=drs|mh|ddls] [--calibrate]'
  ' [--rejection_steps=N] [--rejection_percentile=P]'
)


def of_flags(flags: Any) -> Way:
  """The way that the flags of a command say.

  Raises:
    UserError: values that no run could take.
  """
  given = {name: getattr(flags, name) for name in FLAGS}
  words = given.pop('truncation')
  way = Way(truncation=_number(words) if words else None, **given)
  check(way)
  return way


def _number(words):
  try:
    return float(words)
  except ValueError:
    raise UserError(f'truncation={words}: expected a number.') from None


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


def settled(way: Way, setup) -> Way:
  """The way, as this run takes it: its mode of truncation is there.

  Args:
    way: checked.
    setup: setup.Setup.

  Raises:
    UserError: truncation that the model does not have, layers that there are
      not, a discriminator whose logit is no log density ratio.
  """
  if way.truncation is not None:
    way = _with_mode(way, setup)
    _check_truncation(way, setup)
  if way.rejection:
    _check_rejection(way, setup)
  return way


def is_styled(setup) -> bool:
  """Whether G has styles of which it keeps an average."""
  net = setup.rules().game.nets[G]
  return all(hasattr(net, name) for name in ('styles', 'images', 'centre'))


def model_of(setup) -> str:
  """The name of a run's model."""
  return setup.structure.options['model']['name']


def _with_mode(way, setup):
  """The mode that is asked for, or the one that is usual for the model."""
  if way.truncation_mode:
    return way
  name = model_of(setup)
  module = select.module('models', name, flag='model.name')
  mode = STYLE if is_styled(setup) else getattr(module, 'TRUNCATION', '')
  if not mode:
    raise UserError(
      f'truncation={way.truncation:g}: the generator of model {name} has no'
      f' styles with an average; truncation_mode={RESAMPLE} draws numbers of a'
      f' latent beyond it anew, {SCALE} multiplies latents by it.'
    )
  return way._replace(truncation_mode=mode)


def _check_truncation(way, setup):
  amount, mode, layers = way[:3]
  begin = f'truncation={amount:g}: truncation_mode={mode}'
  if mode == STYLE:
    if not is_styled(setup):
      raise UserError(
        f'{begin}: the generator of model {model_of(setup)} has no styles with'
        f' an average; {RESAMPLE} and {SCALE} change its latents.'
      )
    count = styles_of(setup)
    if layers > count:
      raise UserError(
        f'truncation_layers={layers}: this generator has {count} styles.'
      )
    return
  if layers:
    raise UserError(
      f'truncation_layers={layers}: it goes with truncation_mode={STYLE}, not'
      f' with {mode}.'
    )
  if amount < 0 or (mode == RESAMPLE and amount == 0):
    bound = 'above 0' if mode == RESAMPLE else 'at least 0'
    raise UserError(f'{begin}: expected {bound}.')
  if vector_of(setup) is None:
    raise UserError(
      f'{begin}: the latent of model {model_of(setup)} is no vector z.'
    )
  if mode == RESAMPLE and not is_normal(setup):
    raise UserError(
      f'{begin}: it is for latent.name=normal, this run has'
      f' {latent_of(setup)["name"]}.'
    )


def styles_of(setup) -> int:
  """How many styles a generator with `styles` takes for a sample."""
  net = setup.rules().game.nets[G]
  return net.bind({}).synthesis.styles


def latent_of(setup) -> dict:
  """The options of a run's latent; `name` and `dim` are among them."""
  return {'name': 'normal', **setup.structure.options['latent']}


def is_normal(setup) -> bool:
  """Whether the noise of the latent is of the standard normal law."""
  return latent_of(setup)['name'] == 'normal'


def vector_of(setup) -> jax.ShapeDtypeStruct | None:
  """The shape of z [Z], alone or in a dict with other noise; None without."""
  key = jax.eval_shape(lambda: jax.random.key(0))
  latent = jax.eval_shape(setup.rules().game.prior, key)
  z = latent.get('z') if isinstance(latent, dict) else latent
  is_vector = getattr(z, 'ndim', 0) == 1
  return z if is_vector else None


def codes_of(setup) -> list[tuple[int, int]]:
  """(first place in z, values) of each code; a uniform one has 0 values."""
  own = latent_of(setup)
  categories = tuple(own.get('categories', ()))
  continuous = own.get('continuous', 0)
  z = vector_of(setup)
  if z is None or not (categories or continuous):
    return []
  at = z.shape[0] - sum(categories) - continuous
  places = []
  for values in (*categories, *[0] * continuous):
    places.append((at, values))
    at += values or 1
  return places


def prior_of(prior: Callable, way: Way, amount, *, size: int) -> Callable:
  """A prior as a way changes it.

  Args:
    prior: key -> latent.
    way: settled.
    amount: of truncation; it may be traced.
    size: numbers of z that are noise, the first ones; 0: all.
  """
  if way.truncation_mode in CHANGES:
    change = CHANGES[way.truncation_mode]
    prior = truncation_lib.truncated(prior, change, amount, size=size)
  return latents.with_code(prior, way.code) if way.code else prior


def _check_rejection(way, setup):
  name, rules = f'rejection={way.rejection}', setup.rules()
  if rules.model.play is not None:
    raise UserError(
      f'{name}: D of model {model_of(setup)} is shown more than a sample, so'
      ' that its logit is of none alone.'
    )
  if not way.calibrate:
    _check_ratio(name, setup)
  if way.rejection == DDLS and (not is_normal(setup) or codes_of(setup)):
    raise UserError(
      f'{name}: it moves latents of latent.name=normal without codes; this run'
      f' has others.'
    )


def _check_ratio(name, setup):
  """Refuses losses whose D does not estimate a ratio of densities."""
  options = setup.structure.options
  loss = options['loss']['name']
  by = setup.rules().conditioning.in_place_of
  module = select.module('losses', loss, flag='loss.name')
  smoothing = float(setup.numbers.get('loss', {}).get('smoothing', 0))
  why = ''
  if by:
    why = f'conditioning.name={options["conditioning"]["name"]}'
  elif not getattr(module, 'LOG_RATIO', False):
    why = f'loss.name={loss}'
  elif smoothing:
    why = f'loss.smoothing={smoothing:g}'
  if why:
    raise UserError(
      f'{name}: under {why} a logit of D is no log density ratio (Azadi et al.'
      ' 2019); --calibrate makes one of it, on held-out samples.'
    )


NAMES = 'truncation', 'rejection'  # in a record; the second only if it is


def names(way: Way) -> dict:
  """What a record says of a settled way: 'truncation', and 'rejection'."""
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
  return made
