"""Feature nets, schedules, latents, kinds of one's own, by dotted names."""

import numpy as np
import pytest

from gan_jax.data import kinds, memory
from gan_jax.game import latents
from gan_jax.metrics import measures
from gan_jax.metrics.features import spaces
from gan_jax.run import command, scoring, setup
from gan_jax.run.workdir import contents, sources
from gan_jax.types import UserError
from tests.components.packages import importable

POINTS = memory.from_arrays(
  'own', 'point', np.random.default_rng(0).normal(size=(9, 2)).astype('float32')
)
NET = """
import numpy as np
from gan_jax.metrics.features import base
KNOWS = ('probabilities',)
def load(shape):
  def apply(x):
    x = np.float32(x).reshape(len(x), -1)
    return base.Seen(x * x, np.full((len(x), 2), 0.5, 'f'))
  return base.Features('squares', '', apply)
"""
FILES = {
  'net': NET,
  'same_net': '# a comment\n' + NET,
  'other_net': NET.replace('x * x', 'x * 3'),
  'no_features': NET.replace("base.Features('squares', '', apply)", '3'),
  'one_row': NET.replace('base.Seen(x * x', 'base.Seen(x[0]'),
  'fails': NET.replace('x * x', 'x @ x'),
  'broken': 'import nothing_of_the_kind\n',
  'rates': 'from dotted import helper\n'
  'def make(init_value):\n  return lambda count: helper.half(init_value)\n',
  'helper': 'def half(x):\n  return x / 2\n',
  'prior': 'import jax\ndef make_prior(*, dim: int = 3, scale: float = 2.0):\n'
  '  return lambda key: scale * jax.random.normal(key, (dim,))\n',
  'kind': 'from gan_jax.kinds.point import *\n',
  'data': 'import numpy as np\nfrom gan_jax.data import memory\n'
  'def load():\n'
  "  return memory.from_arrays('x', 'dotted.kind', np.ones((4, 2), 'f'))\n",
}


@pytest.fixture(scope='module', autouse=True)
def package(tmp_path_factory):
  with importable(tmp_path_factory.mktemp('dotted'), 'dotted', FILES):
    yield


def test_a_feature_net_of_ones_own():
  net = spaces.load(POINTS, 'dotted.net')
  assert net.name == 'dotted.net' and net.knows == ('probabilities',)
  seen = net.apply(POINTS.read(np.arange(4))['x'])
  np.testing.assert_allclose(
    seen.features, POINTS.read(np.arange(4))['x'] ** 2, 1e-6
  )
  config = command.load_config('ring8:tiny', {'features': 'dotted.net'})
  protocol = contents.eval_protocol(config)
  built = setup.build(config)
  names = scoring.metric_names(built, ('is', 'fid'), protocol=protocol)
  assert names == ('is', 'fid')


def test_its_hash_is_that_of_its_source_but_for_comments():
  one, same, other = (
    spaces.load(POINTS, f'dotted.{name}').hash
    for name in ('net', 'same_net', 'other_net')
  )
  assert one == same != other and one


@pytest.mark.parametrize(
  'name, words',
  [
    ('nothing', "features='dotted.nothing': there is no such module"),
    ('helper', 'the module has no load'),
    ('no_features', 'features=dotted.no_features: load gives int'),
    ('one_row', 'features=dotted.one_row: .*\\[N, D\\]'),
    ('fails', 'features=dotted.fails: matmul'),
    ('broken', "ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
  ],
)
def test_what_is_wrong_with_a_net_is_a_line(name, words):
  with pytest.raises(UserError, match=words):
    spaces.load(POINTS, f'dotted.{name}')


@pytest.mark.parametrize(
  'ask, words',
  [
    (lambda: latents.maker('dotted.helper'), 'latent.name=.*no make_prior'),
    (lambda: latents.maker('dotted.x'), 'latent.name=.*no such module'),
    (lambda: kinds.named('dotted.helper'), 'kind=.*has no SHOWN'),
    (lambda: kinds.named('dotted.x'), 'kind=.*no such module'),
    (lambda: measures.expand(('dotted.x',), frozenset()), 'metrics=.*no such'),
    (lambda: measures.expand(('dotted.broken',), frozenset()), 'metrics=.*Mod'),
  ],
)
def test_the_same_door_for_all(ask, words):
  with pytest.raises(UserError, match=words):
    ask()


NAMED = {
  'latent': {'name': 'dotted.prior', 'dim': 3},
  'data': {'name': 'dotted.data'},
  'optim.d.schedule': {'name': 'dotted.rates'},
  'optim.g.name': 'optax.contrib.muon',
  'metrics': ('fid',),
}


def test_they_make_a_run_and_their_sources_are_known():
  config = command.load_config('ring8:tiny', NAMED)
  made = setup.build(config)
  assert made.dataset.kind == 'dotted.kind'
  assert made.numbers['latent'] == {'scale': 2.0}
  assert set(sources.outside_modules(config)) == {
    'dotted.prior', 'dotted.data', 'dotted.kind', 'dotted.rates',
    'dotted.helper',
  }  # fmt: skip
  joined = {'name': 'join_schedules', 'schedules': [{'name': 'dotted.rates'}]}
  config['optim'] = {'g': {'name': 'optax.sgd', 'schedule': joined}}
  config['latent'] = config['data'] = {'name': 'normal'}
  assert set(sources.outside_modules(config)) == {
    'dotted.rates', 'dotted.helper',
  }  # fmt: skip
