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
from collections.abc import Callable

import jax
import numpy as np
from flax import traverse_util

from gan_jax.data import kinds
from gan_jax.metrics import content
from gan_jax.metrics.features import base, convnet, store
from gan_jax.types import Dataset, UserError


def load_or_train(
  dataset: Dataset, *, cache_dir=None, seed: int = 0, say=print
) -> base.Features:
  """The classifier of a data set, from the cache if it was trained before.

  Args:
    dataset: of labelled samples that can be seen as images.
    cache_dir: default $GAN_JAX_CACHE or ~/.cache/gan_jax. If it cannot be
      written, nothing is cached.
    seed: of the training.
    say: called with a line of text before and after a training.

  Returns:
    Features with the hash of the weights and the held-out accuracy.

  Raises:
    UserError: the data set has no labels, or its samples can not be.
  """
  if not dataset.class_names or kinds.of(dataset).as_images is None:
    raise UserError(
      f'data set {dataset.name}: a classifier needs labels, and samples that'
      ' can be seen as images; features=pixels needs neither'
    )
  num_classes, look = len(dataset.class_names), images_of(dataset)
  shape = look(np.zeros((1, *dataset.shape), np.float32)).shape[1:]
  path = store.cache_dir(cache_dir) / f'classifier_{_key(dataset, seed)}.npz'
  shapes = jax.eval_shape(lambda: convnet.init(shape, num_classes, seed))
  trained = store.read(path, convnet.flat(shapes))
  if trained is None:
    trained = _train_on(dataset, num_classes, seed, say)
    store.write(path, *trained)
  weights, accuracy = trained
  params = traverse_util.unflatten_dict(weights, sep='/')
  return base.Features(
    name='classifier',
    hash=store.weights_hash(weights),
    apply=lambda samples: convnet.apply(params, num_classes, look(samples)),
    accuracy=accuracy,
    knows=('probabilities', 'classes'),
  )


def images_of(dataset: Dataset) -> Callable:
  """What shows samples [N, ...] of a data set as images [N, H, W, C]."""
  return functools.partial(kinds.of(dataset).as_images, about=dataset.about)


def _train_on(dataset, num_classes, seed, say):
  """Reads the examples and trains: flat weights and accuracy."""
  start = time.monotonic()
  rows = _rows(dataset)
  learn = convnet.train_by_content if dataset.any_order else convnet.train
  say(
    f'training a classifier of {dataset.name} for the scores (cached for later)'
  )
  examples = dataset.read(rows)
  x = kinds.of(dataset).to_metrics(examples['x'], dataset=dataset)
  images = images_of(dataset)(np.asarray(x))
  params, accuracy = learn(images, examples['label'], num_classes, seed=seed)
  seconds = time.monotonic() - start
  say(f'classifier: {accuracy:.1%} right on held-out data, {seconds:.0f} s')
  return {k: np.asarray(v) for k, v in convnet.flat(params).items()}, accuracy


def _rows(dataset):
  """Rows to train on: all, or a fixed draw of as many as are affordable."""
  sample_bytes = max(1, dataset.nbytes // max(1, dataset.size))
  affordable = convnet.RECIPE['max_bytes'] // sample_bytes
  n = min(dataset.size, convnet.RECIPE['max_examples'], affordable)
  return content.chosen(dataset, n)


def _key(dataset, seed):
  """Names the weights by everything they depend on."""
  known = dataset.fingerprint
  if not known:
    known = store.weights_hash(dataset.read(_rows(dataset)))
  parts = [known, dataset.shape, len(dataset.class_names), seed, convnet.RECIPE]
  parts += [dataset.any_order] if dataset.any_order else []
  # What is no image is seen through as_images, whatever that does.
  ramp = np.linspace(-1, 1, math.prod(dataset.shape), dtype=np.float32)
  ramp = ramp.reshape(1, *dataset.shape)
  seen = np.asarray(images_of(dataset)(ramp))
  if seen.shape != ramp.shape or (seen != ramp).any():
    parts += [store.weights_hash({'ramp': seen})]
  return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
