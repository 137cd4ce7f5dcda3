"""LSTM and GRU over time against PyTorch's, with its weights."""

import numpy as np
import pytest

from gan_jax.models.layers import recurrent

torch = pytest.importorskip('torch', reason='the extra parity')


def ours(state):
  """PyTorch's weights as ours: transposed, and of two biases the sum."""
  arrays = {k.removesuffix('_l0'): v.numpy() for k, v in state.items()}
  params = {'input': arrays['weight_ih'].T, 'hidden': arrays['weight_hh'].T}
  bias, own = arrays['bias_ih'].copy(), arrays['bias_hh']
  if len(own) == 4 * params['hidden'].shape[0]:  # an LSTM
    return params | {'bias': bias + own}
  n = params['hidden'].shape[0]
  bias[: 2 * n] += own[: 2 * n]  # the reset gate sees the last of them
  return params | {'bias': bias, 'hidden_bias': own[2 * n :]}


@pytest.mark.parametrize('name', ['LSTM', 'GRU'])
def test_series_are_pytorchs(name):
  torch.manual_seed(0)
  theirs = getattr(torch.nn, name)(3, 7, batch_first=True)
  x = np.random.default_rng(0).normal(size=(4, 9, 3)).astype(np.float32)
  with torch.no_grad():
    want, _ = theirs(torch.from_numpy(x))
  params = {'params': ours(theirs.state_dict())}
  found = getattr(recurrent, name)(7).apply(params, x)
  np.testing.assert_allclose(found, want.numpy(), atol=1e-5)
