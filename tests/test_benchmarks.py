"""The benchmark's PyTorch is the same game, step by step."""

import functools
import time
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks import (
  cases,
  flax_gans,
  lost,
  ours,
  rates,
  results,
  timing,
)
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
# Of Adam: no whole steps of gradients that are only rounding, which are larger
# behind conditional norms.
EPSILONS = {'biggan32': 1e-3}


def small(case):
  """The case on few and thin layers."""
  name, _, loss = case.partition(' ')
  config = cases.shrunk(name, **{'loss': {'name': loss}} if loss else {})
  for player in config['optim'].values():
    player['learning_rate'] = RATES.get(name, player['learning_rate'])
    player['eps'] = EPSILONS.get(name, 1e-5)
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
  error = np.linalg.norm(weights(trainer.average) - expected)
  moved = np.linalg.norm(expected - first)
  assert error < 1e-2 * moved, (error, moved)


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


def test_points_between_reals_and_fakes_of_bfloat16(torch_gans):
  from experiments.benchmarks import torch_losses

  torch = torch_gans.torch
  real, fake = torch.zeros(3, 2), torch.ones(3, 2, dtype=torch.bfloat16)
  alpha = torch.tensor([0.0, 0.3, 1.0])
  made = torch_losses.between(real, fake, alpha)
  torch.testing.assert_close(made, alpha[:, None].expand(3, 2))


# Of torch.compile's own look at what a function takes.
@pytest.mark.filterwarnings('ignore:The .grad attribute of a Tensor')
@pytest.mark.slow
@pytest.mark.parametrize('func', [False, True])
@pytest.mark.parametrize('case', ['ring8', 'chargan'])
def test_what_is_compiled_is_the_same_step(case, func, torch_gans, monkeypatch):
  """As torch.compile traces it; what it makes of that is PyTorch's matter."""
  torch = torch_gans.torch
  traced = functools.partial(torch.compile, backend='aot_eager')
  monkeypatch.setattr(torch, 'compile', traced)
  config = small(case)
  setup = setup_lib.build(config)
  state, made = setup.init(), []
  for compiled in (False, True):
    torch.manual_seed(0)
    how = {'compiled': compiled, 'func': func}
    trainer = trainer_of(torch_gans, config, setup, state, **how)
    made.append([trainer.advance(1) for _ in range(STEPS)])
  np.testing.assert_allclose(*made, rtol=1e-4, atol=1e-4)


def test_who_fails_is_left_out_and_says_why():
  def fails(n):
    raise RuntimeError(f'no {n}\nmore')

  pair = [
    timing.Contender('one', lambda n: time.sleep(n / 1e3), 2),
    timing.Contender('other', fails),
  ]
  ready = timing.calibrated(pair, seconds=0.01)
  assert ready.failed == {'other': 'RuntimeError: no 1'}
  (made,) = timing.rounds(ready.steps, number=1)
  assert made.keys() == {'one'} and 0 < made['one'] <= 2000


def line(speed, **fields):
  return {
    'case': 'ring8', 'device': 'this', 'batch': 4, 'unit': 'images/s',
    'round': 0, 'versions': {'jax': '1'}, 'failed': {}, 'speed': speed,
  } | fields  # fmt: skip


def test_a_table_divides_by_the_faster_pytorch(torch_gans):
  from experiments.benchmarks import bench

  speed = {'ours': 30.0, 'torch': 10.0, 'torch, 1 thread': 20.0}
  text = bench.report([line(speed, failed={'flax': 'too old'})])
  assert 'R1, batch 4 | images/s | ours: 30 | torch, 1 thread: 20' in text
  assert '**1.50** (1.50 to 1.50)' in text
  assert text.endswith('- ring8, flax: too old')


def test_a_share_is_of_what_products_of_matrices_reach():
  own = {'float32': 100.0, 'bfloat16': 400.0}
  speeds = [line({'ours': 5.0}), line({'ours': 7.0}), line({'ours': 6.0})]
  text = rates.table(own, {'ring8': {'flops': 10.0}}, speeds)
  assert '| 1e-08 | 10 | 6 | **60 %** |' in text.splitlines()[-1]


def test_time_lost_is_beside_the_steps():
  fields = {'steps_seconds': 2.0, 'every': {'report': 5, 'eval': 6, 'save': 7}}
  spent = {'reports': 1.0, 'scores': 0.0, 'checkpoints': 0.5, 'all': 3.0}
  text = lost.report([line({}, lost_seconds=spent, **fields)])
  assert '| reports 5 | 2.00 s | 1.00 s | **1.50** (1.50 to 1.50) |' in text
  assert '| all | 2.00 s | 3.00 s | **2.50** (2.50 to 2.50) |' in text


def test_results_are_ratios_within_a_round():
  lines = [{'speed': {'a': 2.0, 'b': 1.0}}, {'speed': {'a': 9.0, 'b': 3.0}}]
  assert results.ratio(lines, 'a', 'b') == [2, 3]
  assert results.spread([2, 3, 7]) == '**3.00** (2.00 to 7.00)'
  assert results.speed([123456.0]) == '123,000'
