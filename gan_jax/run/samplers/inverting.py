"""Given samples, inputs again among those that a generator can make.

The distance is of pixels and of D's features, each relative to its size: there
are no weights of a perceptual network here, unlike Karras et al. 2020.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import keys as keys_lib
from gan_jax.game import networks
from gan_jax.game.sampling import inversion
from gan_jax.run import encoding
from gan_jax.run.samplers import spaces
from gan_jax.run.samplers.spaces import Space
from gan_jax.run.samplers.way import Way
from gan_jax.types import D

STEPS = 1000
CANDIDATES = 256  # samples among which a search begins


def candidates(
  setup, state, way: Way, labels, *, seed, run_seed, flag: str = 'invert'
) -> Space:
  """The samples among which a search for given ones begins.

  Args:
    setup: setup.Setup.
    state: State [S, ...].
    way: settled.
    labels: of the given ones, [N], [N, C] or None.
    seed: of the draw.
    run_seed: which of the S seeds.
    flag: that asks for it.

  Raises:
    UserError: a latent that cannot be moved.
  """
  if labels is not None:
    labels = np.resize(labels, (CANDIDATES, *labels.shape[1:]))
  own = {'seed': seed, 'labels': labels, 'run_seed': run_seed}
  return spaces.space(setup, state, way, CANDIDATES, flag=flag, **own)


def invert(own: Space, x, labels, *, steps: int = STEPS) -> tuple:
  """The points of a space whose samples are nearest to given ones.

  Of a generator with styles one style for all layers is sought, from the
  average on; of one with an encoder a latent from the code on; of others from
  the nearest sample of the space on.

  Args:
    own: of many samples.
    x: [N, *shape] in model range.
    labels: [N], [N, C] or None.
    steps: of the search.

  Returns:
    (samples [N, ...], points [N, ...], what the distance is of: words).
  """
  seen = _features(own)
  x = jnp.asarray(x, jnp.float32)
  begin, deviation, noise = _begin(own, x, labels)
  layers = own.points.shape[1] if own.styled else 0

  def samples(z):
    if own.styled:
      ws = jnp.repeat(z[:, None], layers, axis=1)
      return own.parts.images(own.variables, ws, noise)
    latents = {**noise, 'z': z} if noise is not None else z
    return own.parts.samples(own.variables, latents, labels)

  views = [lambda x: x] + ([functools.partial(seen, labels)] if seen else [])

  @jax.jit
  def search(begin, keys):
    distance = lambda z: _distance(views, samples(z), x)
    z, _ = inversion.invert(
      distance, begin, keys, deviation=deviation, steps=steps
    )
    return samples(z), z

  keys = keys_lib.fold_examples(jax.random.key(0), jnp.arange(len(x)))
  made, z = jax.device_get(search(begin, keys))
  return made, z, 'pixels' + (" and D's features" if seen else '')


def _distance(views, made, x):
  """Squared distances [B] relative to the size of what is sought."""
  total = 0.0
  for view in views:
    a, b = (view(y).reshape(len(x), -1) for y in (made, x))
    scale = jnp.square(b).mean(1) + 1e-6
    total += jnp.square(a - b).mean(1) / scale
  return total


def _begin(own, x, labels):
  """(points that a search begins with, their deviation, noise beside them)."""
  count = len(x)
  first = jax.tree.map(lambda z: z[:1], own.latents)
  repeat = lambda z: np.repeat(z, count, axis=0)
  if own.styled:
    w = own.points[:, 0]
    noise = first.get('noise') if isinstance(first, dict) else None
    middle = w.mean(0)
    deviation = np.sqrt(np.square(w - middle).sum(1).mean() / w.shape[1])
    return (
      jnp.asarray(np.tile(middle, (count, 1))),
      np.float32(deviation),
      jax.tree.map(repeat, noise),
    )
  noise = jax.tree.map(repeat, first) if isinstance(first, dict) else None
  deviation = np.float32(own.points.std())
  if own.setup.encodes:
    code = encoding.encode(own.setup, own.variables, x, labels)
    return jnp.asarray(code), deviation, noise
  made = own.render(own.points, np.arange(len(own.points)))
  flat = lambda y: np.asarray(y).reshape(len(y), -1)
  apart = [np.square(flat(made) - one[None]).sum(1) for one in flat(x)]
  return jnp.asarray(own.points[np.argmin(apart, 1)]), deviation, noise


def _features(own):
  """(label, samples [B, ...]) -> what D's head sees [B, F]; None without."""
  game = own.setup.rules().game
  net = game.nets[D]
  head = getattr(net, 'head', None)
  kind = getattr(head, 'func', head)
  if kind is None or D not in own.variables:
    return None

  def seen(label, x):
    inputs = []

    def look(method, args, kw, context):
      is_call = context.method_name == '__call__'
      if is_call and isinstance(context.module, kind):
        inputs.append(args[0])
      return method(*args, **kw)

    tree = {
      'params': own.variables[D]['params'],
      **own.variables[D]['vars'],
    }
    with nn.intercept_methods(look):
      networks.apply(net, tree, x, label, train=False)
    return inputs[0].astype(jnp.float32)

  x = jnp.zeros((1, *own.setup.dataset.shape))
  label = None if own.labels is None else own.labels[:1]
  try:
    jax.eval_shape(functools.partial(seen, label), x)
  except Exception:  # D is shown more than samples, or has its head elsewhere
    return None
  return seen
