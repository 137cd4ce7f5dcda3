"""The proximal point method against a loop in NumPy."""

import copy

import numpy as np

from tests.game import toys
from tests.game.test_dynamics_by_hand import (
  ADAM,
  STEPS,
  Adam,
  optimizers,
  own,
  path,
  turning,
)


def test_proximal_with_adam():
  """Five times from the same place, by the same moments; one update of them."""
  toy = toys.Toy('bilinear', **own('proximal'), **optimizers('adam', **ADAM))
  found = path(toy)
  adam, point = Adam(*ADAM.values()), found[0]
  for seen in found[1:]:
    at = point
    for _ in range(5):
      trial = copy.deepcopy(adam)
      at = point + trial.update(turning(at))
    adam, point = trial, at
    np.testing.assert_allclose(seen, point, atol=2e-5)
  assert adam.t == STEPS
