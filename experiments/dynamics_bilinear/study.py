"""Where do six dynamics lead on the game that can be computed by hand?"""

SIX = (
  'alternating', 'simultaneous', 'extragradient', 'optimistic', 'consensus',
  'lookahead',
)  # fmt: skip


def get_study():
  """`fid` is the squared distance of G's point from where the game rests."""
  return {
    'question': 'Which dynamics comes to rest on a bilinear game?',
    'base': 'configs/bilinear.py',
    'overrides': {'steps': 500},
    'factors': {
      'dynamics': {name: {'name': name} for name in SIX},
    },
    'num_seeds': 12,
    'metric': 'fid',
  }
