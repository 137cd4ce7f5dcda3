"""The 1,797 handwritten digits of scikit-learn, 8 x 8: the first run.

  python -m gan_jax.train --config=configs/digits.py --workdir=runs/digits

Hardware and time: 2 shared x86-64 cores, 1 to 2 min (8,000 steps).
Expected, mean (range) of 4 seeds, 2,000 samples of the moving average:
  classifier features: fid 2.29 (1.89 to 2.70), class_coverage 1 (1 to 1)
  pixels: fid .264 (.243 to .282), precision .811 (.795 to .820),
    recall .751 (.725 to .769), coverage .837 (.820 to .851)
Verified.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'digits'},
      'model': {
        'name': 'dcgan',
        'g': {'widths': (64, 32), 'norm': 'batch'},
        'd': {'widths': (32, 64), 'norm': 'spectral'},
      },
      'steps': 8000,
      'batch_size': 64,
      'report_every': 250,
      'save_every': 1000,
      'eval_every': 2000,
      'eval_samples': 2000,
    }
  )
  config.latent.dim = 32
  config.optim.g = common.adam(1e-3, b1=0.5)
  config.optim.d = common.adam(1e-3, b1=0.5)
  config.ema.halflife_kimg = 10.0
  if arg == 'tiny':
    common.shrink(config)
    config.model.g.widths, config.model.d.widths = (8, 4), (4, 8)
  return common.finish(config, arg)
