"""Options of a config that would do nothing beside the others: an error.

Only what is surely ignored is refused: an option is not, as long as it has its
usual value, for nobody may have given it.
"""

import functools
import inspect
import re
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax import select
from gan_jax.game import ema
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

COEFFICIENTS = ('gamma', 'weight')  # of penalties
_RATES = ('peak_value', 'init_value', 'value')  # a schedule's learning rate


def check_run(config: dict):
  """Refuses keys that say how a run goes and would do nothing.

  Raises:
    UserError: which, and why.
  """
  protocol, features = config['protocol'], config['features']
  if protocol and features:
    raise _ignored(f'features={features!r}', f'protocol={protocol!r} fixes it')
  if config['on_divergence'] == 'rollback' and not config['max_rollbacks']:
    raise _ignored("on_divergence='rollback'", 'max_rollbacks=0')
  if config['stop_when'] and not config['eval_every']:
    raise _ignored(
      f'stop_when={config["stop_when"]}', 'eval_every=0 scores only at the end'
    )


def check_training(config: dict, setup: Setup):
  """Refuses keys that say how a run is trained and would do nothing.

  Args:
    config: of a run that begins.
    setup: of this config.

  Raises:
    UserError: which, and why.
  """
  for player in 'gd':
    _check_optimizer(f'optim.{player}', config['optim'][player])
  for name, options in config['penalties'].items():
    for key in COEFFICIENTS:
      if options.get(key, 1) == 0:
        raise _ignored(f'penalties.{name}', f'{key}=0; leave it out')
  rampup = inspect.signature(ema.make_decay).parameters['rampup'].default
  given = config['ema'].get('rampup', rampup)
  if not config['ema'].get('halflife_kimg') and given not in (0, rampup):
    raise _ignored(
      f'ema.rampup={given}', 'halflife_kimg=0: nothing is averaged'
    )
  for name in ('dtype',) if config['dtype'] != 'float32' else ():
    if not any(name in net.__dataclass_fields__ for net in setup.net):
      raise _ignored(f'{name}={config[name]!r}', 'no network has this option')
  _check_components(config, setup)


def _ignored(what, why):
  return UserError(f'{what} would be ignored: {why}.')


def _check_optimizer(flag, options):
  schedule = options.get('schedule')
  if schedule:
    takes = inspect.signature(getattr(optax, schedule['name'])).parameters
    rate = next((name for name in _RATES if name in takes), None)
    if schedule.get(rate, options['learning_rate']) != options['learning_rate']:
      raise _ignored(
        f'{flag}.learning_rate={options["learning_rate"]}',
        f'schedule.{rate}={schedule[rate]}; give one of the two',
      )
  takes = inspect.signature(getattr(optax, options['name'])).parameters
  if options.get('nesterov') and 'momentum' in takes:
    if options.get('momentum') is None:
      raise _ignored(f'{flag}.nesterov=True', 'there is no momentum')


def _check_components(config, setup):
  """Options that leave the traced program of their component as it is."""
  loss = {k: v for k, v in config['loss'].items() if k != 'name'}
  own = config['loss']['name']
  usual = _defaults(select.loss(own).d_loss)
  _check_each('loss', loss, usual, functools.partial(_loss_program, own))
  for name, options in config['penalties'].items():
    own = select.penalty(name)
    usual = _defaults(own.penalty or own.project)
    shape = setup.dataset.shape
    program = functools.partial(_penalty_program, name, shape)
    _check_each(f'penalties.{name}', options, usual, program)
  _check_networks(config, setup)


def _check_networks(config, setup):
  sample = jax.ShapeDtypeStruct((2, *setup.dataset.shape), jnp.float32)
  z = jax.ShapeDtypeStruct((2, config['latent'].get('dim', 64)), jnp.float32)
  label = jax.ShapeDtypeStruct((2,), jnp.int32) if setup.num_classes else None
  for player, net, x in zip('gd', setup.net, (z, sample), strict=True):
    given = config['model'][player]
    fields = net.__dataclass_fields__.items()
    usual = {name: field.default for name, field in fields}

    def made(program, some, net=net, given=given, usual=usual, x=x):
      whole = {name: some.get(name, usual[name]) for name in given}
      return program(net.clone(**whole), x, label)

    # Most options change a shape already, and gradients take long to trace.
    programs = [functools.partial(made, p) for p in (_shapes, _net_program)]
    _check_each(f'model.{player}', given, usual, *programs)


def _check_each(flag, given: dict, usual: dict, *programs: Callable):
  """Refuses the options of whose values no program knows anything."""
  programs = [_remembered(program) for program in programs]
  for name, value in given.items():
    if name not in usual or value == usual[name]:
      continue
    tried = [given, {k: v for k, v in given.items() if k != name}]
    if not usual[name]:  # it may stand for the very value that is given
      tried.append({**given, name: _another(value)})
    if all(_same(program, tried) for program in programs):
      raise _ignored(
        f'{flag}.{name}={value!r}', 'beside the others it changes nothing'
      )


def _remembered(program):
  """The same program; what it has made of some options it gives again."""
  made = {}

  def remembered(options):
    key = repr(options)
    if key not in made:
      made[key] = program(options)
    return made[key]

  return remembered


def _same(program, tried):
  try:
    made = [program(options) for options in tried]
  except (ArithmeticError, TypeError, ValueError):  # another value: it is read
    return False
  return all(one == made[0] for one in made)


def _another(value):
  """Another value of the same kind, if one can be told."""
  if isinstance(value, tuple | list):
    return tuple(map(_another, value))
  if isinstance(value, bool) or not isinstance(value, int | float):
    return value
  return 2 * value + 1


def _defaults(function):
  parameters = inspect.signature(function).parameters.values()
  return {p.name: p.default for p in parameters if p.default is not p.empty}


def _traced(function, *args):
  """A program that can be compared; addresses of functions are no part of it.

  It should hold gradients: what a derivative is by definition is not seen else.
  """
  closed = jax.make_jaxpr(function)(*args)
  constants = [np.asarray(const).tobytes() for const in closed.consts]
  return re.sub(r'0x[0-9a-f]+', '', str(closed)), constants


def _loss_program(name, options):
  pair = select.loss(name, **options)
  logits = jax.ShapeDtypeStruct((2,), jnp.float32)
  both = lambda r, f: jnp.stack([pair.d_loss(r, f), pair.g_loss(r, f)])
  return _traced(lambda r, f: (both(r, f), _slopes(both, r, f)), logits, logits)


def _slopes(function, *args):
  """Derivatives of the sum of what a function gives, by all its arguments."""
  total = lambda *args: jnp.sum(function(*args))
  return jax.grad(total, tuple(range(len(args))))(*args)


def _penalty_program(name, shape, options):
  penalty = select.penalty(name, **options)
  if penalty.project is not None:
    weight = jax.ShapeDtypeStruct((2, 2), jnp.float32)
    return _traced(penalty.project, {'kernel': weight})
  x = jax.ShapeDtypeStruct((2, *shape), jnp.float32)

  def run(scale, real, fake, key):
    critic = lambda x: jnp.square(scale * x).reshape(2, -1).sum(1)
    own = lambda scale: penalty.penalty(
      critic, real, fake, penalty.init(), key=key
    )
    return own(scale), jax.grad(lambda s: own(s)[0].sum())(scale)

  key = jax.eval_shape(lambda: jax.random.key(0))
  return _traced(run, jax.ShapeDtypeStruct((), jnp.float32), x, x, key)


def _shapes(net, x, label):
  init = functools.partial(net.init, train=True)
  key = jax.eval_shape(lambda: jax.random.key(0))
  return str(jax.eval_shape(init, key, x, label))


def _net_program(net, x, label):
  def run(key, x, label):
    variables = net.init(key, x, label, train=True)
    params = variables.pop('params')

    def out(params, train):
      made = net.apply(
        {'params': params, **variables}, x, label, train=train, mutable=True
      )[0]
      return jnp.sum(sum(map(jnp.sum, jax.tree.leaves(made))))

    return [jax.value_and_grad(out)(params, train) for train in (True, False)]

  key = jax.eval_shape(lambda: jax.random.key(0))
  return _traced(run, key, x, label)
