"""Each kind of component is one new file: found by its dotted name, it trains
two steps, is saved, and resumes to the same bits.

(A kind of data with its data set: tests/kinds/test_new_kind.py.)
"""

import functools

import jax
import numpy as np
import pytest

from gan_jax.metrics import measures
from gan_jax.run import command, training
from gan_jax.run import setup as setup_lib
from gan_jax.storage import files
from gan_jax.storage.checkpoints import Checkpoints
from tests import tiny

LOSS = """
def d_loss(real_logits, fake_logits, *, scale: float = 1.0):
  return scale * (fake_logits - real_logits) + real_logits ** 2


def g_loss(real_logits, fake_logits, *, scale: float = 1.0):
  return -scale * fake_logits
"""

PENALTY = '''
import jax
import jax.numpy as jnp


def init():
  return {'mean': jnp.float32(0), 'calls': jnp.int32(0)}


def _moved(memo, value):
  mean = 0.9 * memo['mean'] + 0.1 * value.mean()
  return {'mean': jax.lax.stop_gradient(mean), 'calls': memo['calls'] + 1}


def d_term(forward, memo, *, key, weight: float = 0.1):
  """Keeps D's logits of reals near their mean of before."""
  logits = forward.on_real['logits']
  return weight * (logits - memo['mean']) ** 2, _moved(memo, logits)


def g_term(forward, memo, *, key, sd: float = 0.1):
  """A latent nearby makes a sample nearby."""
  noise = jax.vmap(lambda k: jax.random.normal(k, forward.latent.shape[1:]))
  near = forward.net('g', forward.latent + sd * noise(key), None)
  far = forward.net('g', forward.latent, None)
  value = ((near - far) ** 2).sum(-1)
  return value, _moved(memo, value)
'''

AUGMENT = """
import jax
import jax.numpy as jnp


def init():
  return {'p': jnp.float32(0.5)}


def apply(x, memo, *, key, size: float = 0.1):
  noise = jax.vmap(lambda k: jax.random.normal(k, x.shape[1:]))(key)
  gate = jax.vmap(lambda k: jax.random.uniform(k) < memo['p'])(key)
  return x + size * jnp.where(gate[:, None], noise, 0)


def update(memo, real_logits, *, target: float = 0.6):
  more = jnp.sign(jnp.sign(real_logits).mean() - target)
  return {'p': memo['p'] + 0.01 * more}
"""

DYNAMICS = '''
from gan_jax.game import keys
from gan_jax.game.step import finish, move, take


def make(game, *, g_steps: int = 1):
  """G moves more often than D."""
  d, g = move(game, ('d',)), move(game, ('g',))

  def step(state, batch, key):
    key = keys.stream(key, keys.STEP, state.step)
    state, on_d = d(state, take(batch, 0), keys.stream(key, keys.D_MOVE))
    for i in range(g_steps):
      own = keys.stream(key, keys.G_MOVE, i)
      state, on_g = g(state, take(batch, -1), own)
    return finish(game, state), {**on_d, **on_g}

  return step
'''

CONDITIONING = """
from collections.abc import Callable

import flax.linen as nn
import optax


class Head(nn.Module):
  dense: Callable
  embed: Callable
  num_classes: int = 0
  bias: bool = True

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    layer = lambda n, name: self.dense(n, use_bias=self.bias, name=name)
    classes = layer(self.num_classes, 'classes')(features)
    return {'logits': layer(1, 'logits')(features)[:, 0], 'classes': classes}


def _term(heads, forward, weight):
  return weight * optax.softmax_cross_entropy_with_integer_labels(
    heads['classes'], forward.batch['label']
  )


def d_term(forward, memo, *, key, weight: float = 1.0):
  return _term(forward.on_real, forward, weight), memo


def g_term(forward, memo, *, key, weight: float = 1.0):
  return _term(forward.on_fake, forward, weight), memo
"""

MODEL = '''
from tests.encoder_model import Discriminator, Encoder, Generator, play


def frozen():
  """A teacher that nobody trains."""
  import numpy as np
  return {'w': np.full((2, 2), 0.5, np.float32)}
'''

TAUGHT = '''
import jax.numpy as jnp


def e_term(forward, memo, *, key, weight: float = 1.0):
  """What E makes of a sample is near to what the teacher makes of it."""
  code = forward.net('e', forward.batch['x'])[:, :2]
  taught = forward.batch['x'] @ forward.batch['frozen']['own_files.model']['w']
  return weight * jnp.square(code - taught).sum(-1), memo
'''

DATA = """
import numpy as np
from gan_jax.data import memory


def load(*, size=64, radius=1.0, halves=False):
  angle = np.random.default_rng(0).uniform(0, 2 * np.pi, size)
  x = radius * np.stack([np.cos(angle), np.sin(angle)], -1)
  known = {'label': angle > np.pi, 'class_names': ('upper', 'lower')}
  known = known if halves else {}
  return memory.from_arrays('circle', 'point', x.astype(np.float32), **known)
"""

METRIC = """
import numpy as np
from gan_jax.metrics.measures import Metric


def off_centre(real, fake, known):
  distance = np.linalg.norm(fake.features.mean(0) - real.features.mean(0))
  return {'off_centre': float(distance)}, {}


METRIC = Metric(
  ('off_centre',), off_centre, ('features',), ('features',),
  lower_is_better=True,
)
"""

FILES = {
  'loss': LOSS, 'penalty': PENALTY, 'augment': AUGMENT, 'dynamics': DYNAMICS,
  'conditioning': CONDITIONING, 'model': MODEL, 'taught': TAUGHT, 'data': DATA,
  'metric': METRIC,
}  # fmt: skip
own = 'own_files.{}'.format
NAMED = lambda file, **options: {'name': own(file), **options}
LABELLED = {'conditional': True, 'data': NAMED('data', halves=True)}
# What a config says to use them, and what the metrics then hold. Several files
# at once, for each config is compiled.
USED = {
  'loss, penalty, augment, dynamics, data': (
    {
      'loss': NAMED('loss', scale=0.5),
      'penalties': {own('penalty'): {'weight': 0.2}},
      'augment': NAMED('augment', size=0.2),
      'dynamics': NAMED('dynamics', g_steps=2),
      'data': NAMED('data', radius=2.0),
    },
    ['d_loss', f'penalty_{own("penalty")}', f'g_penalty_{own("penalty")}'],
  ),
  'a penalty now and then, metric': (
    {
      'penalties': {own('penalty'): {'every': 2}},
      'metrics': (own('metric'), 'modes'),
    },
    [f'g_penalty_{own("penalty")}'],
  ),
  'conditioning': (
    {
      'conditioning': NAMED('conditioning', bias=False, weight=0.5),
      'health_every': 1,
      **LABELLED,
    },
    ['penalty_conditioning', 'g_penalty_conditioning', 'health_separation'],
  ),
  'model': (
    {
      'model': NAMED('model', e={'hidden': 4}),
      'penalties': {own('taught'): {}},
      'loss': {'name': 'rpgan'},
    },
    [f'e_penalty_{own("taught")}'],
  ),
}
# Slowly, each of them by itself.
FIRST = USED['loss, penalty, augment, dynamics, data'][0]
ALONE = {key: ({key: value}, []) for key, value in FIRST.items()}
CASES = USED | ALONE


@pytest.fixture(scope='module', autouse=True)
def package(tmp_path_factory):
  folder = tmp_path_factory.mktemp('package')
  (folder / 'own_files').mkdir()
  for name, source in FILES.items():
    (folder / 'own_files' / f'{name}.py').write_text(source)
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(folder)
    yield


def recipe(overrides, *, steps):
  config = command.load_config('configs/ring8.py:tiny')
  config |= {'penalties': {}, 'save_every': 1, 'report_every': 2}
  config |= {'eval_every': 0, 'health_every': 0, 'metrics': ()}
  config |= {'steps': steps} | overrides
  config['model'] = {'g': {}, 'd': {}, **config['model']}
  return config


def state_of(workdir, config):
  like = jax.eval_shape(setup_lib.build(config).init)
  with Checkpoints(workdir / 'checkpoints', read_only=True) as checkpoints:
    return checkpoints.restore(like)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """name -> (folder of the run in two parts and the whole one, last scores)."""

  @functools.cache
  def train(name):
    folder, of = tmp_path_factory.mktemp('runs'), CASES[name][0]
    for steps in (1, 2):
      training.train(recipe(of, steps=steps), folder / 'parts')
    return folder, training.train(recipe(of, steps=2), folder / 'whole')

  return train


@pytest.mark.parametrize(
  'name', [*USED, *(pytest.param(n, marks=pytest.mark.slow) for n in ALONE)]
)
def test_one_file_trains_and_resumes(name, run):
  overrides, shown = CASES[name]
  (folder, _), config = run(name), recipe(overrides, steps=2)
  whole, parts = (state_of(folder / w, config) for w in ('whole', 'parts'))
  assert whole.step == parts.step == 2
  assert tiny.distance(whole.state, parts.state) == 0
  row = files.read_rows(folder / 'whole' / 'metrics.jsonl')[0]
  assert set(shown) <= set(row)
  begun = setup_lib.build(config).init()
  for player, moved in whole.state.players.items():
    assert tiny.distance(moved.params, begun.players[player].params) > 0, player
  for name, memo in whole.state.memo.items():
    for before, after in zip(
      *map(jax.tree.leaves, (begun.memo[name], memo)), strict=True
    ):
      assert not np.array_equal(before, after), f'{name} never changed'


def test_its_score_is_recorded_and_ranks(run):
  folder, records = run('a penalty now and then, metric')
  (record,) = [r for r in records if r['metric'] == 'off_centre']
  assert record['value'] > 0
  lines = (folder / 'whole' / 'report.html').read_text()
  assert 'Off centre' in lines
  assert measures.is_lower_better('off_centre')
  assert not measures.is_lower_better('modes')


def test_every_file_here_is_used():
  used = ' '.join(map(str, USED.values()))
  assert all(own(name) in used for name in FILES)
