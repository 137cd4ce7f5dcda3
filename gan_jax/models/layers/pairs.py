"""Games on pairs: D tells (sample, its code) from (what G makes of a code, it).

Donahue et al. 2017, BiGAN (https://arxiv.org/abs/1605.09782), Section 3;
Dumoulin et al. 2017, ALI (https://arxiv.org/abs/1606.00704), Section 2.
"""

from gan_jax.types import Loss


def both_sides(loss: Loss) -> Loss:
  """The loss of a game whose encoder plays against D as G does.

  E makes one half of the real pairs, so that a loss of the fakes' logits alone
  (most are) would leave it without a gradient. E and G take D's own loss with
  the two sides exchanged: of cross-entropy that is
  softplus(-s(G(z), z)) + softplus(s(x, E(x))), as in both papers' code.
  """
  swapped = lambda real_logits, fake_logits: loss.d_loss(
    real_logits=fake_logits, fake_logits=real_logits
  )
  return Loss(loss.d_loss, swapped)
