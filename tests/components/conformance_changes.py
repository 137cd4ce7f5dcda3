"""What every change of a loss has to do; see conformance.py."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import keys, terms
from tests.components.conformance_losses import B

NO = None, None  # networks


def change(change, memo, module):
  """A value of each example, by itself unless the file says otherwise."""
  if getattr(module, 'WHOLE_BATCH', False):
    return  # of which `look` has seen the values
  rng = np.random.default_rng(0)
  logits = [jnp.array(rng.normal(size=B), jnp.float32) for _ in range(2)]
  loss = lambda f: f.on_real['logits'] - 2 * f.on_fake['logits']

  def run(part):
    heads = [{'logits': x[part]} for x in logits]
    seen = terms.Forward({'step': jnp.int32(0)}, None, None, None, *heads, *NO)
    each = keys.fold_examples(jax.random.key(0), jnp.arange(B))[part]
    return change(loss, seen, memo, key=each)[0]

  whole = run(slice(None))
  assert whole.shape == (B,)
  np.testing.assert_allclose(whole[:2], run(slice(0, 2)), 1e-5, 1e-6)
