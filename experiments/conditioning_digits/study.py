"""How should D use the class?"""

HEADS = (
  'projection', 'concat', 'md', 'ac', 'tac', 'adc', 'contrastive', 'd2d_ce',
  'unconditional_d',
)  # fmt: skip


def get_study():
  """Every head of the package that goes with this loss; G is told the class."""
  return {
    'question': 'Which conditioning of D suits digits?',
    'base': 'configs/digits.py',
    'overrides': {'steps': 1200, 'eval_every': 600, 'conditional': True},
    'factors': {'conditioning.name': HEADS},
    'num_seeds': 10,
    'metric': 'fid',
    'also': ('intra_fid', 'class_coverage', 'precision', 'recall'),
  }
