"""Tones of ten pitches by a small, conditional WaveGAN.

python -m gan_jax.train --config=configs/tones_wavegan.py --workdir=runs/tones
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'tones'},
      'conditional': True,
      'model': {
        'name': 'wavegan',
        'g': {'widths': (64, 32, 16)},
        'd': {'widths': (16, 32, 64), 'norm': 'spectral'},
      },
      'loss': {'name': 'hinge'},
      'steps': 1000,
      'batch_size': 64,
      'report_every': 100,
      'save_every': 500,
      'eval_every': 500,
      'eval_samples': 2000,
      'metrics': (
        'class_pitch_accuracy', 'pitch_accuracy', 'fid', 'class_coverage',
        'log_spectral_distance',
      ),
    }
  )  # fmt: skip
  config.latent = {'name': 'uniform', 'dim': 32}
  config.optim.g = common.adam(5e-4, b1=0.5)
  config.optim.d = common.adam(5e-4, b1=0.5)
  config.ema.halflife_kimg = 10.0
  if arg == 'tiny':
    common.shrink(config)
    config.data.size, config.data.length = 100, 64
    config.metrics = ('class_pitch_accuracy',)
    config.model.g.widths, config.model.d.widths = (4, 4), (4, 4)
  return common.finish(config, arg)
