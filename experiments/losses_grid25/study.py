"""Does the loss matter on the grid of twenty-five Gaussians?"""


def get_study():
  """The losses of losses_ring8, where there are three times as many modes."""
  return {
    'question': 'Does the loss matter on grid25?',
    'base': 'configs/grid25.py',
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
    'metric': 'modes',
    'also': ('high_quality', 'reverse_kl'),
    'baseline': {'loss.name': 'cross_entropy'},
  }
