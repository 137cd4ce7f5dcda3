"""Codes that D can read from samples: the mutual information of InfoGAN.

Chen et al. 2016 (https://arxiv.org/abs/1606.03657), section 5: Q, which shares
D's features, guesses the codes c that stand behind the noise in the latent; its
log-likelihood is a lower bound of their mutual information with the sample, and
is added to what both players maximise (equation 6):

  D: loss - weight log Q(c | fake)      G: loss - weight log Q(c | fake)

so that D's features learn from it too. Categorical codes are guessed by logits,
those in [-1, 1] by a mean, and by a variance where `variance` is 'learned'; it
is 1 if not, as in the authors' code. Nobody is told a label.
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning.shared import heads
from gan_jax.types import UserError

SEES_LABEL = False
VARIANCES = 'fixed', 'learned'


class Head(nn.Module):
  """D's features to its logits, and to what Q makes of the codes."""

  dense: Callable  # (features, name=) -> module
  norm: Callable  # (name=) -> module, or the identity
  num_classes: int
  categories: tuple[int, ...] = (10,)  # as in latent.categories
  continuous: int = 2  # as in latent.continuous
  hidden: int = 128  # units of a layer before; 0 is none
  variance: str = 'fixed'  # of codes in [-1, 1], see VARIANCES

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns the heads of features [B, F].

    Returns:
      {'logits': [B], 'code_logits': a tuple of [B, n], 'code_mean': [B, C],
      'code_log_variance': [B, C]}.

    Raises:
      UserError: an unknown variance.
    """
    if self.variance not in VARIANCES:
      raise UserError(
        f'conditioning.variance={self.variance!r}: expected one of'
        f' {", ".join(VARIANCES)}.'
      )
    x = features
    if self.hidden:
      x = self.norm(name='norm_codes')(self.dense(self.hidden, name='codes')(x))
      x = nn.leaky_relu(x, 0.1)
    guess = lambda n, name: heads.wide(self.dense(n, name=name)(x))
    mean = guess(self.continuous, 'mean') if self.continuous else x[:, :0]
    learned = self.continuous and self.variance == 'learned'
    return {
      'logits': heads.logit(self.dense, features),
      'code_logits': tuple(
        guess(n, f'category_{i}') for i, n in enumerate(self.categories)
      ),
      'code_mean': heads.wide(mean),
      'code_log_variance': (
        guess(self.continuous, 'log_variance')
        if learned
        else jnp.zeros_like(mean, jnp.float32)
      ),
    }


def d_term(
  forward: Any, memo: Any, *, weight: float = 1.0
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the codes' negative log-likelihood.

  Returns:
    the term of each example [B], and memo.

  Raises:
    UserError: the latent has not so many codes.
  """
  return weight * surprise(forward.on_fake, forward.latent), memo


g_term = d_term


def surprise(judged: dict, latent: Any) -> jax.Array:
  """-log Q(codes | sample) [B], of the codes at the end of the latents [B, Z].

  Raises:
    UserError: the latent is shorter, or no vector.
  """
  sizes = [x.shape[-1] for x in judged['code_logits']]
  mean, log_variance = judged['code_mean'], judged['code_log_variance']
  count = sum(sizes) + mean.shape[-1]
  if getattr(latent, 'ndim', 0) != 2 or latent.shape[-1] <= count:
    raise UserError(
      f'conditioning.name=infogan: guesses {count} numbers of codes; expected'
      ' a latent with latent.categories and latent.continuous as'
      ' conditioning.categories and conditioning.continuous.'
    )
  codes, value = latent[:, latent.shape[-1] - count :], 0.0
  for logits in judged['code_logits']:
    code, codes = jnp.split(codes, [logits.shape[-1]], axis=-1)
    value = value - (code * jax.nn.log_softmax(logits)).sum(-1)
  square = jnp.square(codes - mean) * jnp.exp(-log_variance)
  return value + (square + log_variance + math.log(2 * math.pi)).sum(-1) / 2
