"""Tones of ten pitches by a small, conditional WaveGAN.

  python -m gan_jax.train --config=configs/tones_wavegan.py --workdir=runs/tones

Hardware and time: 3 seeds in 25 min on 2 shared x86-64 cores, beside four other
such programs (170 sounds/s over all seeds); one in 4 min beside one.
Expected, mean (range) of 3 seeds, 2,000 samples of the moving average:
  class_pitch_accuracy 1 (1 to 1), pitch_accuracy 1 (1 to 1), class_coverage 1;
    after half of the steps class_pitch_accuracy is .92
  a classifier of real tones hears the right class in all of 1,500 (one seed)
  log_spectral_distance 19.7 dB (19.4 to 20.1): between the partials is noise
    that the tones have not; of a class all sounds are much alike (diversity .21
    of the data's, as the run's health says)
Verified.
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
