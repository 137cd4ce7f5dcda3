"""Spoken digits, half a second at 8 kHz: WaveGAN as published.

  python -m gan_jax.train --config=configs/spoken_digit_wavegan.py \\
    --config.data.dir=FOLDER --workdir=runs/spoken_digit

FOLDER holds the .wav files of the Free Spoken Digit Dataset, a subfolder for
each digit (https://github.com/Jakobovski/free-spoken-digit-dataset). With
--config.data.name=spoken_digit it holds spoken_digit of TensorFlow Datasets.

Meant for a GPU, and not verified as it stands. A part of it on 2 x86-64 cores:
400 steps of batches of 32 with an eighth of the channels (--config.steps=400
--config.batch_size=32 --config.model.g.widths='(128,64,32,16)'
--config.model.d.widths='(16,32,64,128)'), one seed, 8 min at 40 sounds/s; after
100, 200 and 400 steps, 1,000 samples of the moving average:
  fid 1502, 1287, 937 and is 1.00, 1.04, 1.79, by a classifier on log-mel
    spectrograms that is right in 98.7 % of held-out digits
  class_coverage .1, .1, .3; log_spectral_distance 14.8, 14.2, 10.9 dB
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'sounds', 'dir': '', 'length': 4096},
      'model': {'name': 'wavegan'},
      'loss': {'name': 'wasserstein'},
      'penalties': {'gradient_penalty': {'weight': 10.0}},
      'd_steps': 5,
      'steps': 100_000,
      'batch_size': 64,
      'eval_every': 5000,
      'eval_samples': 3000,
      'metrics': ('fid', 'is', 'class_coverage', 'log_spectral_distance'),
    }
  )
  config.latent = {'name': 'uniform', 'dim': 100}
  config.optim.g = common.adam(1e-4, b1=0.5, b2=0.9)
  config.optim.d = common.adam(1e-4, b1=0.5, b2=0.9)
  if arg == 'tiny':
    common.shrink(config)
    config.data.length = 256
    config.metrics = ('log_spectral_distance',)
    config.model.g = {'widths': (4, 4)}
    config.model.d = {'widths': (4, 4)}
  return common.finish(config, arg)
