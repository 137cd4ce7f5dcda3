"""Every loss on the ring of eight Gaussians, eight seeds each.

  python -m experiments.losses_ring8.run --workdir=runs/losses_ring8

All seeds of a loss train in one program; everything but the loss is that of
configs/ring8.py. Run it again to go on after an interruption. Writes
results.jsonl and the table in README.md.
"""

import argparse
import json
import pathlib

import numpy as np

from gan_jax import command, loop, select, train
from gan_jax.report import writers

HERE = pathlib.Path(__file__).parent
METRICS = ('modes', 'high_quality', 'reverse_kl')
BEGIN, END = '<!-- table -->', '<!-- end of table -->'


def losses() -> list[str]:
  """Every loss once: an alias is the same function under another name."""
  names, seen = [], set()
  for name in select.available('losses'):
    functions = tuple(f.func for f in select.loss(name))
    if functions not in seen:
      names.append(name)
      seen.add(functions)
  return names


def run(workdir: pathlib.Path, *, steps: int, num_seeds: int) -> list[dict]:
  """Trains what is not yet trained -> one row for each loss and seed."""
  rows = []
  for name in losses():
    overrides = {
      'loss.name': name,
      'steps': steps,
      'num_seeds': num_seeds,
      'eval_every': 0,
      'metrics': ','.join(METRICS),
    }
    config = command.load_config('configs/ring8.py', overrides)
    folder = workdir / name
    try:
      records = train.train(config, folder)
    except loop.Diverged as e:
      print(f'{name}: {e}')
      continue
    for seed in range(num_seeds):
      scores = {r['metric']: r['value'] for r in records if r['seed'] == seed}
      rows.append({'loss': name, 'seed': seed, 'steps': steps, **scores})
  return rows


def table(rows: list[dict]) -> str:
  """Mean and range over the seeds of each loss, the best first."""
  lines = [
    '| loss | modes of 8 | high quality, % | reverse KL | all 8 modes |',
    '|---|---|---|---|---|',
  ]
  by_loss = {}
  for row in rows:
    by_loss.setdefault(row['loss'], []).append(row)
  quality = lambda rows: -np.mean([r.get('high_quality', 0) for r in rows])
  for name, group in sorted(by_loss.items(), key=lambda item: quality(item[1])):
    cells = [
      _cell([r.get('modes', np.nan) for r in group], '.2f'),
      _cell([100 * r.get('high_quality', np.nan) for r in group], '.1f'),
      _cell([r.get('reverse_kl', np.nan) for r in group], '.3f'),
      f'{sum(r.get("modes") == 8 for r in group)} of {len(group)}',
    ]
    lines.append(f'| `{name}` | {" | ".join(cells)} |')
  return '\n'.join(lines)


def _cell(values, form):
  low, high = np.nanmin(values), np.nanmax(values)
  return f'{np.nanmean(values):{form}} ({low:{form}} to {high:{form}})'


def main():
  """The command."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--workdir', type=pathlib.Path, required=True)
  parser.add_argument('--steps', type=int, default=4000)
  parser.add_argument('--num_seeds', type=int, default=8)
  args = parser.parse_args()
  rows = run(args.workdir, steps=args.steps, num_seeds=args.num_seeds)
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  writers.write_text(HERE / 'results.jsonl', lines)
  readme = (HERE / 'README.md').read_text()
  before, after = readme.split(BEGIN)[0], readme.split(END)[1]
  text = f'{before}{BEGIN}\n{table(rows)}\n{END}{after}'
  writers.write_text(HERE / 'README.md', text)
  print(table(rows))


if __name__ == '__main__':
  main()
