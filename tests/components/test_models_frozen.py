"""Thin networks against the figures of the same ones by PyTorch."""

import jax
import numpy as np
import pytest

from tests.components import frozen


@pytest.mark.parametrize('name', frozen.CASES)
def test_a_network_makes_what_pytorch_makes(name):
  case = frozen.CASES[name]
  variables, x, run = frozen.begun(case)
  y = jax.jit(run)(variables['params'], x)
  np.testing.assert_allclose(frozen.figures(y), case.figures, 1e-3, 1e-4)
