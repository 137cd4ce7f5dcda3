"""Days of the S&P 500, open to close, by TimeGAN in its three phases.

  python -m gan_jax.train --config=configs/stocks_timegan.py \\
    --workdir=runs/stocks

Needs the extra `series` (the package arch, whose files hold the prices).
Windows of 24 days; the weights and the rates of the authors' code, but one
layer of GRUs for their three, and a tenth of their weight of the moments: of
returns in units of their deviation, which have heavy tails, the moments of a
batch of 128 differ by as much from one to the next as G's from theirs, and at
100 that noise is all that G follows (then D wins, in each of 3 seeds).
Hardware and time: 3 seeds in 24 min on 2 shared x86-64 cores, beside tests; one
alone in 6 min. A step of the third phase, which moves every network, takes
seven times as long as one of the first two.
Expected, mean (range) of 3 seeds, 2,000 samples of the moving average:
  predictive .533 (.493 to .592); .510 of real series in place of the fakes
  acf_distance 1.64 (.90 to 3.08)
  discriminative .499 (.497 to .500), of real series .02: on half of the days it
    makes, the highest price is not the highest, or the lowest not the lowest
  one seed of three varies too little (diversity .30 of the data's)
Verified.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'stocks', 'values': 'ohlc'},
      'model': {
        'name': 'timegan',
        'g': {'layers': 1},
        'd': {'layers': 1},
        'e': {'layers': 1},
      },
      'latent': {'name': 'uniform', 'dim': 4},
      'dynamics': {'name': 'timegan', 'embed': 1000, 'supervise': 500},
      'penalties': {
        'reconstruction': {'weight': 10.0},
        'supervised': {},
        'moments': {'weight': 10.0},
      },
      'steps': 4000,
      'batch_size': 128,
      'report_every': 200,
      'save_every': 1000,
      'eval_every': 2000,
      'eval_samples': 2000,
      'metrics': ('discriminative', 'predictive', 'acf_distance'),
    }
  )
  config.optim.g = common.adam(1e-3)
  config.optim.d = common.adam(1e-3)
  if arg == 'tiny':
    common.shrink(config)
    config.latent.dim = 4
    config.dynamics.update({'embed': 2, 'supervise': 2})
    for player in ('g', 'd', 'e'):
      config.model[player].hidden = 4
  return common.finish(config, arg)
