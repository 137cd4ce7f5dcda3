"""Which of R3GAN's parts keep the modes?"""

ONE, BOTH = {'r1': {'gamma': 1.0}}, {'r1': {'gamma': 1.0}, 'r2': {'gamma': 1.0}}


def get_study():
  """The four cells of R3GAN's Table 1 (https://arxiv.org/abs/2501.05441).

  Stacked MNIST at 16 pixels, networks without any norm, a few thousand steps:
  what two cores train. `TFDS_DATA_DIR` says where the data is.
  """
  return {
    'question': 'Does a relativistic loss keep modes, and does R2, on stacked'
    ' MNIST?',
    'base': 'configs/mnist.py',
    'overrides': {
      'data': {'name': 'stacked_mnist', 'dir': '', 'image_size': 16},
      'model': {
        'name': 'dcgan',
        'g': {'widths': (32, 16), 'norm': 'none'},
        'd': {'widths': (16, 32), 'norm': 'none'},
      },
      'steps': 4000,
      'eval_every': 1000,
      'eval_samples': 10_000,
      'optim.g.learning_rate': 5e-4,
      'optim.d.learning_rate': 5e-4,
      'optim.g.b1': 0.0,
      'optim.d.b1': 0.0,
    },
    'factors': {
      'loss.name': ('cross_entropy', 'rpgan'),
      'penalties': {'R1': ONE, 'R1 + R2': BOTH},
    },
    'num_seeds': 8,
    'metric': 'stacked_modes',
    'also': ('stacked_kl',),
    'baseline': {'loss.name': 'rpgan', 'penalties': BOTH},
  }
