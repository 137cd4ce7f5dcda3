"""Shakespeare by an LSTM that writes characters, through the Gumbel-softmax.

  python -m gan_jax.train --config=configs/shakespeare_gumbel.py \\
    --config.data.dir=DIR --workdir=runs/gumbel

DIR holds tiny_shakespeare of TensorFlow Datasets. The temperature falls from 1
to .5 over the first 10,000 steps; --config.model.g.hard=True shows D drawn
characters (straight-through). Not measured: 'tiny' has been run, no more.
"""

from configs import shakespeare_chargan


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds, on lines by a grammar."""
  config = shakespeare_chargan.get_config(arg)
  features = 8 if arg == 'tiny' else 128
  config.model.name = 'gumbel_lstm'
  config.model.g = {'features': features, 'anneal_steps': 10_000}
  return config
