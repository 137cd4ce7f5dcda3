"""Do players that look ahead lose fewer modes?"""

SIX = (
  'alternating', 'simultaneous', 'extragradient', 'optimistic', 'consensus',
  'lookahead',
)  # fmt: skip


def get_study():
  """Six dynamics with their published options, all else as it is."""
  return {
    'question': 'Which dynamics keeps the modes of ring8?',
    'base': 'configs/ring8.py',
    'overrides': {'steps': 2500, 'eval_every': 1250},
    'factors': {'dynamics.name': SIX},
    'num_seeds': 12,
    'metric': 'modes',
    'also': ('high_quality', 'reverse_kl'),
  }
