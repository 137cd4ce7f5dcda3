"""Least squares or cross-entropy, at every moment of a series?"""


def get_study():
  """The beginning of the recipe, with half as many units."""
  return {
    'question': 'Least squares or cross-entropy on sine waves?',
    'base': 'configs/sines_rcgan.py',
    'overrides': {
      'steps': 500,
      'eval_every': 500,
      'eval_samples': 2000,
      'model.g.hidden': (32,),
      'model.d.hidden': (32,),
    },
    'factors': {'loss.name': ('cross_entropy', 'lsgan')},
    'num_seeds': 6,
    'metric': 'mmd',
    'also': ('discriminative', 'acf_distance'),
  }
