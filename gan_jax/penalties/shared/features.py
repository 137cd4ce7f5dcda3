"""D's features of samples, where it gives some."""

import jax

from gan_jax.types import UserError


def of(heads: dict, *, flag: str) -> jax.Array:
  """Features [B, F] in float32.

  Args:
    heads: of D.
    flag: how the config names what asks for them, for error messages.

  Raises:
    UserError: there are none.
  """
  if 'features' not in heads:
    raise UserError(
      f'{flag}: D gives no features, only {", ".join(sorted(heads))}; that of'
      ' vae_gan does, or conditioning.name=multi_hinge.'
    )
  made = heads['features'].astype('float32')
  return made.reshape(len(made), -1)
