"""Spoken digits, half a second at 8 kHz: WaveGAN as published.

  python -m gan_jax.train --config=configs/spoken_digit_wavegan.py \\
    --config.data.dir=FOLDER --workdir=runs/spoken_digit

FOLDER holds the .wav files of the Free Spoken Digit Dataset, a subfolder for
each digit (https://github.com/Jakobovski/free-spoken-digit-dataset). With
--config.data.name=spoken_digit it holds spoken_digit of TensorFlow Datasets.

Meant for a GPU, and not verified: of these files only `:tiny` has been run, on
2 CPU cores.
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
