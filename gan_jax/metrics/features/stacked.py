"""Features of stacked digits: a digit classifier's, channel after channel."""

from collections.abc import Callable

import numpy as np

from gan_jax.metrics.features import base, classifier
from gan_jax.types import Dataset


def load(dataset: Dataset, *, say: Callable = print) -> base.Features:
  """The classifier of one channel's digits, for all three of them.

  Args:
    dataset: stacked_mnist, whose modes hold the digits of a channel.
    say: called with a line of text if the classifier has to be trained.

  Returns:
    Features [N, 3 D]; the probabilities are [N, 3, C].
  """
  net = classifier.load_or_train(dataset.modes['channel'], say=say)

  def apply(samples):
    samples = np.asarray(samples)
    channels = [net.apply(samples[..., c : c + 1]) for c in range(3)]
    return base.Seen(
      np.concatenate([seen.features for seen in channels], axis=1),
      np.stack([seen.probabilities for seen in channels], axis=1),
    )

  return base.Features(
    'stacked', net.hash, apply, accuracy=net.accuracy, knows=('stacked',)
  )
