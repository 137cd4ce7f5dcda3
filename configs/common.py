"""What all recipes share: every key, commented, with its usual value."""

import ml_collections


def default() -> ml_collections.ConfigDict:
  """All keys of a recipe; a recipe changes some of them."""
  return ml_collections.ConfigDict(
    {
      # The run
      'seed': 0,
      'num_seeds': 1,  # independent runs in one: seed, seed + 1, ...
      'steps': 10_000,  # updates of G
      'stop_when': {},  # earlier: {'metric': 'fid', 'below': 10.}
      'parallel': '',  # jit | pmap | shard_map; '': pmap if several devices
      'dtype': 'float32',  # of the computation; or bfloat16
      # The game
      'batch_size': 64,  # global
      'microbatches': 1,  # pieces of a batch whose gradients are added up
      'pack': 1,  # samples that D judges together
      'dynamics': {'name': 'alternating'},  # or simultaneous
      'd_steps': 1,  # updates of D for each one of G
      'fresh_real': False,  # G's update sees reals that D has not just seen
      'conditional': False,  # both players see the label
      'conditioning': {'name': 'projection'},  # how D uses it
      'augment': {},  # of what D is shown: {'name': 'flip'}
      'loss': {'name': 'cross_entropy'},
      'penalties': {},  # {'r1': {'gamma': .1}}
      'latent': {'name': 'normal', 'dim': 64},
      'init_from': '',  # another run, whose weights it begins with
      'force': False,  # train what is refused as broken; scores say so
      'ema': {'halflife_kimg': 10.0, 'rampup': 0.05},  # or {'name': 'power'}
      'optim': {
        'g': adam(2e-4, b1=0.5),
        'd': adam(2e-4, b1=0.5),
      },
      # Reports, all in steps; 0: only at the end
      'report_every': 500,
      'health_every': 10,  # measure the game's health; 0: never
      'save_every': 1000,
      'eval_every': 2000,
      'eval_samples': 10_000,
      'eval_labels': 'data',  # of which classes: as in the data, or balanced
      'standing_stats': 0,  # batches for G's batch norms; 0: running averages
      'metrics': (),  # (): the usual ones for the kind of data
      'metric_options': {},  # {'prdc': {'k': 3}, 'is': {'splits': 5}}
      'features': '',  # classifier, inception, ...; '': the usual ones
      'protocol': '',  # 'clean-50k-train', ...: in place of the two above
      'best_metric': '',  # ranks the checkpoints; '': the goal's, or the first
      # When something goes wrong
      'on_divergence': 'stop',  # or rollback: last good step, fresh numbers
      'max_rollbacks': 3,
      'save_patience_minutes': 30.0,  # of failing saves before it stops
      'deterministic': False,  # refuse what might change the bits
    }
  )


def adam(learning_rate: float, **kwargs) -> dict:
  """Adam without a schedule."""
  return {
    'name': 'adam',
    'learning_rate': learning_rate,
    'schedule': {},  # {'name': 'cosine_decay_schedule', 'decay_steps': ...}
    'clip_norm': 0.0,
    **kwargs,
  }


# What the variants `digits` share: scikit-learn's handwritten digits, 8 x 8, by
# networks that one core of a CPU trains in minutes, compiling included. Scores
# in their headers: one seed, 2,000 samples of the moving average against the
# 1,797 digits, on the features of the classifier trained here.
DIGITS = {
  'data': {'name': 'digits'},
  'conditional': True,
  'dtype': 'float32',
  'batch_size': 32,
  'ema': {'halflife_kimg': 5.0},
  'report_every': 500,
  'save_every': 1000,
  'eval_every': 0,
  'eval_samples': 2000,
}


def shrink(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
  """The same recipe in seconds, for tests: few steps, thin networks."""
  config.update(
    {
      'steps': 8,
      'batch_size': 8,
      'report_every': 4,
      'health_every': 2,
      'save_every': 4,
      'eval_every': 8,
      'eval_samples': 64,
    }
  )
  config.latent.dim = 8
  return config


def finish(config: ml_collections.ConfigDict, arg: str):
  """Checks a recipe's argument: '' or 'tiny' (applied by the recipe)."""
  if arg not in ('', 'tiny'):
    raise ValueError(f"argument {arg!r}: there is 'tiny', or none")
  return config


def family(
  arg: str, variants: dict, *, base: dict, tiny: dict
) -> ml_collections.ConfigDict:
  """A recipe that comes in variants, say for several data sets.

  Args:
    arg: a variant, 'tiny' or 'VARIANT:tiny'; the first variant is the usual.
    variants: what each changes of the base, by name.
    base: what all change of default().
    tiny: the thin networks; they are tried on digits, which need no files.
  """
  name, _, size = arg.partition(':')
  if name == 'tiny' and not size:
    name, size = '', 'tiny'
  name = name or next(iter(variants))
  if name not in variants or size not in ('', 'tiny'):
    there = ', '.join(variants)
    raise ValueError(f"argument {arg!r}: there are {there}, each with ':tiny'")
  config = default()
  for changes in (base, variants[name]):
    config.update(changes)
  if size:
    shrink(config).update({'model': tiny})
    config.data = {'name': 'digits'}
    config.d_steps = 1  # more are compiled one by one
  return config


def to_zero(updates: int, *, after: int = 0) -> dict:
  """A schedule: the rate falls to zero, by a line, after so many updates."""
  return {
    'name': 'linear_schedule',
    'end_value': 0.0,
    'transition_begin': after,
    'transition_steps': updates - after,
  }
