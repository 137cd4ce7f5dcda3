"""Eight Gaussians on a ring: the smallest question a GAN can fail."""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'ring8'},
      'model': {
        'name': 'mlp',
        'g': {'hidden': (128, 128), 'activation': 'relu', 'norm': 'none'},
        'd': {'hidden': (128, 128), 'activation': 'relu', 'norm': 'none'},
      },
      # Without it the modes are lost: set penalties to {} and look.
      'penalties': {'r1': {'gamma': 0.02}},
      'steps': 10_000,
      'batch_size': 256,
      'report_every': 500,
      'save_every': 2500,
      'eval_every': 2500,
      'eval_samples': 2500,
    }
  )
  config.latent.dim = 32
  config.ema.halflife_kimg = 50.0
  config.optim.g = common.adam(1e-3, b1=0.5)
  config.optim.d = common.adam(1e-3, b1=0.5)
  if arg == 'tiny':
    common.shrink(config)
    config.model.g.hidden = config.model.d.hidden = (16,)
  return common.finish(config, arg)
