"""What this machine can do, and which share of it our step takes.

python -m experiments.benchmarks.rates [--count] [--only=dcgan32]
  [--side=2048] [--out=FILE | --add=FILE]

Operations of a step are XLA's count of the step compiled for a CPU, where no
convolution is hidden from it; --count counts them anew, for which the steps are
compiled. The rates are those of large products of matrices and of a large copy,
the better one of JAX and PyTorch; the speeds are those of bench.py.
"""

import argparse
import json
import pathlib
import statistics
import time

import jax
import jax.numpy as jnp

from experiments.benchmarks import cases, results
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import costs

HALF, FULL, COPY = 'bfloat16', 'float32', 'copy'
SIDES = {'cpu': 2048}  # of the products by backend, elsewhere LARGE
LARGE = 8192
REPEATS, TRIES = 3, 3


def best(run, *, repeats: int = REPEATS, tries: int = TRIES) -> float:
  """The least seconds of a run, which waits until it is done."""
  run()
  times = []
  for _ in range(tries):
    begin = time.perf_counter()
    for _ in range(repeats):
      run()
    times.append((time.perf_counter() - begin) / repeats)
  return min(times)


def of_jax(side: int) -> dict[str, float]:
  """Operations a second of products, and bytes a second of a copy."""
  made = {}
  for name in (FULL, HALF):
    x = jnp.ones((side, side), name) / side
    product = jax.jit(lambda x: x @ x)
    run = lambda product=product, x=x: product(x).block_until_ready()
    made[name] = 2 * side**3 / best(run)
  x = jnp.ones((8 * side, side))  # of more bytes than caches have
  copy = jax.jit(lambda x: x + 1)
  seconds = best(lambda: copy(x).block_until_ready())
  return {**made, COPY: 2 * x.nbytes / seconds}


def of_torch(side: int) -> dict[str, float]:
  """The same in PyTorch; {} without it, or without this machine's device."""
  try:
    import torch
  except ImportError:
    return {}
  on_gpu = jax.default_backend() == 'gpu'
  if on_gpu and not torch.cuda.is_available():
    return {}
  torch.set_float32_matmul_precision('high')
  device = 'cuda' if on_gpu else 'cpu'
  wait = torch.cuda.synchronize if on_gpu else lambda: None
  made = {}
  for name in (FULL, HALF):
    x = torch.ones(side, side, dtype=getattr(torch, name), device=device)
    made[name] = 2 * side**3 / best(lambda x=x: (x @ x, wait()))
  x = torch.ones(8 * side, side, device=device)
  seconds = best(lambda: (x + 1, wait()))
  return {**made, COPY: 2 * x.nbytes / seconds}


def measure(side: int) -> dict:
  """One line: the rates of this machine, by products of that side."""
  found = [of_jax(side), of_torch(side)]
  rates = {k: max(r[k] for r in found if r) for k in (FULL, HALF, COPY)}
  return {'case': 'rates', 'device': results.device(), **rates}


def count(case: str) -> dict:
  """One line: XLA's count of our step of a case, by image."""
  config = cases.config(case)
  with jax.default_device(jax.local_devices(backend='cpu')[0]):
    step = costs.compile_step(setup_lib.build(config))
  size = config['batch_size']
  each = {'flops': step.flops / size, 'bytes': step.accessed / size}
  return {'case': case, 'device': 'any', **each}


def table(rates: dict, counts: dict, lines: list[dict]) -> str:
  """A row for each case that was measured on a device.

  Args:
    rates: of the device.
    counts: {case: its line}.
    lines: of results.jsonl, of the device.
  """
  rows = []
  for case, own in counts.items():
    speeds = [x['speed'] for x in lines if x['case'] == case]
    if not speeds:
      continue
    row = [cases.CASES[case].title, results.short(own['flops'] / 1e9, 3)]
    for name, dtype in (('ours', FULL), ('ours bf16', HALF)):
      each = [x[name] for x in speeds if name in x]
      if not each:
        row += ['', '', '']
        continue
      speed = statistics.median(each)
      limit = rates[dtype] / own['flops']
      row += [results.speed([limit]), results.speed([speed])]
      row.append(f'**{results.short(100 * speed / limit)} %**')
    rows.append(row)
  head = ['case', 'GFLOP an image']
  for name in ('f32', 'bf16'):
    head += [f'{name}: images/s at the rate', 'measured', 'share']
  return results.table(head, rows)


def report(rates: list[dict]) -> str:
  """The tables of all devices whose rates are known."""
  counts = {x['case']: x for x in results.read('counts')}
  counts = {case: counts[case] for case in cases.CASES if case in counts}
  speeds, texts = results.read('results'), []
  for own in rates:
    lines = [x for x in speeds if x['device'] == own['device']]
    full, half = (own[k] / 1e9 for k in (FULL, HALF))
    texts.append(
      f'{own["device"]}: products of matrices {full:,.0f} GFLOP/s in float32,'
      f' {half:,.0f} in bfloat16; copies {own[COPY] / 1e9:,.0f} GB/s\n\n'
      + table(own, counts, lines)
    )
  return '\n\n'.join(texts)


def main():
  """The command."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--only', default=','.join(cases.CASES))
  parser.add_argument('--count', action='store_true')
  parser.add_argument('--side', type=int, help='of the products')
  parser.add_argument('--out', type=pathlib.Path, help='not into README.md')
  parser.add_argument('--add', type=pathlib.Path, help='a file of --out')
  args = parser.parse_args()
  if args.count:
    for case in args.only.split(','):
      results.store('counts', [count(case)], pairs={(case, 'any')})
  if args.add:
    lines = [json.loads(x) for x in args.add.read_text().splitlines()]
    lines = [x for x in lines if x.get('case') == 'rates']
  else:
    side = SIDES.get(jax.default_backend(), LARGE)
    lines = [measure(args.side or side)]
  results.publish('rates', lines, report, args.out)


if __name__ == '__main__':
  main()
