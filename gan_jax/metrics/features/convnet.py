"""A small convolutional classifier and its training, on arrays."""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util

from gan_jax.devices import once
from gan_jax.metrics import checks, content
from gan_jax.metrics.features import base
from gan_jax.types import UserError

# Whatever changes the weights belongs here: it is part of the cache's key.
RECIPE = {
  'version': 1,
  'widths': (32, 64),
  'num_features': 64,
  'batch_size': 128,
  'learning_rate': 2e-3,
  'weight_decay': 1e-4,
  'epochs': 40,
  'steps': (400, 2000),  # fewest and most, whatever the epochs
  'holdout': 0.15,
  'max_holdout': 10_000,
  'max_examples': 60_000,
  'max_bytes': 2**30,
}
BATCH = 250  # samples that go through the net at a time


class Classifier(nn.Module):
  """Two convolutions and two dense layers, for images of any size."""

  num_classes: int

  @nn.compact
  def __call__(self, x):  # [B, H, W, C]
    # Large images are folded to 16 x 16 or less, space to depth, which costs
    # a CPU far less than the first convolutions would.
    x = _fold(x, 2 ** max(0, math.ceil(math.log2(max(x.shape[1:3]) / 16))))
    for width in RECIPE['widths']:
      x = nn.relu(nn.Conv(width, (3, 3), precision='highest')(x))
      if max(x.shape[1:3]) > 4:
        x = _split(x, 2).max(axis=(2, 4))
    x = x.reshape(len(x), -1)
    x = nn.Dense(RECIPE['num_features'], precision='highest')(x)
    features = nn.relu(x)  # [B, D]
    return features, nn.Dense(self.num_classes, precision='highest')(features)


def train(
  x, labels, num_classes: int, *, seed: int = 0, steps: int | None = None
) -> tuple[dict, float]:
  """Trains the classifier on all but a fixed share of the examples.

  Args:
    x: images [N, H, W, C], uint8 or float in model range.
    labels: [N] integers below num_classes.
    num_classes: number of classes.
    seed: of the weights and of the order of examples.
    steps: updates; default 40 epochs, but from 400 to 2,000.

  Returns:
    (params, accuracy on the examples held out, which are the same ones
    whatever the seed).

  Raises:
    UserError: shapes that do not fit, too few examples, labels out of range.
  """
  x, labels = _checked(np.asarray(x), np.asarray(labels), num_classes)
  kept, held = _split_rows(len(x))
  batch_size = min(RECIPE['batch_size'], len(kept))
  if steps is None:
    epochs = RECIPE['epochs'] * len(kept) // batch_size
    steps = int(np.clip(epochs, *RECIPE['steps']))
  params = init(x.shape[1:], num_classes, seed)
  opt = _optimizer().init(params)
  # A Python loop: on CPU a convolution in a compiled one is 17 times slower.
  for step, rows in enumerate(_batches(kept, batch_size, steps, seed)):
    params, opt = _step(
      params, opt, x[rows], labels[rows], _rate(step, steps), num_classes
    )
  probabilities = predict(params, num_classes, x[held])
  accuracy = float(np.mean(probabilities.argmax(axis=1) == labels[held]))
  return params, accuracy


def train_by_content(x, labels, num_classes: int, **options) -> tuple:
  """What `train` gives, whatever the order of examples and classes is."""
  x, labels = _checked(np.asarray(x), np.asarray(labels), num_classes)
  order, place = content.order(x, labels, num_classes)
  params, accuracy = train(
    x[order], place[labels[order]], num_classes, **options
  )
  last = {k: v[..., place] for k, v in params['Dense_1'].items()}
  return {**params, 'Dense_1': last}, accuracy


def predict(params: dict, num_classes: int, samples) -> np.ndarray:
  """Probabilities by a classifier that `train` gave, in bounded memory.

  Args:
    params: of the classifier.
    num_classes: that it was trained with.
    samples: images [N, H, W, C], uint8 or float in model range, N >= 1.

  Returns:
    float32 [N, num_classes].
  """
  return apply(params, num_classes, samples).probabilities


def _checked(x, labels, num_classes):
  if x.ndim != 4 or labels.shape != x.shape[:1] or len(x) < 2:
    raise UserError(
      'classifier: expected two or more images [N, H, W, C] and labels [N], '
      f'got {list(x.shape)} and {list(labels.shape)}'
    )
  checks.label_range(labels, num_classes, 'classifier: labels')
  return x, labels.astype(np.int32)


def _split_rows(n):
  """(rows to learn from, rows held out), the same for every seed."""
  held = min(max(1, int(n * RECIPE['holdout'])), RECIPE['max_holdout'])
  rows = np.random.default_rng(0).permutation(n)
  return rows[held:], rows[:held]


def _batches(rows, batch_size, steps, seed):
  """Yields rows [batch_size], epoch after epoch; the last bits are dropped."""
  rng = np.random.default_rng(seed)
  per_epoch = len(rows) // batch_size
  for step in range(steps):
    i = step % per_epoch
    if i == 0:
      order = rng.permutation(rows)
    yield order[i * batch_size : (i + 1) * batch_size]


def _rate(step, steps):
  """Learning rate: a tenth of the steps up, then down along a cosine."""
  warm = min(1.0, (step + 1) / max(1, steps // 10))
  down = 0.5 * (1 + math.cos(math.pi * step / steps))
  return np.float32(RECIPE['learning_rate'] * min(warm, down))


def _optimizer():
  return optax.chain(
    optax.scale_by_adam(), optax.add_decayed_weights(RECIPE['weight_decay'])
  )


def init(shape: tuple[int, ...], num_classes: int, seed: int) -> dict:
  """Its parameters before the training, for images [H, W, C]."""
  return _init(num_classes, shape)(seed)


@functools.lru_cache(8)
def _init(num_classes, shape):
  """The program that makes the weights of a seed."""

  def init(seed):
    x = jnp.zeros((1, *shape))
    return Classifier(num_classes).init(jax.random.key(seed), x)['params']

  return once.jit(init)


@functools.partial(jax.jit, static_argnums=5)
def _step(params, opt, x, labels, rate, num_classes):
  """One update of Adam with decoupled weight decay."""

  def loss(params):
    _, logits = Classifier(num_classes).apply({'params': params}, _ranged(x))
    return optax.softmax_cross_entropy_with_integer_labels(
      logits, labels
    ).mean()

  grads = jax.grad(loss)(params)
  updates, opt = _optimizer().update(grads, opt, params)
  return jax.tree.map(lambda p, u: p - rate * u, params, updates), opt


@functools.partial(jax.jit, static_argnums=1)
def _infer(params, num_classes, x):
  features, logits = Classifier(num_classes).apply(
    {'params': params}, _ranged(x)
  )
  return base.Seen(features, jax.nn.softmax(logits))  # [B, D], [B, C]


def apply(params: dict, num_classes: int, samples) -> base.Seen:
  """What the classifier makes of images [N, H, W, C], in bounded memory."""
  see = lambda x: _infer(params, num_classes, x)
  return base.in_batches(see, samples, size=BATCH)


def _ranged(x):
  """uint8 travels to the device as such, and becomes [-1, 1] there."""
  return x / 127.5 - 1 if x.dtype == jnp.uint8 else x.astype(jnp.float32)


def _split(x, side):
  """[B, H, W, C] -> [B, H', side, W', side, C], padded to a multiple."""
  x = jnp.pad(
    x, ((0, 0), (0, -x.shape[1] % side), (0, -x.shape[2] % side), (0, 0))
  )
  b, h, w, c = x.shape
  return x.reshape(b, h // side, side, w // side, side, c)


def _fold(x, side):
  """Space to depth: [B, H, W, C] -> [B, H / side, W / side, C side^2]."""
  x = _split(x, side)
  b, h, _, w, _, _ = x.shape
  return x.transpose(0, 1, 3, 2, 4, 5).reshape(b, h, w, -1)


def flat(params: dict) -> dict:
  """The parameters by the path of each."""
  return traverse_util.flatten_dict(params, sep='/')
