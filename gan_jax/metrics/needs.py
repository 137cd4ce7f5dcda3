"""How many samples every metric needs at least, so that it is known before.

The metrics themselves refuse fewer; but that is after the samples are drawn.
"""

import numpy as np

from gan_jax.metrics import measures
from gan_jax.types import UserError

# (real samples, fakes) of an output, in each class.
IN_CLASSES = {'intra_fid': (2, 2)}


def check(
  names,
  *,
  options: dict,
  num_real: int | None,
  num_fake: int,
  flag: str,
  data: str,
):
  """Refuses metrics for which there are too few samples.

  Args:
    names: of outputs.
    options: of the metrics, see measures.OPTIONS.
    num_real: real samples that are used; None if unknown.
    num_fake: samples of the generator.
    flag: that says how many fakes are drawn.
    data: what the real samples are called.

  Raises:
    UserError: the first one, what it needs and what there is.
  """
  for name in names:
    real, fake = (_number(x, options) for x in measures.LEAST.get(name, (1, 1)))
    if num_fake < fake:
      raise UserError(
        f'{flag}={num_fake}: {name} needs at least {fake} samples.'
      )
    if num_real is not None and num_real < real:
      raise UserError(
        f'metrics: {name} needs at least {real} real samples; {data} has'
        f' {num_real}.'
      )


def check_classes(
  names, *, real: np.ndarray, fake: np.ndarray, class_names, flag: str
):
  """The same for what is measured in each class that there is.

  Args:
    names: of outputs.
    real: real samples of each class [C].
    fake: samples of each class [C] that are drawn.
    class_names: [C].
    flag: that says how many fakes are drawn.

  Raises:
    UserError: names the class.
  """
  there = np.flatnonzero(np.maximum(real, fake))
  for name in names:
    for counts, least, whose in zip(
      (real, fake), IN_CLASSES.get(name, ()), ('data', flag), strict=False
    ):
      c = there[np.argmin(np.asarray(counts)[there])]
      if counts[c] < least:
        what = 'examples' if whose == 'data' else 'samples'
        begin = 'metrics' if whose == 'data' else f'{flag}={sum(counts)}'
        raise UserError(
          f'{begin}: {name} needs at least {least} {what} of each class; there'
          f' are {counts[c]} of {class_names[c]!r}.'
        )


def _number(least, options):
  if not isinstance(least, str):
    return least
  option, _, more = least.partition(' + ')
  return options[option] + int(more or 0)
