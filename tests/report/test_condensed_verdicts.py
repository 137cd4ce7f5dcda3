"""A verdict on a long log is that of all its rows."""

import math

import pytest

from gan_jax.game.health import diagnosis
from gan_jax.report import averaging, condensed
from tests.report.test_condensed import STEPS, write


@pytest.mark.parametrize(
  'spoilt, verdict',
  [
    ({'d_loss': -3e6}, diagnosis.EXPLODED),
    ({'g_loss': math.nan}, diagnosis.DIVERGED),
    ({'health_nonfinite': 2.0}, diagnosis.DIVERGED),
  ],
)
def test_one_bad_report_of_many_decides(tmp_path, monkeypatch, spoilt, verdict):
  monkeypatch.setattr(averaging, 'MOST', 16)
  monkeypatch.setattr(averaging, 'LEAST', 8)
  rows = [
    {'step': s, 'd_loss': 1.0, 'g_loss': 1.0, 'health_nonfinite': 0.0}
    for s in range(1, STEPS)
  ]
  rows[600] |= spoilt
  write(tmp_path, rows)
  reports = condensed.of(tmp_path)
  assert len(reports.rows) < 20
  judged = diagnosis.diagnose(reports.rows)
  assert judged.verdict == verdict
  if 'd_loss' in spoilt:
    assert judged.reason.startswith('d_loss is -3e+06 at step')
  if 'health_nonfinite' in spoilt:
    assert judged.reason == '2 weights are not finite'
