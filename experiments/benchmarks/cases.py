"""What is measured: configs, as the commands would get them."""

from configs import common, digits, ring8


def _dcgan32(**changes):
  config = common.default()
  config.update(
    {
      'data': {'name': 'experiments.benchmarks.synthetic'},
      'model': {
        'name': 'dcgan',
        'g': {'widths': (256, 128, 64), 'norm': 'batch'},
        'd': {'widths': (64, 128, 256), 'norm': 'batch'},
      },
      'batch_size': 64,
    }
  )
  config.latent.dim = 128
  config.update(changes)
  return config


def _wgan_gp32():
  config = _dcgan32(
    loss={'name': 'wasserstein'}, penalties={'gradient_penalty': {}}
  )
  config.model.d.norm = 'none'
  return config


def _ring8():
  config = ring8.get_config()
  config.batch_size, config.latent.dim = 256, 32
  return config


def _ring8_plain():
  config = _ring8()
  config.penalties = {}
  return config


CASES = {
  'ring8': _ring8,
  'ring8_plain': _ring8_plain,
  'dcgan32': _dcgan32,
  'wgan_gp32': _wgan_gp32,
  'digits': digits.get_config,
}


def config(case: str, **changes) -> dict:
  """The config of a case as a plain dict; changes replace top-level keys."""
  return {**CASES[case]().to_dict(), **changes}
