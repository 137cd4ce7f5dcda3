"""The auxiliary discriminative classifier: classes of reals, classes of fakes.

Hou et al. 2022, ADC-GAN (https://arxiv.org/abs/2107.10060), section 3. One
classifier of 2 K classes: a real of class y is 2 y, a fake 2 y + 1. With CE(x,
k) the cross-entropy of class k:

  D: loss + d_weight CE(real, 2 y) + twin_d_weight CE(fake, 2 y + 1)
  G: loss + g_weight CE(fake, 2 y) - twin_g_weight CE(fake, 2 y + 1)

Weights of 1 are those of StudioGAN, whose classifier has no bias.
"""

from collections.abc import Callable

import flax.linen as nn

from gan_jax.conditioning.shared import heads, twins


class Head(nn.Module):
  """D's features to its logits, and to those of classes, real and fake."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B], 'class_logits': [B, 2 K]} of features [B, F].

    Raises:
      UserError: there are no classes.
    """
    heads.check_classes(label, self.num_classes)
    classify = self.dense(2 * self.num_classes, use_bias=False, name='classes')
    return {
      'logits': heads.logit(self.dense, features),
      'class_logits': heads.wide(classify(features)),
    }


def _class_loss(judged, label, *, twin=False):
  return twins.cross_entropy(judged['class_logits'], 2 * label + twin)


d_term, g_term = twins.classifier_terms(_class_loss)
