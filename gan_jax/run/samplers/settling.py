"""Whether a run can be sampled in a way, and what that way knows of it."""

from collections.abc import Callable

import jax

from gan_jax import select
from gan_jax.game import latents
from gan_jax.game.sampling import truncation as truncation_lib
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.way import Way
from gan_jax.types import G, UserError


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
  mode = (
    way_lib.STYLE if is_styled(setup) else getattr(module, 'TRUNCATION', '')
  )
  if not mode:
    raise UserError(
      f'truncation={way.truncation:g}: the generator of model {name} has no'
      f' styles with an average; truncation_mode={way_lib.RESAMPLE} draws'
      f' numbers of a latent beyond it anew, {way_lib.SCALE} multiplies them by'
      ' it.'
    )
  return way._replace(truncation_mode=mode)


def _check_truncation(way, setup):
  amount, mode, layers = way[:3]
  begin = f'truncation={amount:g}: truncation_mode={mode}'
  if mode == way_lib.STYLE:
    if not is_styled(setup):
      raise UserError(
        f'{begin}: the generator of model {model_of(setup)} has no styles with'
        f' an average; {way_lib.RESAMPLE} and {way_lib.SCALE} change its'
        ' latents.'
      )
    count = styles_of(setup)
    if layers > count:
      raise UserError(
        f'truncation_layers={layers}: this generator has {count} styles.'
      )
    return
  if layers:
    raise UserError(
      f'truncation_layers={layers}: it goes with'
      f' truncation_mode={way_lib.STYLE}, not with {mode}.'
    )
  if amount < 0 or (mode == way_lib.RESAMPLE and amount == 0):
    bound = 'above 0' if mode == way_lib.RESAMPLE else 'at least 0'
    raise UserError(f'{begin}: expected {bound}.')
  if vector_of(setup) is None:
    raise UserError(
      f'{begin}: the latent of model {model_of(setup)} is no vector z.'
    )
  if mode == way_lib.RESAMPLE and not is_normal(setup):
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
  if way.truncation_mode in way_lib.CHANGES:
    change = way_lib.CHANGES[way.truncation_mode]
    prior = truncation_lib.truncated(prior, change, amount, size=size)
  return latents.prior_with_code(prior, way.code) if way.code else prior


def _check_rejection(way, setup):
  name, rules = f'rejection={way.rejection}', setup.rules()
  if rules.model.play is not None:
    raise UserError(
      f'{name}: D of model {model_of(setup)} is shown more than a sample, so'
      ' that its logit is of none alone.'
    )
  if not way.calibrate:
    _check_ratio(name, setup)
  if way.rejection == way_lib.DDLS and (
    not is_normal(setup) or codes_of(setup)
  ):
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
