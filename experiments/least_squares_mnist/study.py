"""Least squares or cross-entropy, on MNIST?"""


def get_study():
  """The two losses that this code base began with, for a quarter of the recipe.

  Six seeds are the fewest with which one comparison can reach .05.
  """
  return {
    'question': 'Least squares or cross-entropy on MNIST?',
    'base': 'configs/mnist.py',
    'overrides': {'steps': 750, 'eval_every': 250, 'eval_samples': 5000},
    'factors': {'loss.name': ('cross_entropy', 'lsgan')},
    'num_seeds': 6,
    'metric': 'fid',
    'also': ('precision', 'recall', 'class_coverage'),
  }
