"""The benchmark's PyTorch is the same game, step by step."""

import zlib

import jax
import numpy as np
import pytest

from experiments.benchmarks import cases, flax_gans, ours, results
from gan_jax.data import loading
from gan_jax.game import keys, latents
from gan_jax.run import setup as setup_lib

STEPS = 3
LOSSES = ('minimax', 'lsgan', 'hinge', 'wasserstein', 'rpgan')
SMALL = {
  'ring8': {},
  'ring8_plain': {},
  'dcgan32': {'batch_size': 4},
  'wgan_gp32': {'batch_size': 4},
  **{f'ring8 {name}': {'loss': {'name': name}} for name in LOSSES},
}


def small(case):
  """The case on few and thin layers."""
  config = cases.config(case.split()[0], **SMALL[case])
  if not case.startswith('ring8'):
    if case == 'wgan_gp32':  # its first logits are tiny
      for player in config['optim'].values():
        player['learning_rate'] = 1e-2
    config['data'] = {**config['data'], 'size': 32}
    config['model']['g']['widths'] = (16, 8, 4)
    config['model']['d']['widths'] = (4, 8, 16)
  return config


@pytest.fixture(scope='module')
def torch_gans():
  pytest.importorskip('torch', reason='the extra `bench` is not installed')
  from experiments.benchmarks import torch_gans

  return torch_gans


@pytest.mark.parametrize('case', cases.CASES)
def test_networks_have_as_many_parameters(case, torch_gans):
  config = cases.config(case)
  setup = setup_lib.build(config)
  x = np.zeros((2, *setup.dataset.shape), np.float32)
  expected = ours.num_params(setup)
  trainer = torch_gans.Trainer(config, x, torch_gans.torch.device('cpu'))
  assert trainer.num_params() == expected
  plain = jax.eval_shape(lambda: flax_gans.Trainer(config, x).train)
  sizes = [sum(p.size for p in jax.tree.leaves(q)) for q in plain.params]
  assert tuple(sizes) == expected


def forward_order(name):
  """G: start, norm_0, up_0, norm_1, ...; D: down_0, down_1, norm_1, ..."""
  kind, _, number = name.partition('_')
  if not number:
    return (-1 if kind == 'start' else 99), 0
  return int(number), ('hidden', 'down', 'norm', 'up').index(kind)


def copy(torch, net, params):
  """Our parameters into PyTorch's layers, in the order of the forward pass."""
  layers = [m for m in net.modules() if list(m.parameters(recurse=False))]
  for name, layer in zip(
    sorted(params, key=forward_order), layers, strict=True
  ):
    found = {
      k: np.array(v) for k, v in params[name].get('batch', params[name]).items()
    }
    if 'kernel' in found:
      found['weight'] = kernel(torch, name, layer, found.pop('kernel'), net)
    elif 'scale' in found:
      found['weight'] = found.pop('scale')
    found = {k: torch.from_numpy(v.copy()) for k, v in found.items()}
    layer.load_state_dict(found, strict=False)  # running statistics stay
    assert found.keys() == dict(layer.named_parameters()).keys()


def kernel(torch, name, layer, x, net):
  """A kernel as PyTorch lays it out; its images are [C, H, W]."""
  if isinstance(layer, torch.nn.Conv2d):
    return x.transpose(3, 2, 0, 1)
  if isinstance(layer, torch.nn.ConvTranspose2d):  # a gradient: mirrored
    return x[::-1, ::-1].transpose(2, 3, 0, 1)
  if name == 'start':  # makes [H, W, C]
    cube = x.reshape(len(x), net.base, net.base, -1)
    x = cube.transpose(0, 3, 1, 2).reshape(x.shape)
  if name == 'logits' and hasattr(net, 'logits'):  # reads [H, W, C]
    convolutions = [m for m in net.body if isinstance(m, torch.nn.Conv2d)]
    channels = convolutions[-1].out_channels
    x = x.reshape(-1, channels).T.reshape(x.shape)
  return x.T


def draws(setup, config, at):
  """What our step draws: the reals, D's and G's latents, the penalty's mix."""
  index = np.arange(config['batch_size'])
  root = setup.keys[0]
  data = {k: np.asarray(v) for k, v in loading.arrays(setup.dataset).items()}
  fed = setup.functions.feed(jax.device_put(data), root, at, index)
  real = fed['x'][0]
  key = keys.stream(root, keys.STEP, at)
  moves = keys.stream(key, keys.D_MOVE, 0), keys.stream(key, keys.G_MOVE)
  prior = latents.make_prior(**config['latent'])
  z = [jax.vmap(prior)(keys.fold_examples(k, index)) for k in moves]
  own = jax.random.fold_in(
    moves[0], zlib.crc32(b'gradient_penalty') & 2**31 - 1
  )
  alpha = jax.vmap(jax.random.uniform)(keys.fold_examples(own, index))
  return real, *z, alpha


@pytest.mark.parametrize('case', SMALL)
def test_pytorch_takes_the_same_steps(case, torch_gans):
  """Losses of three steps, and the average: so the updates are equal too."""
  torch = torch_gans.torch
  config = small(case)
  setup = setup_lib.build(config)
  one = jax.devices()[:1]
  program = setup_lib.make_program(setup, wrapper='jit', devices=one)
  data = setup_lib.make_data(setup, program, step=0)
  state = setup.init()
  trainer = torch_gans.Trainer(
    config, ours.real_data(config), torch.device('cpu')
  )
  take = lambda tree: jax.tree.map(lambda x: np.asarray(x[0]), tree)
  for net, params in (
    (trainer.g, take(state.players['g'].params)),
    (trainer.average, take(state.players['g'].params)),
    (trainer.d, take(state.players['d'].params)),
  ):
    copy(torch, net, params)
  flat = lambda net: torch.cat([p.flatten() for p in net.parameters()])
  first = flat(trainer.average).detach().clone()
  kept, losses = program.put(state), []
  for at in range(STEPS):
    total = program.put(program.zeros)
    kept, total = program.advance(kept, total, data(at), 1)
    tensors = [torch.from_numpy(np.array(x)) for x in draws(setup, config, at)]
    if tensors[0].dim() == 4:
      tensors[0] = tensors[0].permute(0, 3, 1, 2)
    losses.append([x.item() for x in trainer.step(*tensors)])
    expected = [total['d_loss'].item(), total['g_loss'].item()]
    # Differences of logits of order 1, whose rounding three steps add up.
    np.testing.assert_allclose(losses[-1], expected, rtol=1e-5, atol=3e-5)
  assert np.ptp(losses, axis=0).min() > 1e-4  # they did move
  copied = torch_gans.networks(config, setup.dataset.shape)[0]
  copy(torch, copied, take(program.get(kept).ema['g']['params']))
  got, expected = flat(trainer.average), flat(copied)
  # Adam makes whole steps of gradients that are nothing but rounding.
  assert (got - expected).norm() < 1e-2 * (expected - first).norm()


def test_results_are_ratios_within_a_round():
  lines = [{'speed': {'a': 2.0, 'b': 1.0}}, {'speed': {'a': 9.0, 'b': 3.0}}]
  assert results.ratio(lines, 'a', 'b') == [2, 3]
  assert results.spread([2, 3, 7]) == '**3.00** (2.00 to 7.00)'
  assert results.speed([123456.0]) == '123,000'
