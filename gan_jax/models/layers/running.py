"""Moving averages that a network keeps of what it computes."""

import flax.linen as nn
import jax
import jax.numpy as jnp


class Running(nn.Module):
  """A moving average of values over the updates (collection 'averages')."""

  first: float = 0.0
  axis_name: str | None = None  # of the mesh, over which values are averaged

  @nn.compact
  def __call__(self, value, *, decay, train):
    """Returns the average, in float32 and without gradients.

    Args:
      value: any shape, a mean over the batch.
      decay: weight of the old average.
      train: whether the average is moved towards the value first.
    """
    begin = lambda: jnp.full(value.shape, self.first, jnp.float32)
    average = self.variable('averages', 'value', begin)
    if not train or self.is_initializing():
      return average.value
    value = jax.lax.stop_gradient(value.astype(jnp.float32))
    if self.axis_name:
      value = jax.lax.pmean(value, self.axis_name)
    moved = value + decay * (average.value - value)
    if self.is_mutable_collection('averages'):
      average.value = moved
    return moved
