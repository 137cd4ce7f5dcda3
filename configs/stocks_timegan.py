"""Days of the S&P 500, open to close, by TimeGAN in its three phases.

  python -m gan_jax.train --config=configs/stocks_timegan.py \\
    --workdir=runs/stocks

Needs the extra `series` (the package arch, whose files hold the prices).
Windows of 24 days; the weights and the rates of the authors' code, but one
layer of GRUs for their three.
Not verified: on 2 shared x86-64 cores 3 seeds took 9 min for the first two
phases, after which series are told apart from real ones without fail, as they
should be; the third, which moves every network, takes ten times as long a step.
With three layers, after 400 steps of it (3 seeds): discriminative .500,
predictive .709, acf_distance 1.76.
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
        'moments': {},
      },
      'steps': 3000,
      'batch_size': 128,
      'report_every': 200,
      'save_every': 1000,
      'eval_every': 1500,
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
