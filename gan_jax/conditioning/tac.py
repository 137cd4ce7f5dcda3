"""Twin auxiliary classifiers: the second learns G's classes, and G evades it.

Gong et al. 2019, TAC-GAN (https://arxiv.org/abs/1907.02690), section 3. With CE
and CE' the cross-entropies of the label under the two classifiers:

  D: loss + d_weight CE(real) + twin_d_weight CE'(fake)
  G: loss + g_weight CE(fake) - twin_g_weight CE'(fake)

Weights of 1 are those of StudioGAN, whose classifiers have no bias.
"""

from collections.abc import Callable

import flax.linen as nn

from gan_jax.conditioning.shared import heads, twins


class Head(nn.Module):
  """D's features to its logits, and twice to those of classes."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns the heads of features [B, F].

    Returns:
      {'logits': [B], 'class_logits': [B, K], 'twin_logits': [B, K]}.

    Raises:
      UserError: there are no classes.
    """
    heads.check_classes(label, self.num_classes)
    classify = lambda name: heads.wide(
      self.dense(self.num_classes, use_bias=False, name=name)(features)
    )
    return {
      'logits': heads.logit(self.dense, features),
      'class_logits': classify('classes'),
      'twin_logits': classify('twin'),
    }


def _class_loss(judged, label, *, twin=False):
  logits = judged['twin_logits' if twin else 'class_logits']
  return twins.cross_entropy(logits, label)


d_term, g_term = twins.classifier_terms(_class_loss)
