"""The cross-entropy pair, from logits: the non-saturating GAN.

Goodfellow et al., 'Generative Adversarial Networks', 2014, section 3
(https://arxiv.org/abs/1406.2661), with sigmoid(logit) as D's probability
that a sample is real and sp = softplus = -log(sigmoid(-logit)):

  D: -log D(x) - log(1 - D(G(z)))  =  sp(-real) + sp(fake)
  G: -log D(G(z))                  =  sp(-fake)

One-sided label smoothing is that of Salimans et al., 2016, section 3.4
(https://arxiv.org/abs/1606.03498).
"""

import jax
from jax.nn import softplus

LOG_RATIO = True  # an optimal D's logit is log(p_data / p_generated)


def d_loss(
  real_logits: jax.Array, fake_logits: jax.Array, *, smoothing: float = 0.0
) -> jax.Array:
  """Returns D's loss of each example; no division by two.

  Args:
    real_logits: D's raw outputs on reals, [B].
    fake_logits: D's raw outputs on fakes, [B].
    smoothing: reals are to be called real with probability 1 - smoothing;
      the fakes' target stays 0.

  Returns:
    [B].
  """
  on_real = (1.0 - smoothing) * softplus(-real_logits)
  on_real += smoothing * softplus(real_logits)
  return on_real + softplus(fake_logits)  # [B]


def g_loss(
  real_logits: jax.Array, fake_logits: jax.Array, *, smoothing: float = 0.0
) -> jax.Array:
  """Returns G's loss of each example, [B], [B] -> [B]; never smoothed."""
  del real_logits, smoothing
  return softplus(-fake_logits)  # [B]
