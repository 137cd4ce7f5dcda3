"""MNIST by a BiGAN of perceptrons, and what its encoder learns of the digits.

  python -m gan_jax.train --config=configs/mnist_bigan.py \\
    --config.data.dir=TFDS_FOLDER --workdir=runs/bigan

"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'mnist', 'dir': ''},
      'model': {'name': 'bigan', 'g': {}, 'd': {}, 'e': {}},
      'latent': {'name': 'uniform', 'dim': 50},
      'steps': 2000,
      'batch_size': 128,
      'report_every': 100,
      'save_every': 500,
      'eval_every': 500,
      'eval_samples': 10_000,
      'metrics': ('knn_accuracy', 'reconstruction_error'),
    }
  )
  config.optim.g = common.adam(2e-4, b1=0.5)
  config.optim.d = common.adam(2e-4, b1=0.5)
  if arg == 'tiny':
    common.shrink(config)
    for player in ('g', 'd', 'e'):
      config.model[player].hidden = (8, 8)
  return common.finish(config, arg)
