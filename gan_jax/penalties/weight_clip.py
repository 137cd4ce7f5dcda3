"""Weight clipping: keeps D's parameters in a box after each of its updates.

Arjovsky et al., 'Wasserstein GAN', 2017, algorithm 1
(https://arxiv.org/abs/1701.07875). Like the authors' program it clips every
parameter, scales and offsets of normalisations too: at the default limit D
should have no normalisation.
"""

from typing import Any

import jax
import jax.numpy as jnp


def project(params: Any, *, limit: float = 0.01) -> Any:
  """Clips every parameter.

  Args:
    params: D's parameters, any pytree of arrays.
    limit: largest absolute value that stays.

  Returns:
    params, each in [-limit, limit].
  """
  return jax.tree.map(lambda x: jnp.clip(x, -limit, limit), params)
