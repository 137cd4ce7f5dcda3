"""Lines by a small grammar, by residual convolutions: text without a download.

python -m gan_jax.train --config=configs/grammar_chargan.py --workdir=runs/text

Hardware and time: 2 x86-64 cores shared with other work, 3 min of CPU time for
5 seeds (1,500 steps).
Expected, mean (range) of 5 seeds, 2,000 samples of the moving average:
  js_4 .456 (.351 to .562) bits (an untrained model: 1.00; unseen lines: .007)
  longest_copy 9.4 (8.4 to 10.6) characters, word_share .390 (.336 to .483),
  grammatical .002 (0 to .007): words come first, whole lines much later
Verified.
"""

from configs import common


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds."""
  config = common.default()
  config.update(
    {
      'data': {'name': 'grammar'},
      'model': {
        'name': 'char_gan',
        'g': {'dim': 32, 'blocks': 2},
        'd': {'dim': 32, 'blocks': 2},
      },
      'penalties': {'r1': {'gamma': 1.0, 'every': 4}},
      'steps': 1500,
      'batch_size': 32,
      'report_every': 250,
      'save_every': 500,
      'eval_every': 500,
      'eval_samples': 2000,
    }
  )
  config.optim.g = common.adam(1e-3, b1=0.5)
  config.optim.d = common.adam(1e-3, b1=0.5)
  if arg == 'tiny':
    common.shrink(config)
    config.data.size = 500
    for player in 'gd':
      config.model[player].dim, config.model[player].blocks = 8, 1
  return common.finish(config, arg)
