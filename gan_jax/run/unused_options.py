"""Options that would have no effect beside the others: an error.

Only what is certainly ignored is refused, and never an option that has its
usual value: the user may not have set it. A component says by a function
`ignored(options) -> name or ''` which of its options has no effect beside the
others; that no other option is ignored is tested (tests/components).
"""

import inspect

from gan_jax import select
from gan_jax.game import by_name, ema, schedules
from gan_jax.metrics import metric_options
from gan_jax.run.config import keys
from gan_jax.run.setup import Setup
from gan_jax.types import UserError

COEFFICIENTS = ('gamma', 'weight')  # of penalties


def check_run(config: dict):
  """Refuses keys that do not decide the training and would have no effect.

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
  scored, options = config['metrics'], config['metric_options']
  if unused := metric_options.unused(options, scored):
    raise _ignored(
      f'metric_options.{unused}', f'metrics={",".join(scored)} does not take it'
    )


def check_training(config: dict, setup: Setup):
  """Refuses keys that decide the training and would have no effect.

  Args:
    config: of a run that begins.
    setup: of this config.

  Raises:
    UserError: which, and why.
  """
  for player, options in config['optim'].items():
    _check_optimizer(f'optim.{player}', options)
  for name, options in config['penalties'].items():
    for key in COEFFICIENTS:
      if options.get(key, 1) == 0:
        raise _ignored(f'penalties.{name}', f'{key}=0; leave it out')
  _check_average(config['ema'])
  dtype = config['dtype']
  if dtype != 'float32' and not _takes_dtype(setup):
    raise _ignored(f'dtype={dtype!r}', 'no network has this option')
  _check_components(config)


def _takes_dtype(setup):
  nets = setup.rules().game.nets.values()
  return any('dtype' in net.__dataclass_fields__ for net in nets)


def _ignored(what, why):
  return UserError(f'{what} would be ignored: {why}.')


def _check_average(options):
  if options.get('name', ema.USUAL) != ema.USUAL:
    return
  usual = inspect.signature(ema.make_decay).parameters['rampup'].default
  rampup = options.get('rampup', usual)
  if not options.get('halflife_kimg') and rampup not in (0, usual):
    raise _ignored(
      f'ema.rampup={rampup}', 'halflife_kimg=0: nothing is averaged'
    )


def _check_optimizer(flag, options):
  schedule = options.get('schedule')
  if schedule:
    takes = by_name.takes(schedule['name'])
    rate = next((name for name in schedules.RATES if name in takes), None)
    usual = options.get('learning_rate')
    if schedule.get(rate, usual) != usual:
      raise _ignored(
        f'{flag}.learning_rate={usual}',
        f'schedule.{rate}={schedule[rate]}; give one of the two',
      )
  takes = by_name.takes(options['name'])
  if options.get('nesterov') and 'momentum' in takes:
    if options.get('momentum') is None:
      raise _ignored(f'{flag}.nesterov=True', 'there is no momentum')


def _check_components(config):
  """Refuses what a component itself says it ignores, by `ignored(options)`."""
  groups = {
    'loss': ('losses', config['loss']),
    'model': ('models', config['model']),
    'dynamics': ('dynamics', config['dynamics']),
  }
  for name, options in config['penalties'].items():
    groups[f'penalties.{name}'] = 'penalties', {'name': name, **options}
  flag, options = 'augment', config['augment']
  while options:  # and those that follow it
    groups[flag] = 'augment', options
    flag, options = f'{flag}.then', options.get('then')
  for flag, (kind, options) in groups.items():
    module = select.module(kind, options['name'], flag=flag)
    option = getattr(module, 'ignored', lambda options: '')(options)
    if option:
      value = keys.flatten(options)[option]
      raise _ignored(
        f'{flag}.{option}={value!r}', 'beside the others it changes nothing'
      )
