"""The auxiliary classifier: D also recognises the class.

Odena et al. 2017, ACGAN (https://arxiv.org/abs/1610.09585), section 3. With CE
the cross-entropy of the label under linear logits of D's features:

  D: loss + d_weight CE(real)      G: loss + g_weight CE(fake)

Later code lets D learn of reals alone, as is usual here; `fakes` adds CE(fake)
to D's loss, as the paper has it. WGAN-GP's code weighs D's by 1 and G's by 0.1,
its classifier has a bias; that of StudioGAN weighs both by 1 and has none.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax

from gan_jax.conditioning.shared import heads, twins


class Head(nn.Module):
  """D's features to its logits, and to those of classes."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int
  bias: bool = False  # of the classifier

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B], 'class_logits': [B, K]} of features [B, F].

    Raises:
      UserError: there are no classes.
    """
    heads.check_classes(label, self.num_classes)
    classify = self.dense(self.num_classes, use_bias=self.bias, name='classes')
    return {
      'logits': heads.logit(self.dense, features),
      'class_logits': heads.wide(classify(features)),
    }


def d_term(
  forward: Any, memo: Any, *, d_weight: float = 1.0, fakes: bool = False
) -> tuple[jax.Array, Any]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    d_weight: of the cross-entropy.
    fakes: whether D learns the classes of fakes too.

  Returns:
    the term of each example [B], and memo.
  """
  value = _class_loss(forward.on_real, forward)
  if fakes:
    value = value + _class_loss(forward.on_fake, forward)
  return d_weight * value, memo


def g_term(
  forward: Any, memo: Any, *, g_weight: float = 1.0
) -> tuple[jax.Array, Any]:
  """Adds g_weight times the cross-entropy of fakes to G's loss; see d_term."""
  return g_weight * _class_loss(forward.on_fake, forward), memo


def _class_loss(judged, forward):
  return twins.cross_entropy(judged['class_logits'], forward.batch['label'])
