"""One file of each kind of component, as a user would write it."""

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
  label = forward.batch.get('label')
  near = forward.net('g', forward.latent + sd * noise(key), label)
  far = forward.net('g', forward.latent, label)
  value = ((near - far) ** 2).sum(-1)
  return value, _moved(memo, value)
'''

CHANGE = '''
import jax
import jax.numpy as jnp


def init():
  return {'mean': jnp.float32(0)}


def g_change(loss, forward, memo, *, share: float = 0.5):
  """G's loss beside what it was on average."""
  value = loss(forward)
  mean = 0.9 * memo['mean'] + 0.1 * jax.lax.stop_gradient(value.mean())
  return value + share * (value - memo['mean']) ** 2, {'mean': mean}
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
  'metric': METRIC, 'change': CHANGE,
}  # fmt: skip
