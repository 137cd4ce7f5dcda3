"""MNIST, 28 x 28: a DCGAN with spectral norm in D.

  python -m gan_jax.train --config=configs/mnist.py \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/mnist

Hardware and time: not yet run to its end; some 30 min on 2 x86-64 cores.
Expected score: unverified.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'mnist', 'dir': ''},
      'model': {
        'name': 'dcgan',
        'g': {'widths': (128, 64), 'norm': 'batch'},
        'd': {'widths': (64, 128), 'norm': 'spectral'},
      },
      'steps': 10_000,
      'report_every': 500,
      'save_every': 1000,
      'eval_every': 2500,
      'eval_samples': 10_000,
    }
  )
  config.optim.g = common.adam(1e-3, b1=0.5)
  config.optim.d = common.adam(1e-3, b1=0.5)
  if arg == 'tiny':
    common.shrink(config)
    config.model.g.widths, config.model.d.widths = (8, 4), (4, 8)
  return common.finish(config, arg)
