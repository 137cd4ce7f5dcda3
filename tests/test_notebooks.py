"""Every notebook runs from top to bottom, with few steps."""

import pathlib
import warnings

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / 'notebooks').glob('*.ipynb'))
SHOWN = {  # what a notebook shows at least: pictures, tables
  'quickstart': (4, 0),
  'ablate_your_loss': (1, 1),
}


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda p: p.name)
def test_notebook_runs(path, monkeypatch):
  nbclient = pytest.importorskip('nbclient')
  nbformat = pytest.importorskip('nbformat')
  monkeypatch.setenv('GAN_JAX_QUICKSTART_STEPS', '30')
  notebook = nbformat.read(path, as_version=4)
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # of the notebook server's own packages
    nbclient.NotebookClient(
      notebook, timeout=300, resources={'metadata': {'path': str(path.parent)}}
    ).execute()
  outputs = [o for cell in notebook.cells for o in cell.get('outputs', [])]
  for kind, least in zip(
    ('image/png', 'text/markdown'), SHOWN[path.stem], strict=True
  ):
    assert sum(kind in o.get('data', {}) for o in outputs) >= least


def test_there_are_notebooks_and_they_hold_no_outputs():
  assert {path.stem for path in NOTEBOOKS} == set(SHOWN)
  for path in NOTEBOOKS:
    text = path.read_text()
    assert '"outputs": []' in text and 'image/png' not in text
