"""Every option of every component changes the program that is traced.

An option that is ignored would make an ablation of it a comparison of a run
with itself. What a component ignores beside its other options it says by
`ignored`, and a config is refused that asks for it (run/unused_options.py).
"""

import contextlib
import functools
import inspect
import itertools

import flax.linen as nn
import pytest

from gan_jax import select
from gan_jax.augment import ada, diffusion_noise
from gan_jax.losses import fgan
from gan_jax.models import rcgan, sngan, stylegan2
from gan_jax.models.layers import parts
from gan_jax.penalties import dragan
from gan_jax.types import UserError
from tests.components.programs import (
  augment_program,
  load,
  loss_program,
  network_program,
  penalty_program,
)
from tests.components.shipped import SHIPPED

GIVEN = {'key', 'axis_name'}  # by the step
COMMON = {'parent', 'name', 'axis_name', 'shape', 'num_classes', 'dtype'}
# The values of options that are names; each is to be another program.
NAMES = {
  'divergence': tuple(fgan.DIVERGENCES),
  'generator': tuple(fgan.GENERATORS),
  'variant': tuple(dragan.VARIANTS),
  'norm': ('batch', 'spectral', 'none'),  # the others: test_layers
  'activation': tuple(parts.ACTIVATIONS),
  'output': rcgan.OUTPUTS,
  'modulation': parts.MODULATIONS,
  'pool': tuple(sngan.POOLS),
  'size': ('s', 'b'),
  'architecture': stylegan2.ARCHITECTURES,
  'groups': ada.BGC,
  'times': tuple(diffusion_noise.TIMES),
}
# Values of options that are neither any number nor names.
OTHERS = {
  'hidden': ((8, 8), (8, 4)),
  'widths': ((4, 2, 4), (2, 4, 4)),
  'attention': ((0,), (4,)),
  'dilations': ((1, 2), (1, 3)),
  'group': (2, 1),
  'depth': (2, 3),
  'width': (8, 16),
  'heads': (2, 1),
  'patch': (2, 4),
  'levels': (2, 1),
  # Of what is no probability, or mean of signs, above 1.
  **dict.fromkeys(
    ('p', 'target', 'translation', 'cutout', 'beta_start', 'beta_end'),
    (0.5, 0.25),
  ),
  'policy': (('color', 'cutout'), ('cutout', 'color'), ('cutout',)),
}
# Beside which an option has an effect, where the defaults do not do.
LABELS = {'num_classes': 2}
NAMED = {'width': 0, 'heads': 0}  # as the size has them
BESIDE = {
  ('dragan', 'c'): {'variant': 'paper'},
  ('gat.Generator', 'size'): NAMED,
  ('gat.Discriminator', 'size'): NAMED,
  ('sngan.Generator', 'modulation'): LABELS,
  ('sndcgan.Generator', 'modulation'): LABELS,
  ('biggan.Generator', 'shared'): LABELS,
  ('biggan_deep.Generator', 'shared'): LABELS,
}
for _transform in ada._TRANSFORMS:
  BESIDE['ada', _transform] = {'groups': tuple(ada.GROUPS)}
for _style in ('stylegan2', 'stylegan3'):
  BESIDE[f'{_style}.Discriminator', 'mapping_layers'] = LABELS
  for _net in ('Generator', 'Discriminator'):
    BESIDE[f'{_style}.{_net}', 'channel_base'] = {'channel_max': 10**6}
PLAIN = (int, float, bool, str, tuple)


def keyword_options(*functions):
  """{name: default} of what a config may set."""
  return {
    p.name: p.default
    for function in functions
    for p in inspect.signature(function).parameters.values()
    if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN
  }


def field_options(network):
  """{name: default} of the plain fields of a network."""
  return {
    name: field.default
    for name, field in network.__dataclass_fields__.items()
    if name not in COMMON and isinstance(field.default, PLAIN)
  }


def values_of(name, default):
  """Values of an option that are to make different programs."""
  if isinstance(default, bool):
    return False, True
  table = OTHERS | NAMES
  if isinstance(default, int | float) and name not in table:
    return default, 2 * default + 1
  assert name in table, f'{name}={default!r}: say here what it can be'
  return table[name]


def small(network):
  """Options with which a network is traced quickly."""
  fields = network.__dataclass_fields__
  least = {'blocks': 1, 'dim': 4} if 'blocks' in fields else {}
  least |= {'layers': 3, 'margin': 1} if 'margin' in fields else {}
  usual = {name: values[0] for name, values in OTHERS.items() if name in fields}
  return least | usual


# The contract.


def cases():
  """(component, option, default, (options) -> its program, options beside)."""
  for name in sorted(SHIPPED['losses']):
    module = load('losses', name)
    program = functools.partial(loss_program, module)
    for option, usual in keyword_options(module.d_loss, module.g_loss).items():
      yield name, option, usual, program, {}
  for name in sorted(SHIPPED['penalties']):
    module = load('penalties', name)
    program = functools.partial(penalty_program, module)
    has = [f for f in ('penalty', 'project') if hasattr(module, f)]
    functions = [getattr(module, f) for f in has]
    for option, usual in keyword_options(*functions).items():
      yield name, option, usual, program, {}
  for name in sorted(SHIPPED['augment']):
    module = load('augment', name)
    program = functools.partial(augment_program, module)
    there = [getattr(module, f, None) for f in select._AUGMENTATION]
    for option, usual in keyword_options(*filter(None, there)).items():
      yield name, option, usual, program, {}
  for name in sorted(SHIPPED['models'] - {'sagan'}):  # which is sngan
    module = load('models', name)
    for network in (module.Generator, module.Discriminator):
      program = functools.partial(network_program, network)
      for option, usual in field_options(network).items():
        label = f'{name}.{network.__name__}'
        yield label, option, usual, program, small(network)


CASES = [
  pytest.param(*case[1:], BESIDE.get(case[:2], {}), id=f'{case[0]}-{case[1]}')
  for case in cases()
]


@pytest.mark.parametrize('option, usual, program, base, beside', CASES)
def test_another_value_is_another_program(option, usual, program, base, beside):
  quick = program
  if getattr(program, 'func', None) is network_program:
    quick = functools.partial(program, slopes=False)
  made = {}
  of = lambda value: {**base, **beside, option: value}
  for value in values_of(option, usual):
    with contextlib.suppress(UserError):  # a norm, say, that vectors lack
      made[value] = quick(of(value))
  assert len(made) > 1
  for one, other in itertools.combinations(made, 2):
    differ = made[one] != made[other] or program(of(one)) != program(of(other))
    assert differ, f'{option}: {other} does what {one} does'


# What components say they ignore: options, the name, another value of it.
IGNORED = {
  'dragan': ('penalties', {'c': 3.0}, 'c'),
  'dragan_code': ('penalties', {'c': 3.0, 'variant': 'code'}, 'c'),
  'mlp_g': (
    'models',
    {'g': {'hidden': (), 'activation': 'elu'}},
    'g.activation',
  ),
  'mlp_d': (
    'models',
    {'d': {'hidden': [], 'activation': 'elu'}},
    'd.activation',
  ),
  'mlp_norm': ('models', {'d': {'hidden': (8,), 'norm': 'batch'}}, 'd.norm'),
  'mlp_no_layer': ('models', {'d': {'hidden': (), 'norm': 'batch'}}, 'd.norm'),
}
HEEDED = {
  'dragan': ('penalties', {'c': 3.0, 'variant': 'paper'}),
  'dragan_usual': ('penalties', {'c': 10.0}),
  'mlp_usual': ('models', {'d': {'hidden': (), 'activation': 'leaky_relu'}}),
  'mlp_layer': ('models', {'g': {'hidden': (8,), 'activation': 'elu'}}),
  'mlp_norm': ('models', {'d': {'hidden': (8, 8), 'norm': 'batch'}}),
  'mlp_spectral': ('models', {'d': {'hidden': (8,), 'norm': 'spectral'}}),
}


def asked(case, kind, options):
  """(module, what it says it ignores)."""
  module = load(kind, case.partition('_')[0])
  players = {'g': {}, 'd': {}} if kind == 'models' else {}
  return module, module.ignored({**players, **options})


@pytest.mark.parametrize('case', IGNORED)
def test_what_is_said_to_be_ignored_is(case):
  kind, options, named = IGNORED[case]
  module, option = asked(case, kind, options)
  assert option == named
  if kind == 'penalties':
    program = functools.partial(penalty_program, module)
  else:
    (player, options), option = *options.items(), option[2:]
    network = {'g': module.Generator, 'd': module.Discriminator}[player]
    program = functools.partial(network_program, network)
  without = {k: v for k, v in options.items() if k != option}
  assert program(options) == program(without)


@pytest.mark.parametrize('case', HEEDED)
def test_nothing_else_is_said_to_be_ignored(case):
  assert asked(case, *HEEDED[case])[1] == ''


class Heeds(nn.Module):
  slope: float = 1.0

  @nn.compact
  def __call__(self, x, *, train):
    return self.slope * nn.Dense(1)(x.reshape(len(x), -1))[:, 0]


class Ignores(nn.Module):
  slope: float = 1.0

  @nn.compact
  def __call__(self, x, *, train):
    return 3.0 * nn.Dense(1)(x.reshape(len(x), -1))[:, 0]


def test_the_comparison_sees_what_is_ignored():
  both = lambda net: [network_program(net, {'slope': s}) for s in (1.0, 2.0)]
  first, second = both(Heeds)
  assert first != second
  first, second = both(Ignores)
  assert first == second
