"""Who takes part in a case of bench.py, with equal networks."""

import os

import jax
import torch

from experiments.benchmarks import cases, flax_gans, ours, timing, torch_gans
from gan_jax.run import setup as setup_lib

SEEDS = 16  # in one program, where the case is small
How, EAGER = torch_gans.How, torch_gans.EAGER
AMP, GRAPH, PENALISED = 'amp', 'graph', 'func'  # what a way needs
WAYS = {  # name -> (how, what it needs)
  'torch': (EAGER, ''),
  'torch amp': (How(amp=True), AMP),
  'torch compiled': (How(compiled=True), ''),
  'torch compiled amp': (How(amp=True, compiled=True), AMP),
  'torch func': (How(func=True), PENALISED),
  'torch func compiled': (How(func=True, compiled=True), PENALISED),
  'torch graph': (How(graph=True), GRAPH),
  'torch graph amp': (How(graph=True, amp=True), GRAPH),
}


def config_of(case: str, *, shrink: bool) -> dict:
  """The config of a case of bench.py."""
  name = case.removesuffix('_seeds')
  return cases.shrunk(name) if shrink else cases.config(name)


def with_bfloat16(config: dict) -> bool:
  """Whether bfloat16 is worth a try: on CPUs with tiles, but for MLPs."""
  if jax.default_backend() != 'cpu':
    return True
  return torch.cpu._is_amx_tile_supported() and config['model']['name'] != 'mlp'


def make(
  case: str, *, shrink: bool = False, compiled: bool = True
) -> list[timing.Contender]:
  """All that run in a case; they are checked to have equal networks.

  Args:
    case: of bench.CASES.
    shrink: thin networks, for a try.
    compiled: whether torch.compile takes part.
  """
  seeds = case.endswith('_seeds')
  config = config_of(case, shrink=shrink)
  setup = setup_lib.build(config)
  one = {'devices': jax.local_devices()[:1]}
  made = [timing.Contender('ours', ours.make_advance(setup, **one))]
  if seeds:
    made += _seeds(config)
  else:
    if with_bfloat16(config):
      half = setup_lib.build({**config, 'dtype': 'bfloat16'})
      advance = ours.make_advance(half, **one)
      made.append(timing.Contender('ours bf16', advance))
    if cases.CASES[case].flax:
      trainer = flax_gans.Trainer(config, ours.real_data(setup)['x'])
      assert trainer.num_params() == ours.num_params(setup)
      made.append(timing.Contender('flax', trainer.advance))
  made += _torch(config, setup, plain=seeds, compiled=compiled)
  images = 1 if seeds else config['batch_size']
  return [c._replace(work=c.work * images) for c in made]


def _seeds(config):
  """All seeds in one program, on one device and spread over all cores."""
  setup, name = (
    setup_lib.build({**config, 'num_seeds': SEEDS}),
    f'ours x{SEEDS}',
  )
  one = ours.make_advance(setup, devices=jax.local_devices()[:1])
  made = [timing.Contender(name, one, SEEDS)]
  if len(jax.local_devices()) > 1:
    spread = ours.make_advance(setup)
    made.append(timing.Contender(f'{name}, all cores', spread, SEEDS))
  return made


def _torch(config, setup, *, plain, compiled):
  """PyTorch in all ways that this machine and this case know."""
  device = torch_gans.setup()
  data, variables = ours.real_data(setup), ours.variables(setup.init())
  there = {
    '': True,
    AMP: with_bfloat16(config),
    GRAPH: device.type == 'cuda',
    PENALISED: bool(config['penalties']),
  }
  ways = {
    name: how
    for name, (how, needs) in WAYS.items()
    if there[needs] and (compiled or not how.compiled)
  }
  made = []
  for name, how in ({'torch': EAGER} if plain else ways).items():
    trainer = torch_gans.Trainer(config, data, variables, device, how)
    assert trainer.num_params() == ours.num_params(setup), name
    made += _threads(name, trainer, single=how == EAGER)
  return made


def _threads(name, trainer, *, single):
  """A trainer with a thread for each core, and maybe with a single one.

  Small networks are faster with one, above all where others use the cores.
  """

  def with_threads(number):
    def advance(n):
      torch.set_num_threads(number)
      return trainer.advance(n)

    return advance

  made = [timing.Contender(name, with_threads(os.cpu_count()))]
  if single and trainer.device.type == 'cpu' and os.cpu_count() > 1:
    made.append(timing.Contender(f'{name}, 1 thread', with_threads(1)))
  return made
