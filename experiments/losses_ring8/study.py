"""Does the loss matter on the ring of eight Gaussians?"""


def get_study():
  """The losses that most papers choose from, under the recipe's R1."""
  return {
    'question': 'Does the loss matter on ring8?',
    'base': 'configs/ring8.py',
    'factors': {
      'loss.name': (
        'cross_entropy',
        'minimax',
        'lsgan',
        'hinge',
        'wasserstein',
        'rpgan',
      ),  # fmt: skip
    },
    'num_seeds': 16,
    'metric': 'high_quality',
    'also': ('modes', 'reverse_kl'),
    'baseline': {'loss.name': 'cross_entropy'},
  }
