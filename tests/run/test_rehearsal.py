"""What is wrong with a component of one's own is told before the training."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from gan_jax.game import networks
from gan_jax.run import command, setup
from gan_jax.types import UserError

HEAD = """
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
"""
PENALTY = 'def penalty(critic, real, fake, memo, *, key, weight: float = 1.0):'
# name: (source, config, what the line says). One line names the flag, what was
# expected and what there is.
FILES = {
  'key_of_all': (
    f'{PENALTY}\n  noise = jax.random.normal(key, real.shape)\n'
    '  return critic(real + noise), memo',
    'penalty',
    r'penalties.own_rehearsed.key_of_all: .*single key.*key_of_all.py, line 7'
    r'\); key holds one key per example',
  ),
  'a_mean': (
    f'{PENALTY}\n  return critic(real).mean(), memo',
    'penalty',
    r'penalties.own_rehearsed.a_mean: .* is \[\]; expected \[B\]',
  ),
  'looks': (
    f'{PENALTY}\n  if weight > 0.5:\n    weight = 0.5\n'
    '  return weight * critic(real), memo',
    'penalty',
    r'penalties.own_rehearsed.looks: it looks at the value of .*, line 7',
  ),
  'a_column': (
    f'{PENALTY}\n  return critic(real)[:, None], memo',
    'penalty',
    r'a_column: .* is \[B, 1\]; expected \[B\]',
  ),
  'no_memo': (
    f'{PENALTY}\n  return critic(real)',
    'penalty',
    r'no_memo: expected \(a value per example \[B\], memo\)',
  ),
  'another_memo': (
    f'def init():\n  return jnp.int32(0)\n{PENALTY}\n'
    '  return critic(real), memo + 0.5',
    'penalty',
    r'another_memo: memo gives .*float32.*; expected .*int32',
  ),
  'a_head_that_is_not': (
    'def d_term(forward, memo, *, key):\n'
    "  return forward.on_real['classes'], memo",
    'penalty',
    r"a_head_that_is_not: KeyError: 'classes' \(.*line 7\)",
  ),
  'smaller': (
    'def apply(x, memo, *, key):\n  return x[:, :1]',
    'augment',
    r'augment: apply gives .*8, 1.*; expected .*8, 2',
  ),
  'broken_head': (
    'class Head(nn.Module):\n  dense: object\n  embed: object\n'
    '  num_classes: int = 0\n  @nn.compact\n'
    '  def __call__(self, features, label=None, pooled=None):\n'
    '    return self.nothing',
    'conditioning',
    r'conditioning.name=own_rehearsed.broken_head: AttributeError: .*nothing',
  ),
  'no_game': (
    'def make(game):\n  return lambda state, batch, key: (state.nowhere, {})',
    'dynamics',
    r'dynamics.name=own_rehearsed.no_game: AttributeError: .*nowhere',
  ),
  'summed': (
    'def d_loss(real_logits, fake_logits):\n'
    '  return (fake_logits - real_logits).sum()\n'
    'def g_loss(real_logits, fake_logits):\n  return -fake_logits',
    'loss',
    r'own_rehearsed.summed: d_loss .* gives \[\]; expected \[B\]',
  ),
  'wide': (
    'from tests.encoder_model import Generator\n'
    'class Discriminator(nn.Module):\n  @nn.compact\n'
    '  def __call__(self, x):\n    return nn.Dense(1)(x)',
    'model',
    r'model.d: logits of real samples are \[B, 1\]; expected \[B\]',
  ),
  'a_function': (
    'from tests.encoder_model import Generator\n'
    'def Discriminator(x):\n  return x',
    'model',
    r'model.d: <function .* is no class of flax.linen.Module',
  ),
  'asks_for_more': (
    'from tests.encoder_model import Generator\n'
    'class Discriminator(nn.Module):\n  @nn.compact\n'
    '  def __call__(self, x, *, deterministic):\n    return nn.Dense(1)(x)',
    'model',
    r"Discriminator.__call__: it needs 'deterministic'; expected __call__",
  ),
  'no_key': (
    'def make_prior(*, dim: int = 8):\n  return lambda: jnp.zeros(dim)',
    'latent',
    r'latent: .*takes 0 positional arguments',
  ),
  'no_prior': ('x = 1', 'latent', r"latent.name='own.*no make_prior"),
}
USED = {
  'penalty': lambda name: {'penalties': {name: {}}},
  'model': lambda name: {'model': {'name': name, 'g': {}, 'd': {}}},
  'conditioning': lambda name: {
    'conditioning': {'name': name},
    'conditional': True,
  },
}


@pytest.fixture(scope='module', autouse=True)
def package(tmp_path_factory):
  folder = tmp_path_factory.mktemp('rehearsed')
  (folder / 'own_rehearsed').mkdir()
  for name, (source, *_) in (FILES | FINE).items():
    text = f'{HEAD}{source}\n'
    (folder / 'own_rehearsed' / f'{name}.py').write_text(text)
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(folder)
    yield


def build(name, group, **also):
  name = f'own_rehearsed.{name}'
  use = USED.get(group, lambda name: {group: {'name': name}})
  changes = {'penalties': {}, **use(name), **also}
  return setup.build(command.load_config('ring8:tiny', changes))


@pytest.mark.parametrize('name', FILES)
def test_a_line_names_the_component(name):
  _, group, words = FILES[name]
  with pytest.raises(UserError, match=words):
    build(name, group)


LEAST = (
  'class Generator(nn.Module):\n  @nn.compact\n'
  '  def __call__(self, z):\n    return nn.Dense(2)(z)\n'
  'class Discriminator(nn.Module):\n  @nn.compact\n'
  '  def __call__(self, x):\n    return nn.Dense(1)(x)[:, 0]'
)
G_KNOWS = LEAST.replace(
  'self, z):\n    return nn.Dense(2)(z)',
  'self, z, *, label=None):\n    return nn.Dense(2)(z) + nn.Embed(8, 2)(label)',
)
D_KNOWS = G_KNOWS.replace(
  'self, x):\n    return nn.Dense(1)(x)[:, 0]',
  'self, x, label):\n'
  '    return (nn.Dense(8)(x) * nn.Embed(8, 8)(label)).sum(1)',
)
# What is right: (source, group), with labels or without.
FINE = {
  'least': (LEAST, 'model'),
  'g_knows': (G_KNOWS, 'model'),
  'both_know': (D_KNOWS, 'model'),
  'key_each': (
    f'{PENALTY}\n'
    '  noise = jax.vmap(lambda k: jax.random.normal(k, real.shape[1:]))(key)\n'
    '  return weight * critic(real + noise) ** 2, memo',
    'penalty',
  ),
  'auxiliary': (
    'def d_term(forward, memo, *, key):\n'
    "  return forward.on_real['logits'] * forward.batch['label'], memo",
    'penalty',
  ),
  'heavy_tails': (
    'def make_prior(*, dim: int = 8, df: float = 3.0):\n'
    '  return lambda key: jax.random.t(key, df, (dim,))',
    'latent',
  ),
}


@pytest.mark.parametrize('name', ['least', 'key_each', 'heavy_tails'])
def test_the_least_that_there_can_be_is_enough(name):
  build(name, FINE[name][1])


@pytest.mark.parametrize(
  'name, says',
  [
    ('least', 'the generator ignores the label'),
    ('g_knows', 'the discriminator ignores the label'),
    ('both_know', ''),
  ],
)
def test_a_conditional_game_needs_networks_that_look_at_the_label(name, says):
  if not says:
    build(name, 'model', conditional=True)
    return
  with pytest.raises(UserError, match=f'conditional=True, but {says}'):
    build(name, 'model', conditional=True)


def test_d_may_learn_of_labels_by_a_term():
  term = {'own_rehearsed.auxiliary': {}}
  build('g_knows', 'model', conditional=True, penalties=term)


class Positional(nn.Module):
  """Takes train by its place."""

  @nn.compact
  def __call__(self, x, train):
    return nn.Dense(1)(x) + (1.0 if train else 0.0)


class Anything(nn.Module):
  """Takes all there is."""

  @nn.compact
  def __call__(self, *inputs, **kw):
    return len(inputs) + kw['train'] + nn.Dense(1)(inputs[0])


@pytest.mark.parametrize('net, more', [(Positional, 1), (Anything, 3)])
def test_a_network_gets_what_it_takes(net, more):
  net, x, key = net(), jnp.zeros((2, 3)), jax.random.key(0)
  variables = networks.init(net, key, x, x, train=False)
  made = networks.apply(net, variables, x, x, train=True)
  assert (made == more).all()
