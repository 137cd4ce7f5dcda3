"""Shakespeare by characters, by residual convolutions: a beginning.

  python -m gan_jax.train --config=configs/shakespeare_chargan.py \\
    --config.data.dir=DIR --workdir=runs/shakespeare

DIR holds tiny_shakespeare of TensorFlow Datasets. The network of WGAN-GP at a
tenth of its width, with cross-entropy and R1 in place of its five updates of D;
--config.loss.name=wasserstein --config.d_steps=5 and a gradient_penalty are the
paper's.
Hardware and time: 3 seeds in 23 min on 2 x86-64 cores that three other programs
shared, 19 min of processor time.
Expected, mean (range) of 3 seeds, 5,000 samples of the moving average:
  js_4 .551 (.527 to .574) bits (an untrained model: 1.00; unseen text: .10),
    after 4,000 steps .63
  word_share .251 (.231 to .276), longest_copy 6.5 (6.4 to 6.5) characters
Verified.
"""

from configs import grammar_chargan


def get_config(arg: str = ''):
  """Returns the recipe; 'tiny' shrinks it to seconds, on lines by a grammar."""
  config = grammar_chargan.get_config(arg)
  if arg == 'tiny':
    return config
  config.data = {'name': 'tiny_shakespeare', 'dir': ''}
  config.model.g.dim = config.model.d.dim = 48
  config.optim.g.learning_rate = config.optim.d.learning_rate = 2e-3
  config.update(
    {
      'steps': 10_000,
      'save_every': 2000,
      'eval_every': 1000,
      'eval_samples': 5000,
    }
  )
  return config
