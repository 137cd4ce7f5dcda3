"""Since which step a run's scores are those of one protocol.

The rows of metrics.jsonl hold numbers only. A run that goes on with other
features or more samples would draw one curve of scores that do not compare.
"""

import pathlib

from gan_jax.metrics import records as records_lib
from gan_jax.storage import files

FILE = 'score_protocols.json'
ENDS = ('', '_low', '_high')  # of the names of a score in a row


class ScoreProtocols:
  """Writes them down while a run is scored: {metric: [[step, protocol]]}."""

  def __init__(self, workdir: pathlib.Path, start: int):
    """Reads what is known already.

    Args:
      workdir: of the run.
      start: step that the run continues from; later ones are dropped.
    """
    before = _read(workdir)
    self._path = workdir / FILE
    self._since = {
      metric: [span for span in spans if span[0] <= start]
      for metric, spans in before.items()
    }
    self._written = self._since == before

  def note(self, step: int, records: list[dict]):
    """Notes the score records of a step.

    Raises:
      OSError: they cannot be written now; they are with the next scores.
    """
    for record in records_lib.known(records):
      spans = self._since.setdefault(record['metric'], [])
      protocol = records_lib.protocol_hash(record)
      if not spans or spans[-1][1] != protocol:
        spans.append([step, protocol])
        self._written = False
    if not self._written:
      files.write_json(self._path, self._since)
      self._written = True


def of_one(rows: list[dict], workdir) -> tuple[list[dict], dict[str, int]]:
  """The rows without scores of other protocols than the last.

  Args:
    rows: of metrics.jsonl.
    workdir: of the run.

  Returns:
    (rows, {metric: step before which its scores were left out}).
  """
  since = {
    metric: spans[-1][0]
    for metric, spans in _read(pathlib.Path(workdir)).items()
    if len(spans) > 1
  }
  first = {f'{m}{end}': s for m, s in since.items() for end in ENDS}
  kept = [
    {k: v for k, v in row.items() if row['step'] >= first.get(k, 0)}
    for row in rows
  ]
  return kept, since


def starts(workdir) -> list[tuple[str, int]]:
  """(name in a row, step) where scores of another protocol begin, in order."""
  changes = [
    (f'{metric}{end}', step)
    for metric, spans in _read(pathlib.Path(workdir)).items()
    for step, _ in spans[1:]
    for end in ENDS
  ]
  return sorted(changes, key=lambda change: change[1])


def latest(workdir, metric: str) -> str:
  """The hash of the protocol that a run was scored by last; '' if unknown."""
  spans = _read(pathlib.Path(workdir)).get(metric)
  return spans[-1][1] if spans else ''


def _read(workdir):
  known = files.read_json(workdir / FILE)
  is_span = lambda x: (
    isinstance(x, list)
    and len(x) == 2
    and isinstance(x[0], int)
    and isinstance(x[1], str)
  )
  return {
    metric: spans
    for metric, spans in known.items()
    if isinstance(spans, list) and all(map(is_span, spans))
  }
