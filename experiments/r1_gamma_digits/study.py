"""How exact has the weight of R1 to be?"""

USUAL = 0.1


def get_study():
  """The usual gamma, and a quarter to four times as much; no norm in D."""
  return {
    'question': 'How flat is the optimum of the weight of R1, on digits?',
    'base': 'configs/digits.py',
    'overrides': {'steps': 1500, 'eval_every': 500, 'model.d.norm': 'none'},
    'factors': {
      'penalties': {
        f'gamma {USUAL * times:g}': {'r1': {'gamma': USUAL * times}}
        for times in (1, 0.25, 0.5, 2, 4)
      },
    },
    'num_seeds': 12,
    'metric': 'fid',
    'also': ('precision', 'recall', 'coverage'),
  }
