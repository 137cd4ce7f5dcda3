"""Embeddings of samples beside embeddings of classes, their proxies."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning.shared import heads, twins
from gan_jax.game.forward import make_means


class Head(nn.Module):
  """D's features to its logits, their embedding, and that of the class."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int = 0
  embedding: int = 512  # numbers
  auxiliary: str = 'none'  # a second judgement, of fakes; see twins.AUXILIARY

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns the heads of features [B, F] and label [B].

    Returns:
      {'logits': [B], 'embed': [B, E], 'proxy': [B, E]}; with a second judgement
      also 'twin_embed' and 'twin_proxy': for 'adc' the same embedding beside a
      proxy of the class's fakes, for 'tac' layers of its own.

    Raises:
      UserError: there are no classes, an unknown auxiliary.
    """
    heads.check_classes(label, self.num_classes)
    twins.check_auxiliary(self.auxiliary)
    discriminative = self.auxiliary == 'adc'
    kinds = 2 if discriminative else 1  # of each class
    project = lambda name: heads.wide(
      self.dense(self.embedding, name=name)(features)
    )
    table = lambda name: self.embed(
      kinds * self.num_classes, self.embedding, name=name
    )
    proxies = table('proxy')
    made = {
      'logits': heads.logit(self.dense, features),
      'embed': project('embedding'),
      'proxy': heads.wide(proxies(kinds * label)),
    }
    if discriminative:
      made['twin_embed'] = made['embed']
      made['twin_proxy'] = heads.wide(proxies(kinds * label + 1))
    elif self.auxiliary == 'tac':
      made['twin_embed'] = project('twin_embedding')
      made['twin_proxy'] = heads.wide(table('twin_proxy')(label))
    return made


class Cosines(NamedTuple):
  """Of b examples of a device, beside the B of the global batch."""

  proxy: jax.Array  # [b], to the proxy of the example's class
  pairs: jax.Array  # [b, B], to the other examples
  other: jax.Array  # [b, B], whether that is another example
  alike: jax.Array  # [b, B], whether it is of the same class


def cosines(
  judged: dict, batch: dict, axis_name: str | None, *, twin: bool = False
) -> Cosines:
  """Cosines of the embeddings that a head gives.

  Args:
    judged: the heads.
    batch: with 'label' and 'index' [b], see game.forward.
    axis_name: mesh axis over which the batch is split, if it is.
    twin: of the second judgement.
  """
  prefix = 'twin_' if twin else ''
  unit = _unit(judged[f'{prefix}embed'])  # [b, E]
  proxy = _unit(judged[f'{prefix}proxy'])
  _, gather = make_means(axis_name)
  same = lambda x: x[:, None] == gather(x)[None]  # [b, B]
  # In full precision: at small temperatures a cosine's error counts.
  pairs = jnp.matmul(unit, gather(unit).T, precision='highest')
  return Cosines(
    (unit * proxy).sum(-1), pairs, ~same(batch['index']), same(batch['label'])
  )


def _unit(x):
  """[B, E] of length 1; smooth at zero."""
  return x * jax.lax.rsqrt((x * x).sum(-1, keepdims=True) + 1e-12)


def log_sum_exp(first: jax.Array, rest: jax.Array, among: Any) -> jax.Array:
  """log(exp(first) + the sum of exp(rest) where among), without overflow.

  Args:
    first: [b], finite.
    rest: [b, B].
    among: [b, B], of which none need be.
  """
  left = jnp.where(among, rest, -jnp.inf)
  both = jnp.concatenate([first[:, None], left], axis=1)
  return jax.nn.logsumexp(both, axis=1)


def term(
  pays: Callable, value: Callable, forward: Any, axis_name, weight
) -> jax.Array:
  """What a player pays for embeddings, [B].

  Args:
    pays: twins.of_d or twins.of_g.
    value: Cosines -> [b].
    forward: game.terms.Forward.
    axis_name: see cosines.
    weight: of all of it.
  """

  def judge(judged, *, twin=False):
    return value(cosines(judged, forward.batch, axis_name, twin=twin))

  twin_weight = weight if 'twin_proxy' in forward.on_fake else None
  return pays(judge, forward, weight=weight, twin_weight=twin_weight)
