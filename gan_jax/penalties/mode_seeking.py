"""Mode seeking: distant latents are to make distant samples.

Mao et al. 2019, Mode Seeking Generative Adversarial Networks
(https://arxiv.org/abs/1903.05628): their ratio is to be large, and its
reciprocal small,

  weight / (mean |G(z) - G(z')| / mean |z - z'| + 1e-5)

for each example, with z' another draw and the same label. G makes both samples
in evaluation mode. Of a latent with noise beside its z, z alone is drawn anew.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game import latents
from gan_jax.types import G

TINY = 1e-5  # beside the ratio, and between two equal latents


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def _apart(x, y):
  """Mean absolute difference of each example, [B]."""
  return jnp.abs(x - y).reshape(len(x), -1).mean(axis=1)


def g_term(
  forward: Any,
  memo: Any,
  *,
  key: jax.Array,
  weight: float = 1.0,
) -> tuple[jax.Array, Any]:
  """Adds to G's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    key: one for each example [B], of which the other latent is.
    weight: of the reciprocal of the ratio.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: how far two such latents are apart is not known.
  """
  flag, latent = 'penalties.mode_seeking', forward.latent
  z = latents.code_of(latent, flag=flag)
  other = latents.code_of(jax.vmap(forward.prior)(key), flag=flag)
  both = latent, latents.with_code(latent, other)
  label = forward.batch.get('label')
  pair = [forward.net(G, one, label) for one in both]
  ratio = _apart(*pair) / (_apart(z, other) + TINY)
  return weight / (ratio + TINY), memo
