"""What of the digits recipe matters?"""


def get_study():
  """One thing at a time is taken from the recipe, or changed."""
  return {
    'question': 'What of the digits recipe matters?',
    'base': 'configs/digits.py',
    'overrides': {'steps': 1500, 'eval_every': 500},
    'design': 'one_at_a_time',
    'factors': {
      'model.d.norm': {'no norm in D': 'none', 'batch norm in D': 'batch'},
      'model.g.norm': {'no norm in G': 'none'},
      'ema.halflife_kimg': {'no EMA': 0.0},
      'd_steps': {'two steps of D': 2},
      'optim.g.b1': {'b1 of G .9': 0.9},
      'penalties': {'with R1': {'r1': {'gamma': 0.1}}},
    },
    'num_seeds': 10,
    'metric': 'fid',
    'also': ('precision', 'recall', 'coverage'),
  }
