"""Least squares or cross-entropy, on the small digits?"""


def get_study():
  """The two losses that this code base began with."""
  return {
    'question': 'Least squares or cross-entropy on digits?',
    'base': 'configs/digits.py',
    'overrides': {'steps': 3000, 'eval_every': 1000},
    'factors': {'loss.name': ('cross_entropy', 'lsgan')},
    'num_seeds': 12,
    'metric': 'fid',
    'also': ('precision', 'recall', 'coverage'),
  }
