"""Options of metrics, which belong to the protocol of a score.

A config has them in groups by metric: {'prdc': {'k': 3}, 'is': {'splits': 5}}.
"""

from collections.abc import Sequence

from gan_jax.components import options as options_lib
from gan_jax.metrics import measures
from gan_jax.types import UserError

MOST = 10**6  # of a count


def of_record(record: dict, given: dict) -> dict:
  """The options that a record of such samples has.

  Args:
    record: of a score, with the numbers of its samples.
    given: in place of some of measures.OPTIONS.
  """
  options = measures.OPTIONS | given
  counts = (record.get(name) or 0 for name in ('n_real', 'n_fake'))
  (metric,) = measures.chosen((record['metric'],))
  return measures.decisive(metric, options, *counts)


def of(output: str, given: dict | None = None) -> dict:
  """The options of the metric that gives this output.

  Args:
    output: its name.
    given: in place of some of measures.OPTIONS.
  """
  known = measures.OPTIONS | (given or {})
  takes = [m.options for m in measures.chosen((output,))]
  return {key: known[key] for keys in takes for key in keys}


def chosen(groups: dict, *, flag: str = 'metric_options') -> dict:
  """Options by their names alone.

  Args:
    groups: {name of a metric or its file: {option: value}}.
    flag: what an error begins with.

  Raises:
    UserError: a metric without options, an option that it does not have, or a
      value of another type.
  """
  options = {}
  for name, own in groups.items():
    takes = {key for output in measures.outputs(name) for key in of(output)}
    if not takes:
      there = ', '.join(n for n in _named() if of(measures.outputs(n)[0]))
      raise UserError(f'{flag}.{name}: no such options; {there} have some.')
    options_lib.check_kind(f'{flag}.{name}', own, dict)
    options_lib.check_known(f'{flag}.{name}', own, sorted(takes))
    for key, value in own.items():
      _check(f'{flag}.{name}.{key}', key, value)
    options |= own
  return options


def unused(groups: dict, names: Sequence[str]) -> str:
  """The first option that none of these metrics has: 'is.splits', or ''.

  Args:
    groups: see chosen.
    names: of metrics or their files; () for any.

  Raises:
    UserError: no such metric, or one without options.
  """
  used = {k for n in names for out in measures.outputs(n) for k in of(out)}
  for name, own in groups.items():
    chosen({name: own})
    for key in own if names else ():
      if key not in used:
        return f'{name}.{key}'
  return ''


def pairs(groups: dict) -> tuple:
  """The same as sorted pairs (name, value), as a protocol holds them."""
  return tuple(sorted(chosen(groups).items()))


def _named():
  """Names of the metrics, by their files where these have other names."""
  grouped = {output for group in measures.FILES.values() for output in group}
  single = (n for m in measures.METRICS for n in m.outputs)
  return (*measures.FILES, *(n for n in single if n not in grouped))


def _check(flag, key, value):
  if key in measures.COUNTS:
    if value is not None:
      options_lib.whole_number(flag, value, least=0, most=MOST)
    return
  options_lib.check_kind(flag, value, type(measures.OPTIONS[key]))
  if key in measures.CHOICES and value not in measures.CHOICES[key]:
    there = ', '.join(measures.CHOICES[key])
    raise UserError(f'{flag}={value!r}: there are {there}.')
  if options_lib.is_of(value, float) and value <= 0:
    raise UserError(f'{flag}={value}: expected a number above 0.')
