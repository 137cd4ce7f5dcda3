"""Programs of components with options, to be compared."""

import functools
import hashlib
import importlib
import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax import select
from gan_jax.game import latents, networks
from tests.components.shipped import OTHER_SAMPLES

SHAPE = (8, 8, 3)


def load(kind, name):
  return importlib.import_module(f'gan_jax.{kind}.{name}')


def traced(function, *args):
  """A program that can be compared; addresses of functions are no part of it.

  It should hold gradients: what a derivative is by definition is not seen
  otherwise.
  """
  closed = jax.make_jaxpr(function)(*args)
  text = re.sub(r'0x[0-9a-f]+', '', str(closed)).encode()
  constants = (np.asarray(const).tobytes() for const in closed.consts)
  return hashlib.sha256(b' '.join([text, *constants])).hexdigest()


def loss_program(module, options):
  def both(real, fake):
    losses = [f(real, fake, **options) for f in (module.d_loss, module.g_loss)]
    return jnp.stack(losses)

  logits = jax.ShapeDtypeStruct((2,), jnp.float32)
  slopes = jax.jacrev(lambda *logits: both(*logits).sum(1), (0, 1))
  return traced(
    lambda *logits: (both(*logits), slopes(*logits)), logits, logits
  )


def penalty_program(module, options):
  if hasattr(module, 'project'):
    weight = jax.ShapeDtypeStruct((2, 2), jnp.float32)
    project = functools.partial(module.project, **options)
    return traced(project, {'kernel': weight})

  def penalty(scale, real, fake, key):
    critic = lambda x: jnp.square(scale * x).reshape(2, -1).sum(1)
    own, _ = module.penalty(
      critic, real, fake, module.init(), key=key, **options
    )
    return own.sum()

  x = jax.ShapeDtypeStruct((2, *SHAPE), jnp.float32)
  key = jax.eval_shape(lambda: jax.random.key(0))
  scale = jax.ShapeDtypeStruct((), jnp.float32)
  return traced(jax.value_and_grad(penalty), scale, x, x, key)


def augment_program(module, options):
  """Of all that an augmentation does, and of the gradient of what it shows."""
  made = select.augmentation(module.__name__, **options)

  def run(x, key, logits):
    memo = made.init()
    shown = lambda x: jnp.square(made.apply(x, memo, key=key)).sum()
    replaced = made.replace(x, -x, memo, key=key)
    return jax.value_and_grad(shown)(x), replaced, made.update(memo, logits)

  x = jax.ShapeDtypeStruct((2, *SHAPE), jnp.float32)
  key = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 2))
  return traced(run, x, key, jax.ShapeDtypeStruct((2,), jnp.float32))


PROGRAMS = {}  # of networks: the usual one is compared with all others


def network_program(network, options, *, slopes=True):
  """Of a generator's or a discriminator's output, and of its gradient.

  Args:
    network: its class.
    options: of it.
    slopes: whether the gradient is a part of it; what differs without, does so
      with it, too, and is traced in half of the time.
  """
  usual = {k: v.default for k, v in network.__dataclass_fields__.items()}
  key = network, repr(sorted((usual | options).items())), slopes
  if key not in PROGRAMS:
    PROGRAMS[key] = _network_program(network, options, slopes)
  return PROGRAMS[key]


def _network_program(network, options, slopes):
  name = network.__module__.rpartition('.')[2]
  shape = OTHER_SAMPLES.get(name, SHAPE)
  makes_samples = 'shape' in network.__dataclass_fields__
  given = {'shape': shape} if makes_samples else {}
  net = network(**given, **options)
  # Of the training, which a play may tell its networks.
  takes = inspect.signature(network.__call__).parameters
  also = {'step': jnp.int32(3)} if 'step' in takes else {}
  label = (jnp.arange(2),) if getattr(net, 'num_classes', 0) else ()

  def run(key, x):
    variables = networks.init(net, key, x, *label, train=True)
    params = variables.pop('params')

    def total(params, train):
      tree = {'params': params, **variables}
      out, _ = networks.apply(
        net, tree, x, *label, train=train, mutable=True, **also
      )
      return sum(map(jnp.sum, jax.tree.leaves(out)))

    look = jax.value_and_grad(total) if slopes else total
    return look(params, True), total(params, False)

  key = jax.eval_shape(lambda: jax.random.key(0))
  one = latent_of(name, shape) if makes_samples else jnp.zeros(shape)
  pair = lambda x: jax.ShapeDtypeStruct((2, *x.shape), x.dtype)
  return traced(run, key, jax.tree.map(pair, one))


def latent_of(name, shape):
  """The shapes of a model's latent."""
  make_prior = latents.maker('normal', load('models', name))
  asks = 'shape' in inspect.signature(make_prior).parameters
  prior = make_prior(**({'shape': shape} if asks else {}), dim=4)
  return jax.eval_shape(prior, jax.random.key(0))
