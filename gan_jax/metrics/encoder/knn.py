"""What the codes of an encoder know of classes: the nearest one's label.

Donahue et al. 2017 (https://arxiv.org/abs/1605.09782), section 4.1: one nearest
neighbour in the space of the codes, by Euclidean distance.
"""

import numpy as np

from gan_jax.metrics import memorisation


def right(codes, labels, of_codes, of_labels) -> np.ndarray:
  """Whether the nearest training example has the right label, [M] bool.

  Args:
    codes: of training examples, [N, Z].
    labels: theirs, [N].
    of_codes: of others, [M, Z].
    of_labels: theirs, [M].

  Raises:
    UserError: codes that are not finite.
  """
  flat = lambda x: np.asarray(x).reshape(len(x), -1)
  _, near = memorisation.nearest(flat(of_codes), flat(codes))
  return np.asarray(labels)[near[:, 0]] == np.asarray(of_labels)
