"""Forward passes by hand, for tests of terms."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import keys, terms

KEY = jax.random.key(7)


def keys_of(count):
  """A key of each example."""
  return keys.fold_examples(KEY, jnp.arange(count))


def seen(real, fake, critic, *, net=None, latent=None, step=0, **more):
  """A Forward of samples [B, ...] and of what a critic says of them.

  Args:
    real: samples [B, ...], or logits if the critic is None.
    fake: likewise.
    critic: samples [B, ...] -> heads, or logits [B].
    net: see Forward.
    latent: [B, ...].
    step: of the batch.
    **more: fields of Forward.
  """
  if critic is None:
    critic = lambda x: x

  def heads(x, **kw):
    made = critic(x, **kw)
    return made if isinstance(made, dict) else {'logits': made}

  batch = {'x': real, 'step': jnp.int32(step)}
  judged = heads(real), heads(fake)
  return terms.Forward(batch, latent, real, fake, *judged, heads, net, **more)


def batches(shape, count=2):
  """Samples [B, ...] float32, different ones."""
  rng = np.random.default_rng(0)
  each = [rng.normal(size=shape).astype(np.float32) for _ in range(count)]
  return [jnp.asarray(x) for x in each]
