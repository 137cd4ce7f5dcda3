"""CIFAR-10, 32 x 32, unconditional: DCGAN with the cross-entropy pair.

  python -m gan_jax.train --config=configs/cifar10_dcgan.py \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/cifar10_dcgan

Hardware and time: meant for one GPU or TPU; not yet run in full. The first 600
steps of 4 seeds: 20 min on 2 shared x86-64 cores.
Expected score: not yet verified at full length. After 600 steps, 10,000
samples: fid 49.9 (38.1 to 56.2, 4 seeds) on the features of the classifier
trained here, 8 to 9 of the ten classes. Published for networks like these: FID
28.95 with 10k / 10k samples and Inception features.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'cifar10', 'dir': '', 'flip': True},
      'model': {
        'name': 'dcgan',
        'g': {'widths': (256, 128, 64), 'norm': 'batch'},
        'd': {'widths': (64, 128, 256), 'norm': 'batch'},
      },
      'steps': 100_000,
      'report_every': 1000,
      'save_every': 5000,
      'eval_every': 5000,
      'eval_samples': 10_000,
    }
  )
  config.latent.dim = 128
  config.ema.halflife_kimg = 0.0
  if arg == 'tiny':
    common.shrink(config)
    config.model.g.widths = (16, 8, 4)
    config.model.d.widths = (4, 8, 16)
  return common.finish(config, arg)
