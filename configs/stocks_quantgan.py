"""Daily returns of the S&P 500 by temporal convolutions, as in Quant GANs.

  python -m gan_jax.train --config=stocks_quantgan --workdir=runs/stocks

Needs the extra `series` (the package arch, whose files hold the prices).
Windows of 127 days, noise of 3 numbers a day, cross-entropy, Adam at 3e-4 and
1e-4 as in Quant GANs and a replication of it; the returns are standardised, but
not freed of their heavy tails beforehand. Sized to a CPU: the paper's networks
look back 126 days and not 62 (latent.before), by a sixth block, and have 80
features.
Hardware and time: 3 seeds in 9 min on 2 x86-64 cores shared with other work, 7
min of processor time.
Expected, mean (range) of 3 seeds, 2,000 samples of the moving average:
  tail_distance .258 (.189 to .333), of an untrained model .836
  acf_distance 1.18 (1.14 to 1.24) and leverage_distance .420 (.362 to .501), as
    untrained: calm and wild times are not learnt in so few steps
Verified.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'stocks'},
      'model': {
        'name': 'quantgan',
        'g': {'width': 32, 'dilations': (1, 2, 4, 8, 16)},
        'd': {'width': 32, 'dilations': (1, 2, 4, 8, 16)},
      },
      'latent': {'dim': 3, 'before': 62},
      'steps': 1000,
      'batch_size': 32,
      'report_every': 100,
      'save_every': 500,
      'eval_every': 500,
      'eval_samples': 2000,
      'metrics': ('acf_distance', 'leverage_distance', 'tail_distance'),
    }
  )
  config.optim.g = common.adam(3e-4, b1=0.0, b2=0.9)
  config.optim.d = common.adam(1e-4, b1=0.0, b2=0.9)
  if arg == 'tiny':
    common.shrink(config)
    config.latent.dim = 3
    config.model.g.width = config.model.d.width = 4
  return common.finish(config, arg)
