"""Do cells that are equal come out equal?"""


def get_study():
  """One cell; null.py deals its seeds out to twenty pairs of equal cells."""
  return {
    'question': 'Do cells that are equal come out equal?',
    'base': 'configs/ring8.py',
    'overrides': {'steps': 1000, 'eval_every': 0},
    'factors': {'loss.name': ('cross_entropy',)},
    'num_seeds': 320,
    'metric': 'high_quality',
    'also': ('modes', 'reverse_kl'),
  }
