"""Samples of a trained generator."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.devices import parallel
from gan_jax.game import keys, networks

BATCH = 256  # samples in one call, of all devices together


def make_sampler(net_g, *, prior: Callable) -> Callable:
  """Returns sample(variables, key, index [B], label [B] | None) -> [B, ...].

  `variables` is {'params': ..., 'vars': ...} of one seed: G's average, or its
  own. A sample depends on the key and on its index alone. To be compiled by
  whoever calls it, see programs.
  """

  def sample(variables, key, index, label=None):
    z = latents(prior, key, index)
    tree = {'params': variables['params'], **variables['vars']}
    made = networks.apply(net_g, tree, z, label, train=False)
    return jax.tree.map(lambda x: x.astype(jnp.float32), made)

  return sample


def make_statistics(net_g, *, prior: Callable) -> Callable:
  """Returns statistics(variables, key, index [B], label [B] | None) -> tree.

  What G's batch norms find in a batch of samples, as they would find it in
  training: the mean and the variance of each, in the place of its averages.
  """

  def statistics(variables, key, index, label=None):
    z, own = latents(prior, key, index), variables['vars']
    rest = {k: v for k, v in own.items() if k != 'batch_stats'}

    def updated(averages):
      tree = {'params': variables['params'], **rest, 'batch_stats': averages}
      inputs = {'train': True, 'mutable': list(own)}
      return networks.apply(net_g, tree, z, label, **inputs)[1]['batch_stats']

    # New averages are `kept` times the old, and the rest of the batch's own.
    fill = lambda value: jax.tree.map(
      lambda x: jnp.full_like(x, value), own['batch_stats']
    )
    new, kept = jax.jvp(updated, (fill(0),), (fill(1),))
    return jax.tree.map(lambda x, kept: x / (1 - kept), new, kept)

  return statistics


def latents(prior: Callable, key: jax.Array, index) -> jax.Array:
  """What the samples of a draw are made of.

  Args:
    prior: latent of a key.
    key: root key [] of the draw.
    index: [B] int, of the samples in the draw.
  """
  return jax.vmap(prior)(keys_of(key, index))


def keys_of(key: jax.Array, index) -> jax.Array:
  """The keys [B] of the samples of a draw, by its root key and their index."""
  return keys.fold_examples(keys.stream(key, keys.SAMPLE), index)


def balanced_labels(num_samples: int, num_classes: int) -> np.ndarray | None:
  """Labels [N] that go through the classes in turn; None without classes."""
  if not num_classes:
    return None
  return np.arange(num_samples, dtype=np.int32) % num_classes


def as_labels(labels) -> np.ndarray:
  """Labels as networks take them: [N] int32, or vectors [N, C] float32."""
  labels = np.asarray(labels)
  return labels.astype(np.float32 if labels.ndim == 2 else np.int32)


def batches(
  sample: Callable,
  variables,
  key: jax.Array,
  num_samples: int,
  *,
  num_classes: int = 0,
  labels: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
  """Draws any number of samples in batches of one compiled size.

  The batches are split over the devices of this process.

  Args:
    sample: from make_sampler.
    variables: of one seed.
    key: root key [] of the draw.
    num_samples: N.
    num_classes: 0 for a generator without classes.
    labels: [N] int, or vectors [N, C], of a generator with labels; None for
      balanced_labels.

  Yields:
    samples float32 [B, ...] in model range and their labels [B] or [B, C] (None
    without any), N together; the first n do not depend on N.
  """
  variables, key = parallel.everywhere((variables, key))
  whole = -(-num_samples // BATCH) * BATCH  # of full batches
  if labels is None:
    labels = balanced_labels(whole, num_classes)
  else:
    labels = as_labels(labels)
    labels = labels[np.arange(whole) % len(labels)]
  for first in range(0, num_samples, BATCH):
    index = np.arange(first, first + BATCH, dtype=np.int32)
    label = None if labels is None else labels[first : first + BATCH]
    made = np.asarray(sample(variables, key, *parallel.spread((index, label))))
    n = min(BATCH, num_samples - first)
    yield made[:n], None if label is None else label[:n]


def collect(*args, **kwargs) -> np.ndarray:
  """All samples of `batches` at once, float32 [N, ...]."""
  return np.concatenate([x for x, _ in batches(*args, **kwargs)])


@jax.jit  # as one program, for all seeds
def take_seed(tree, seed: int):
  """One seed [...] of a tree of arrays [S, ...]."""
  return jax.tree.map(lambda x: x[seed], tree)
