"""Features of a small classifier, trained here on the data set's own labels.

For data that ImageNet's classes say little about, and for machines without a
network. Scores are comparable only where the weights' hash is equal; so the
training is seeded and its result cached by the content of the data.
"""

import functools
import hashlib
import json
import math
import time

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util

from gan_jax.metrics import checks, content
from gan_jax.metrics.features import base, store
from gan_jax.types import Dataset, UserError

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
  params = _init(x.shape[1:], num_classes, seed)
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


def load_or_train(
  dataset: Dataset, *, cache_dir=None, seed: int = 0, say=print
) -> base.Features:
  """The classifier of a data set, from the cache if it was trained before.

  Args:
    dataset: labelled images.
    cache_dir: default $GAN_JAX_CACHE or ~/.cache/gan_jax. If it cannot be
      written, nothing is cached.
    seed: of the training.
    say: called with a line of text before and after a training.

  Returns:
    Features with the hash of the weights and the held-out accuracy.

  Raises:
    UserError: the data set has no labels, or its samples are not images.
  """
  if not dataset.class_names or len(dataset.shape) != 3:
    raise UserError(
      f'data set {dataset.name}: a classifier needs labelled images; '
      'features=pixels needs neither labels nor images'
    )
  num_classes = len(dataset.class_names)
  path = store.cache_dir(cache_dir) / f'classifier_{_key(dataset, seed)}.npz'
  shapes = jax.eval_shape(lambda: _init(dataset.shape, num_classes, seed))
  trained = store.read(path, _flat(shapes))
  if trained is None:
    trained = _train_on(dataset, num_classes, seed, say)
    store.write(path, *trained)
  weights, accuracy = trained
  params = traverse_util.unflatten_dict(weights, sep='/')
  return base.Features(
    name='classifier',
    hash=store.weights_hash(weights),
    apply=functools.partial(_apply, params, num_classes),
    accuracy=accuracy,
    knows=('probabilities', 'classes'),
  )


def predict(params: dict, num_classes: int, samples) -> np.ndarray:
  """Probabilities by a classifier that `train` gave, in bounded memory.

  Args:
    params: of the classifier.
    num_classes: that it was trained with.
    samples: images [N, H, W, C], uint8 or float in model range, N >= 1.

  Returns:
    float32 [N, num_classes].
  """
  return _apply(params, num_classes, samples).probabilities


def _train_on(dataset, num_classes, seed, say):
  """Reads the examples and trains: flat weights and accuracy."""
  start = time.monotonic()
  rows = _rows(dataset)
  learn = train_by_content if dataset.any_order else train
  say(
    f'training a classifier of {dataset.name} for the scores (cached for later)'
  )
  examples = dataset.read(rows)
  params, accuracy = learn(
    examples['x'], examples['label'], num_classes, seed=seed
  )
  seconds = time.monotonic() - start
  say(f'classifier: {accuracy:.1%} right on held-out data, {seconds:.0f} s')
  return {k: np.asarray(v) for k, v in _flat(params).items()}, accuracy


def _rows(dataset):
  """Rows to train on: all, or a fixed draw of as many as are affordable."""
  sample_bytes = max(1, dataset.nbytes // max(1, dataset.size))
  affordable = RECIPE['max_bytes'] // sample_bytes
  n = min(dataset.size, RECIPE['max_examples'], affordable)
  return content.chosen(dataset, n)


def _key(dataset, seed):
  """Names the weights by everything they depend on."""
  known = dataset.fingerprint
  if not known:
    known = store.weights_hash(dataset.read(_rows(dataset)))
  parts = [known, dataset.shape, len(dataset.class_names), seed, RECIPE]
  parts += [dataset.any_order] if dataset.any_order else []
  return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


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


def _init(shape, num_classes, seed):
  x = jnp.zeros((1, *shape))
  return Classifier(num_classes).init(jax.random.key(seed), x)['params']


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


def _apply(params, num_classes, samples):
  """Seen of N samples, in bounded memory."""
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


def _flat(params):
  return traverse_util.flatten_dict(params, sep='/')
