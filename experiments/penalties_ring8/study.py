"""Which penalty does which loss need?"""


def get_study():
  """A full grid: whether a penalty helps may depend on the loss.

  The four cells of cross_entropy and rpgan with R1 alone and with R1 + R2 are
  those of R3GAN's Table 1 (https://arxiv.org/abs/2501.05441), in the small.
  """
  return {
    'question': 'Which penalty helps which loss on ring8?',
    'base': 'configs/ring8.py',
    'overrides': {'steps': 2500, 'eval_every': 1250},
    'factors': {
      'loss.name': ('cross_entropy', 'lsgan', 'wasserstein', 'rpgan'),
      'penalties': {
        'none': {},
        'R1': {'r1': {'gamma': 0.02}},
        'R1 + R2': {'r1': {'gamma': 0.02}, 'r2': {'gamma': 0.02}},
        'GP': {'gradient_penalty': {}},
      },
    },
    'num_seeds': 12,
    'metric': 'modes',
    'also': ('high_quality', 'reverse_kl'),
    'baseline': {'loss.name': 'cross_entropy', 'penalties': {}},
  }
