"""The results of a study, from its own jobs and from other studies."""

import json
import pathlib

from gan_jax.game.health import diagnosis
from gan_jax.metrics import records
from gan_jax.report import condensed, pictures
from gan_jax.storage import files
from gan_jax.study import jobs, plan

RESULTS = 'results.jsonl'
FIELDS = {
  'cell': str, 'overrides': dict, 'seed': int, 'status': str, 'reason': str,
  'steps': int, 'scores': dict, 'health': dict, 'folder': str,
}  # fmt: skip


class FinishedRuns:
  """The finished runs of a study and of its neighbours, by identity."""

  def __init__(self, workdir, metrics: tuple[str, ...]):
    """Reads the jobs of a workdir and the results of its neighbours.

    Args:
      workdir: of the study.
      metrics: the scores that a run needs to count.
    """
    self._workdir, self._metrics = pathlib.Path(workdir), metrics
    self._rows: dict[str, dict] = {}
    self._judged: dict[str, tuple] = {}  # run -> (its curves, health)
    for sibling in sorted(self._workdir.resolve().parent.glob(f'*/{RESULTS}')):
      if sibling.parent != self._workdir.resolve():
        self._add(read(sibling), pathlib.Path('..') / sibling.parent.name)
    self.refresh()

  def refresh(self):
    """Reads the new results of the study's own jobs."""
    queue = jobs.Queue(self._workdir)
    planned = queue.jobs()
    for one, result in queue.results().items():
      if one in planned:
        folder = planned[one].folder
        self._add([{**r, 'folder': folder} for r in result['rows']], None)

  def _add(self, rows, where):
    for row in rows:
      folder = row.get('folder')
      if 'run' not in row or not folder:
        continue
      folder = folder if where is None else (where / folder).as_posix()
      if row['status'] == 'diverged' or set(self._metrics) <= set(
        row['scores']
      ):
        self._rows[row['run']] = {**row, 'folder': folder}

  def row(self, cell: plan.Planned, pair: int) -> dict | None:
    """The row of a run of this study; None if it is not finished."""
    known = self._rows.get(cell.run(pair))
    if known is None:
      return None
    scores = {m: known['scores'].get(m) for m in self._metrics}
    return {
      'cell': cell.name,
      'overrides': cell.overrides,
      'seed': known['seed'],
      'status': known['status'],
      'reason': known['reason'],
      'steps': known['steps'],
      'scores': scores if known['status'] == 'finished' else {},
      'health': self._health(known),
      'run': known['run'],
      'folder': known['folder'],
    }

  def _health(self, row) -> dict:
    """The verdict on a run, from its curves; made anew only if they change."""
    curves, index = _curves_of(self._workdir / row['folder'], row)
    known, verdict = self._judged.get(row['run'], (None, None))
    if known is not curves:
      verdict = _verdict(row, curves, index)
      self._judged[row['run']] = curves, verdict
    return verdict

  def missing(self, cell: plan.Planned, num_seeds: int) -> list[int]:
    """The paired seeds of a cell whose runs are not finished."""
    return [i for i in range(num_seeds) if cell.run(i) not in self._rows]


def _verdict(row, curves, index) -> dict:
  health = diagnosis.diagnose(curves, index)
  if row['status'] == 'finished' or health.verdict == 'diverged':
    return health._asdict()
  return {'verdict': 'diverged', 'reason': row['reason']}


def read(path) -> list[dict]:
  """The rows of a results.jsonl; none where there is no such file."""
  try:
    lines = pathlib.Path(path).read_text('utf-8').splitlines()
    rows = [json.loads(line) for line in lines]
  except (OSError, ValueError, RecursionError):
    return []
  return [row for row in rows if _is_row(row)]


def _is_row(row) -> bool:
  """Whether a value read from a file is the row of a run."""
  if not isinstance(row, dict) or not all(
    isinstance(row.get(name), kind) for name, kind in FIELDS.items()
  ):
    return False
  scores = [{'metric': m, 'value': v} for m, v in row['scores'].items()]
  return all(map(records.is_record, scores)) and all(
    isinstance(row['health'].get(name), str) for name in ('verdict', 'reason')
  )


def write(workdir, rows: list[dict]):
  """Writes results.jsonl, a line for each run, cell by cell."""
  lines = ''.join(json.dumps(row, allow_nan=False) + '\n' for row in rows)
  files.write_text(pathlib.Path(workdir) / RESULTS, lines)


def curves(workdir, rows: list[dict]) -> list[dict]:
  """The learning curves of a cell: rows of metrics.jsonl, of all its seeds.

  Args:
    workdir: of the study.
    rows: of results.jsonl, one for each seed of the cell.

  Returns:
    {'step', name: [S] in the order of `rows`}; None where a seed has no value
    at that step.
  """
  merged: dict[int, dict] = {}
  for place, row in enumerate(rows):
    read, index = _curves_of(pathlib.Path(workdir) / row['folder'], row)
    for reported in read:
      values = merged.setdefault(reported['step'], {})
      for name, value in reported.items():
        if name != 'step':
          one = value[index] if isinstance(value, list) else value
          values.setdefault(name, [None] * len(rows))[place] = one
  return [{'step': step, **merged[step]} for step in sorted(merged)]


def _curves_of(folder, row):
  """(rows of metrics.jsonl, place of the row's seed in them)."""
  first = _first_seed(folder / 'config.json')
  return _read_curves(folder / 'metrics.jsonl'), row['seed'] - first


@files.until_changed  # every seed of a cell asks for them
def _read_curves(path):
  return condensed.of(path.parent).rows


@files.until_changed
def _first_seed(path):
  return files.read_json(path).get('seed', 0)


def last_picture(workdir, rows: list[dict]) -> pathlib.Path | None:
  """The last picture of a cell's first seed; None if there is none."""
  for row in rows[:1]:
    paths = pictures.step_pictures(
      pathlib.Path(workdir) / row['folder'] / 'samples'
    )
    return paths[-1] if paths else None
  return None
