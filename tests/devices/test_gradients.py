"""What devices that share a batch send each other of their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from gan_jax.game import forward
from gan_jax.run.planning import collectives


@pytest.mark.parametrize('wrapper', ['pmap', 'shard_map'])
def test_gradients_are_sent_once(wrapper):
  """shard_map has summed them up already; the means are those of one device."""
  mean, _ = forward.make_means('data')
  w, x = np.ones((3, 2), np.float32), np.linspace(0, 1, 24, dtype=np.float32)
  x, devices = x.reshape(8, 3), jax.devices()[:4]
  loss = lambda w, x: jnp.tanh(x @ w).mean()
  own = lambda w, x: mean(jax.grad(lambda w: mean(loss(w, x)))(w))
  if wrapper == 'pmap':
    whole = jax.pmap(own, 'data', in_axes=(None, 0), devices=devices)
    made, x_cut = whole(w, x.reshape(4, 2, 3))[0], x.reshape(4, 2, 3)
  else:
    mesh = Mesh(np.array(devices), ('data',))
    specs = {'in_specs': (P(), P('data')), 'out_specs': P()}
    whole = jax.jit(jax.shard_map(own, mesh=mesh, **specs))
    made, x_cut = whole(w, x), x
  assert made == pytest.approx(np.asarray(jax.grad(loss)(w, x)), rel=1e-6)
  sent = collectives.count(whole.lower(w, x_cut).compile().as_text())
  assert set(sent) == {'all-reduce'}
  # pmap sends the loss's own derivative as well, one number.
  assert w.nbytes <= sent['all-reduce']['bytes'] <= w.nbytes + 4
