"""Networks as somebody writes them who has not read the manual."""

import jax
import pytest

from gan_jax.run import command, setup
from gan_jax.types import UserError
from tests.components.packages import importable

HEAD = """
import flax.linen as nn
import jax.numpy as jnp


class Generator(nn.Module):
  shape: tuple

  @nn.compact
  def __call__(self, z):
    return nn.Dense(self.shape[0])(nn.relu(nn.Dense(4)(z)))


class Discriminator(nn.Module):
"""
FILES = {
  'least': '  @nn.compact\n'
  '  def __call__(self, x):\n'
  '    return nn.Dense(1)(x)[:, 0]\n',
  'anything': '  @nn.compact\n'
  '  def __call__(self, x, *args, **kwargs):\n'
  '    return nn.Dense(1)(x)[:, 0]\n',
  'setup_with_statistics': '  def setup(self):\n'
  '    self.norm, self.last = nn.BatchNorm(), nn.Dense(1)\n'
  '  def __call__(self, x, train=True):\n'
  '    x = self.norm(x, use_running_average=not train)\n'
  '    return self.last(x)[:, 0]\n',
  'recurrent': '  @nn.compact\n'
  '  def __call__(self, x):\n'
  '    h = nn.RNN(nn.GRUCell(4))(x[..., None])\n'
  '    return nn.Dense(1)(h[:, -1])[:, 0]\n',
  'other_heads': '  @nn.compact\n'
  '  def __call__(self, x):\n'
  "    return {'out': nn.Dense(1)(x)[:, 0]}\n",
  'two_numbers': '  @nn.compact\n'
  '  def __call__(self, x):\n'
  '    return nn.Dense(2)(x)\n',
  'drops': '  @nn.compact\n'
  '  def __call__(self, x, train):\n'
  '    x = nn.Dropout(0.5, deterministic=not train)(x)\n'
  '    return nn.Dense(1)(x)[:, 0]\n',
}
BATCHES = """
import jax


def make_prior(*, dim: int = 4):
  return lambda key: jax.random.normal(key, (3, dim))
"""


@pytest.fixture(scope='module', autouse=True)
def package(tmp_path_factory):
  files = {name: HEAD + source for name, source in FILES.items()}
  files['batches'] = BATCHES
  with importable(tmp_path_factory.mktemp('models'), 'nets', files):
    yield


def built(**given):
  overrides = {'penalties': {}, 'health_every': 0, **given}
  return setup.build(command.load_config('ring8:tiny', overrides))


@pytest.mark.parametrize('name', list(FILES)[:4])
def test_it_makes_a_run(name):
  made = built(model={'name': f'nets.{name}', 'g': {}, 'd': {}})
  state = jax.eval_shape(made.init)
  assert jax.tree.leaves(state.players['d'].params)
  has_statistics = bool(jax.tree.leaves(state.players['d'].vars))
  assert has_statistics == (name == 'setup_with_statistics')


@pytest.mark.parametrize(
  'given, words',
  [
    ('other_heads', 'model.d: it gives a dict of out; expected logits'),
    ('two_numbers', r'model.d: logits of real samples are \[B, 2\]'),
    ('drops', 'draw no random numbers, as of dropout'),
  ],
)
def test_what_no_step_could_call_is_a_line(given, words):
  with pytest.raises(UserError, match=words):
    built(model={'name': f'nets.{given}', 'g': {}, 'd': {}})


def test_a_latent_of_many_examples_is_refused():
  with pytest.raises(UserError, match='of 8 latents it makes .24, 2.;'):
    built(latent={'name': 'nets.batches'})
