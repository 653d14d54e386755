"""Results in a real notebook."""

from pathlib import Path

import pytest

import boundcalc

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

#: The folder that holds the package: the kernel is a process of its own.
ROOT = Path(boundcalc.__file__).parent.parent

CELLS = (
    "import boundcalc as bc\n"
    "from boundcalc.resources import example\n"
    "graph = bc.build(bc.load(example('logistic-nonconvex')))\n"
    "rates = bc.rates(graph)\n"
    "rates",
    "rates.figure()",
    "rates.nonconvex['sharp'].bound",
    "bc.coefficients(graph)",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_a_notebook_shows_html_latex_and_figures():
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    try:
        nbclient.NotebookClient(
            notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}
        ).execute()
    except nbclient.exceptions.DeadKernelError:
        pytest.skip("no kernel starts here")
    shown = [cell.outputs[-1].data for cell in notebook.cells]
    for data in (shown[0], shown[2], shown[3]):
        assert {"text/html", "text/latex", "text/plain"} <= set(data)
        assert data["text/html"].startswith('<div class="boundcalc" tabindex="0">')
    assert "image/png" in shown[1]
    assert shown[2]["text/plain"].startswith("Number(")
