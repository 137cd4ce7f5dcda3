"""Does augmentation help where there are few data?"""


def get_study():
  """A tenth of MNIST's training images, at 16 pixels; ADA with its colours off.

  `TFDS_DATA_DIR` says where the data is.
  """
  ada = {'name': 'ada', 'groups': ('blit', 'geom'), 'kimg': 50.0}
  return {
    'question': 'Do DiffAugment and ADA help on a tenth of MNIST?',
    'base': 'configs/mnist.py',
    'overrides': {
      'data': {
        'name': 'mnist',
        'dir': '',
        'image_size': 16,
        'split': 'train[:10%]',
      },
      'model.g.widths': (64, 32),
      'model.d.widths': (32, 64),
      'steps': 1500,
      'eval_every': 500,
      'eval_samples': 5000,
    },
    'factors': {
      'augment': {
        'none': {},
        'DiffAugment': {'name': 'diffaugment'},
        'ADA': ada,
      },
    },
    'num_seeds': 8,
    'metric': 'fid',
    'also': ('precision', 'recall', 'coverage'),
  }
