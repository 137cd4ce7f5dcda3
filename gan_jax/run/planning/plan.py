"""What a run needs, before anything of it is trained: plain values for JSON.

{'parameters': {player: n}, 'flops_per_step': ..., 'bytes': {part: n}, ...}.
"""

from collections.abc import Callable

import jax

from gan_jax.devices import chips
from gan_jax.run.planning import costs, described, on_slice
from gan_jax.run.setup import Setup

STEPS = 3  # that are measured


def of_run(
  config: dict,
  *,
  num_classes: int = 0,
  shape: tuple[int, ...] = (),
  steps: int = STEPS,
  topology: str = '',
  compile_step: Callable = costs.compile_step,
) -> dict:
  """The plan of a run; nothing is trained, and no data are read.

  Args:
    config: all keys of run.config.keys.TABLE.
    num_classes, shape: see described.setup.
    steps: that are measured; 0: none.
    topology: a slice of TPU chips, see on_slice.plan; '': none.
    compile_step: Setup -> costs.Step.

  Returns:
    plain values. Operations, bytes and seconds are those of all seeds,
    parameters those of one.

  Raises:
    UserError: see described.setup and on_slice.plan.
  """
  given = {'num_classes': num_classes, 'shape': shape}
  setup_of = lambda config: described.setup(config, **given)
  setup = setup_of(config)
  # Before what takes longer: it may be refused.
  slice_ = on_slice.plan(setup_of, config, topology) if topology else {}
  step, seeds = compile_step(setup), len(setup.keys)
  made = {
    'run': _run(setup, config),
    'parameters': costs.parameters(setup),
    'stages': costs.stages(setup),
    'flops_per_step': seeds * step.flops,
    'bytes_per_step': seeds * step.accessed,
    'bytes': costs.by_part(setup, step),
    'measured': _measured(setup, step, config, steps),
  }
  made['roofline'] = _roofline(made, config)
  return made | ({'topology': slice_} if topology else {})


def _run(setup: Setup, config) -> dict:
  """What is planned."""
  return {
    'data': setup.dataset.name,
    'shape': list(setup.dataset.shape),
    'num_classes': setup.num_classes,
    'attributes': len(setup.attributes),
    'examples': setup.dataset.size,  # 0: only the files know
    'batch_size': setup.batch_size,
    'num_seeds': len(setup.keys),
    'steps': config['steps'],
    'dtype': config['dtype'],
  }


def _measured(setup, step, config, steps) -> dict:
  """Seconds here, one seed after the other, or why there are none."""
  device = jax.devices()[0].device_kind
  if not steps:
    return {'device': device, 'skipped': 'not asked for'}
  seconds, why = costs.measure(setup, step, steps=steps)
  if why:
    return {'device': device, 'skipped': why}
  return {'device': device, **_times(len(setup.keys) * seconds, config)}


def _times(seconds, config):
  whole = seconds * config['steps']
  return {'seconds_per_step': seconds, 'seconds_per_run': whole}


def _roofline(made, config) -> dict:
  """By chip: the least time, what bounds it, and whether memory is enough."""
  flops, accessed = made['flops_per_step'], made['bytes_per_step']
  dtype = config['dtype']
  table = {}
  for chip in chips.CHIPS:
    compute = chip.seconds(flops, 0, dtype)
    least = chip.seconds(flops, accessed, dtype)
    table[chip.name] = {
      **_times(least, config),
      'bound': 'compute' if compute == least else 'memory',
      'fits': made['bytes']['total'] <= chip.memory,
      'source': chip.source,
    }
  return table
