"""What a run needs, in lines for a terminal."""

from gan_jax.report import text

UNITS = ('', 'k', 'M', 'G', 'T', 'P', 'E')


def of_run(plan: dict) -> list[str]:
  """Lines of a plan, see run.planning.plan.of_run."""
  run = plan['run']
  classes = f', {run["num_classes"]} classes' if run['num_classes'] else ''
  if run['attributes']:
    classes = f', {run["attributes"]} attributes'
  shape = ' x '.join(map(str, run['shape']))
  lines = [
    f'{run["data"]}: {shape}{classes}; batch {run["batch_size"]:,},'
    f' {run["num_seeds"]} seed{"s" * (run["num_seeds"] > 1)},'
    f' {run["steps"]:,} steps, {run["dtype"]}',
    *_networks(plan),
    *_sums(plan),
    _measured(plan['measured']),
    *(_chip(name, row) for name, row in plan['roofline'].items()),
  ]
  return [*lines, *_slice(plan)]


def of_study(plan: dict) -> list[str]:
  """Lines of the plan of a study, see study.costs.of_study."""
  lines = [
    f'{name}: {_parameters(cell)} parameters,'
    f' {amount(cell["flops_per_step"])}FLOP a step'
    for name, cell in plan['cells'].items()
  ]
  for name, cell in plan['cells'].items():
    lines += [f'{name}: {line}' for line in _slice(cell)]
  count = len(plan['cells'])
  lines += [
    f'all {count} cells: {_parameters(plan)} parameters',
    *_sums(plan),
  ]
  return lines + ([_measured(plan['measured'])] if 'measured' in plan else [])


def amount(value: float) -> str:
  """A number with a decimal prefix: 30.8 G of 3.08e10."""
  for prefix in UNITS:
    if abs(value) < 1000 or prefix == UNITS[-1]:
      break
    value /= 1000
  return f'{value:.4g} {prefix}'


def seconds(value: float) -> str:
  """A step's or a run's time: 12.3 ms, 4.5 s, 3:05, 2:03:05, 4.2 days."""
  for size, unit in ((1e-3, 'µs'), (1, 'ms')):
    if value < size:
      return f'{value / size * 1000:.3g} {unit}'
  if value < 60:
    return f'{value:.3g} s'
  days = value / 86400
  return f'{days:,.1f} days' if days >= 2 else text.duration(value)


def _parameters(plan):
  own = plan['parameters'].items()
  return ', '.join(f'{player} {count:,}' for player, count in own)


def _networks(plan):
  for player, count in plan['parameters'].items():
    stages = plan['stages'][player].items()
    own = ', '.join(f'{stage} {size:,}' for stage, size in stages)
    yield f'{player}: {count:,} parameters ({own})'


def _sums(plan):
  flops, accessed = plan['flops_per_step'], plan['bytes_per_step']
  yield f'a step: {amount(flops)}FLOP, {amount(accessed)}B read and written'
  parts = [f'{k} {amount(v)}B' for k, v in plan['bytes'].items() if v]
  yield f'memory: {", ".join(parts)}'


def _times(row):
  step, whole = row['seconds_per_step'], row['seconds_per_run']
  return f'{seconds(step)} a step, {seconds(whole)} the run'


def _measured(row):
  if 'skipped' in row:
    return f'here ({row["device"]}): not measured, {row["skipped"]}'
  parts = (f'{k} {seconds(v)}' for k, v in row['seconds'].items() if v)
  return f'here ({row["device"]}): {_times(row)} ({", ".join(parts)})'


def _chip(name, row):
  fits = '' if row['fits'] else '; its memory is too small'
  return f'{name}: {_times(row)}, by the roofline of its {row["bound"]}{fits}'


def _slice(plan):
  if 'topology' not in plan:
    return []
  row = plan['topology']
  share = row['needed_per_chip'] / row['memory_per_chip']
  each = ', '.join(
    f'{own["count"]} {kind} ({own["large"]} with most of the bytes)'
    for kind, own in row['collectives'].items()
  )
  return [
    f'{row["slice"]}: {row["chips"]} chips, {row["devices"]} devices,'
    f' {row["wrapper"]}; a chip has {row["seeds_per_chip"]:g} seeds and'
    f' {row["batch_per_chip"]:g} of the batch',
    f'{row["slice"]}: a chip needs {amount(row["needed_per_chip"])}B'
    f' ({share:.0%} of its memory), {amount(row["flops_per_chip"])}FLOP a step',
    f'{row["slice"]}: {each or "no collectives"},'
    f' {amount(row["collective_bytes"])}B a step',
  ]
