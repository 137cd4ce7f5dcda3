"""The benchmark's PyTorch is the same game, step by step."""

import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks import cases, flax_gans, ours, results
from gan_jax.data import loading
from gan_jax.game import keys
from gan_jax.models.layers import waves
from gan_jax.run import setup as setup_lib

STEPS = 3
LOSSES = ('minimax', 'lsgan', 'hinge', 'wasserstein', 'rpgan')
QUICK = ('ring8', 'ring8_plain', 'dcgan32', 'wgan_gp32', 'chargan')
LONG = tuple(case for case in cases.CASES if case not in QUICK)
GAMES = (
  *QUICK,
  *(f'ring8 {name}' for name in LOSSES),
  *(pytest.param(case, marks=pytest.mark.slow) for case in LONG),
)
RATES = {'wgan_gp32': 1e-2}  # its first logits are tiny


def small(case):
  """The case on few and thin layers."""
  name, _, loss = case.partition(' ')
  config = cases.shrunk(name, **{'loss': {'name': loss}} if loss else {})
  for player in config['optim'].values():
    player['learning_rate'] = RATES.get(name, player['learning_rate'])
  for penalty in config['penalties'].values():
    if 'every' in penalty:
      penalty['every'] = 2
  return config


@pytest.fixture(scope='module')
def torch_gans():
  pytest.importorskip('torch', reason='the extra `bench` is not installed')
  from experiments.benchmarks import torch_gans

  return torch_gans


def trainer_of(torch_gans, config, setup, state, **how):
  return torch_gans.Trainer(
    config,
    ours.real_data(setup),
    ours.variables(state),
    torch_gans.torch.device('cpu'),
    torch_gans.How(**how),
  )


@pytest.mark.parametrize('case', [k for k, v in cases.CASES.items() if v.flax])
def test_flax_has_as_many_parameters(case):
  config = cases.config(case)
  setup = setup_lib.build(config)
  x = np.zeros((2, *setup.dataset.shape), np.float32)
  plain = jax.eval_shape(lambda: flax_gans.Trainer(config, x).train)
  sizes = [sum(p.size for p in jax.tree.leaves(q)) for q in plain.params]
  assert tuple(sizes) == ours.num_params(setup)


def fed(setup):
  """Returns step -> (reals, label or None, D's draws, G's) of our step."""
  index = jnp.arange(setup.batch_size)
  data = jax.tree.map(jnp.asarray, loading.arrays(setup.dataset))
  prior = setup.rules().game.prior

  def drawn(at, *move):
    key = keys.stream(keys.stream(setup.keys[0], keys.STEP, at), *move)
    each = keys.fold_examples(key, index)
    made = jax.vmap(prior)(each)
    made = dict(made) if isinstance(made, dict) else {'z': made}
    name = zlib.crc32(b'gradient_penalty') & 2**31 - 1
    mixed = keys.fold_examples(jax.random.fold_in(key, name), index)
    made['alpha'] = jax.vmap(jax.random.uniform)(mixed)
    shuffled = {'key': keys.fold_each(each, 3), 'step': at}
    return {**made, 'shift': jnp.floor(5 * waves.draws(shuffled)[:, 0]) - 2}

  @jax.jit
  def made(at):
    batch = setup.functions.feed(data, setup.keys[0], at, index)
    label = batch['label'][0] if setup.conditional else None
    moves = drawn(at, keys.D_MOVE, 0), drawn(at, keys.G_MOVE)
    return batch['x'][0], label, *moves

  return made


def tensors(torch_gans, given):
  """What fed gives, as a trainer takes it."""
  tensor = lambda x: torch_gans.torch.from_numpy(np.array(x))
  real, label, *moves = jax.tree.map(tensor, given)
  for drawn in moves:
    drawn['shift'] = drawn['shift'].long()
  label = None if label is None else label.long()
  return torch_gans.torch_batches.laid_out(real), label, *moves


def weights(net):
  return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


@pytest.mark.parametrize('case', GAMES)
def test_pytorch_takes_the_same_steps(case, torch_gans):
  """Losses of three steps, and the average: so the updates are equal too."""
  config = small(case)
  setup = setup_lib.build(config)
  one = jax.devices()[:1]
  program = setup_lib.make_program(setup, wrapper='jit', devices=one)
  data = setup_lib.make_data(setup, program, step=0)
  state = setup.init()
  trainer = trainer_of(torch_gans, config, setup, state)
  assert trainer.num_params() == ours.num_params(setup)
  trainer.g_iterations = 2
  first, given = weights(trainer.average), fed(setup)
  kept, losses = program.put(state), []
  for at in range(STEPS):
    total = program.put(program.zeros)
    kept, total = program.advance(kept, total, data(at), 1)
    made = trainer.step(*tensors(torch_gans, given(jnp.int32(at))))
    losses.append([x.item() for x in made])
    expected = [total['d_loss'].item(), total['g_loss'].item()]
    # Differences of logits of order 1, whose rounding three steps add up.
    np.testing.assert_allclose(losses[-1], expected, rtol=3e-5, atol=3e-5)
  assert np.ptp(losses, axis=0).min() > 1e-4  # they did move
  average = program.get(kept).ema['g']
  same = state._replace(
    players={**state.players, 'g': state.players['g']._replace(**average)}
  )
  expected = weights(trainer_of(torch_gans, config, setup, same).g)
  # Adam makes whole steps of gradients that are nothing but rounding.
  error = np.linalg.norm(weights(trainer.average) - expected)
  assert error < 1e-2 * np.linalg.norm(expected - first)


HOWS = {
  'func': ('ring8', 'wgan_gp32', 'chargan'),
  'graph': ('ring8', 'chargan'),
}


@pytest.mark.parametrize(
  ('how', 'case'), [(how, case) for how, own in HOWS.items() for case in own]
)
def test_other_ways_are_the_same_step(how, case, torch_gans):
  config = small(case)
  setup = setup_lib.build(config)
  state, made = setup.init(), []
  for ways in ({}, {how: True}):
    torch_gans.torch.manual_seed(0)
    trainer = trainer_of(torch_gans, config, setup, state, **ways)
    losses = [trainer.advance(1) for _ in range(STEPS)]
    made.append((losses, weights(trainer.average)))
  for plain, other in zip(*made, strict=True):
    np.testing.assert_allclose(other, plain, rtol=1e-4, atol=1e-4)


def test_in_bfloat16_the_losses_are_nearly_the_same(torch_gans):
  config = small('dcgan32')
  setup = setup_lib.build(config)
  state, made = setup.init(), []
  for amp in (False, True):
    torch_gans.torch.manual_seed(0)
    trainer = trainer_of(torch_gans, config, setup, state, amp=amp)
    made.append(trainer.advance(1))
  assert made[0] != made[1]
  np.testing.assert_allclose(made[1], made[0], rtol=0.02)


def test_results_are_ratios_within_a_round():
  lines = [{'speed': {'a': 2.0, 'b': 1.0}}, {'speed': {'a': 9.0, 'b': 3.0}}]
  assert results.ratio(lines, 'a', 'b') == [2, 3]
  assert results.spread([2, 3, 7]) == '**3.00** (2.00 to 7.00)'
  assert results.speed([123456.0]) == '123,000'
