"""Shakespeare by an LSTM that writes characters, through the Gumbel-softmax.

  python -m gan_jax.train --config=configs/shakespeare_gumbel.py \\
    --config.data.dir=DIR --workdir=runs/gumbel

DIR holds tiny_shakespeare of TensorFlow Datasets. The temperature falls from 1
towards .5, which it would reach after 10,000 steps; --config.model.g.hard=True
shows D drawn characters (straight-through).
Hardware and time: 3 seeds in 18 min on 2 x86-64 cores that three other programs
shared, 14 min of processor time.
Expected, mean (range) of 3 seeds, 5,000 samples of the moving average:
  js_4 .728 (.720 to .736) bits, of shakespeare_chargan after as many steps .63
    (an untrained model: 1.00; unseen text: .10)
  word_share .199 (.168 to .215), longest_copy 5.4 characters
Verified.
"""

from configs import shakespeare_chargan


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds, on lines by a grammar."""
  config = shakespeare_chargan.get_config(arg)
  features = 8 if arg == 'tiny' else 128
  config.model.name = 'gumbel_lstm'
  config.model.g = {'features': features, 'anneal_steps': 10_000}
  if arg != 'tiny':
    config.steps = 4000
  return config
