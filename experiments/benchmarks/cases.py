"""What is measured: configs, as the commands would get them."""

from collections.abc import Callable
from typing import NamedTuple

import jax

from configs import common, digits, grammar_chargan, ring8, tones_wavegan

SYNTHETIC = {'name': 'experiments.benchmarks.synthetic'}
AT_64 = {'image_size': 64, 'size': 2000}


class Case(NamedTuple):
  """One of them.

  Attributes:
    title: what it is.
    make: () -> its config.
    cpu_batch: its batch size on a CPU, 0: the same as elsewhere; a step of a
      GPU's batch would take many seconds there.
    flax: whether it is written in plain Flax, too.
  """

  title: str
  make: Callable
  cpu_batch: int = 0
  flax: bool = False


def _images(g: dict, d: dict, *, model: str, rate=2e-4, b1=0.0, b2=0.999, **kw):
  """A config of synthetic images; kw are more keys of it."""
  config = common.default()
  model = {'name': model, 'g': g, 'd': d}
  config.update({'data': SYNTHETIC, 'model': model})
  config.optim = dict.fromkeys('gd', common.adam(rate, b1=b1, b2=b2))
  config.latent.dim = 128
  config.update(kw)
  return config


def _dcgan32(**changes):
  g = {'widths': (256, 128, 64), 'norm': 'batch'}
  d = {'widths': (64, 128, 256), 'norm': 'batch'}
  return _images(g, d, model='dcgan', b1=0.5, **changes)


def _dcgan64():
  config = _dcgan32(data={**SYNTHETIC, **AT_64}, batch_size=128)
  config.model.g.widths = (1024, 512, 256, 128)
  config.model.d.widths = (128, 256, 512, 1024)
  return config


def _wgan_gp32():
  config = _dcgan32(
    loss={'name': 'wasserstein'}, penalties={'gradient_penalty': {}}
  )
  config.model.d.norm = 'none'
  return config


def _sngan32():
  own = {'widths': (256,) * 4}, {'widths': (128,) * 4}
  return _images(*own, model='sngan', b2=0.9, loss={'name': 'hinge'})


def _biggan32():
  config = _images(
    {'unit': 32, 'shared': 128}, {'unit': 32}, model='biggan', b2=0.999,
    loss={'name': 'hinge'}, conditional=True, data={**SYNTHETIC, 'classes': 10},
  )  # fmt: skip
  config.latent.dim = 80
  return config


def _stylegan2_64():
  own = {'channel_base': 4096, 'channel_max': 128, 'mapping_layers': 2}
  return _images(
    own | {'features': 128}, own | {'group': 4}, model='stylegan2',
    rate=2e-3, b2=0.99, loss={'name': 'nonsaturating'}, batch_size=32,
    data={**SYNTHETIC, **AT_64},
    penalties={'r1': {'gamma': 1.0, 'every': 16}},
  )  # fmt: skip


def _r3gan32():
  own = {'widths': (192,) * 4, 'group': 16}
  return _images(
    dict(own), own, model='r3gan', b2=0.9, loss={'name': 'rpgan'},
    penalties=dict.fromkeys(('r1', 'r2'), {'gamma': 0.05}),
  )  # fmt: skip


def _ring8():
  config = ring8.get_config()
  config.batch_size, config.latent.dim = 256, 32
  return config


def _ring8_plain():
  config = _ring8()
  config.penalties = {}
  return config


CASES = {
  'ring8': Case('ring8: MLP 2 x 128, R1', _ring8, flax=True),
  'ring8_plain': Case('the same without R1', _ring8_plain, flax=True),
  'digits': Case('digits: DCGAN 8 x 8 x 1, spectral D', digits.get_config),
  'dcgan32': Case('DCGAN 32 x 32 x 3', _dcgan32, flax=True),
  'wgan_gp32': Case('WGAN-GP on it, no norm in D', _wgan_gp32, flax=True),
  'dcgan64': Case('DCGAN 64 x 64 x 3, 128 to 1024 wide', _dcgan64, 8),
  'sngan32': Case('SNGAN 32 x 32 x 3', _sngan32, 8),
  'biggan32': Case('BigGAN 32 x 32 x 3, 32 wide', _biggan32, 32),
  'stylegan2_64': Case(
    'StyleGAN2 64 x 64 x 3, up to 128 wide, R1 every 16', _stylegan2_64, 4
  ),
  'r3gan32': Case('R3GAN 32 x 32 x 3, 192 wide, R1 and R2', _r3gan32, 8),
  'chargan': Case(
    'character GAN 32 wide, R1 every 4', grammar_chargan.get_config
  ),
  'wavegan': Case('WaveGAN of tones, spectral D', tones_wavegan.get_config),
}


def config(case: str, **changes) -> dict:
  """The config of a case as a plain dict; changes replace top-level keys."""
  made = CASES[case].make().to_dict()
  if CASES[case].cpu_batch and jax.default_backend() == 'cpu':
    made['batch_size'] = CASES[case].cpu_batch
  return {**made, **changes}


THIN = {  # networks of seconds, by model
  'mlp': ({'hidden': (16, 16)},) * 2,
  'dcgan': ({'widths': (16, 8, 4)}, {'widths': (4, 8, 16)}),
  'sngan': ({'widths': (8,) * 4}, {'widths': (8,) * 4}),
  'biggan': ({'unit': 2, 'shared': 4}, {'unit': 2}),
  'stylegan2': (
    {'channel_base': 64, 'channel_max': 8, 'features': 8},
    {'channel_base': 64, 'channel_max': 8},
  ),
  'r3gan': ({'widths': (8,) * 4, 'group': 4},) * 2,
  'char_gan': ({'dim': 8},) * 2,
  'wavegan': ({'widths': (8, 6, 4)}, {'widths': (4, 6, 8)}),
}


def shrunk(case: str, **changes) -> dict:
  """The same game by thin networks on few examples, to be tried."""
  made = config(case, **{'batch_size': 4, **changes})
  for player, thin in zip('gd', THIN[made['model']['name']], strict=True):
    made['model'][player] |= thin
  if case == 'digits':  # two stages
    made['model']['g']['widths'], made['model']['d']['widths'] = (8, 4), (4, 8)
  if 'size' in made['data'] or made['data']['name'] == SYNTHETIC['name']:
    made['data']['size'] = 32
  made['latent']['dim'] = min(made['latent']['dim'], 16)
  return made
