"""Every block of every document runs, and prints what the document says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNNER = Path(__file__).with_name("run_document.py")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(
        path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts
    ),
]


def run(document: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run *document* in *folder*."""
    return subprocess.run(
        [sys.executable, "-W", "error", str(RUNNER), str(document)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "document",
    [pytest.param(path, id=str(path.relative_to(ROOT))) for path in DOCUMENTS],
)
def test_document_does_what_it_says(document: Path, tmp_path: Path) -> None:
    """A reader who copies every block in order gets what the page shows."""
    for package in re.findall(r"<!-- needs: (\w+) -->", document.read_text("utf-8")):
        if find_spec(package) is None:
            pytest.skip(f"needs {package}")

    result = run(document, tmp_path)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```python\nprint(1)\n```\n```text\n2\n```", "5: this is not what is printed"),
        ("```python\nprint(1)\n```\n\nOutput:\n```\n2\n```", "7: this is not what"),
        ("\n```python\nx = 1\n1 / 0\n```", "line 4, in <module>"),
        ("<!-- no-run: -->\n```python\n1 / 0\n```", "say why"),
        ("```pycon\n>>> 1 + 1\n3\n```", "Expected"),
        ("```console\n$ python -c 'print(1)'\n2\n```", "not what is printed"),
        ("```bash\npython -c 'raise SystemExit(3)'\n```", "failed"),
        ("```bash\npip install 'penstock[nope]'\n```", "no extra 'nope'"),
        ("```bash\nmake nope\n```", "nope"),
        ("```bash\nrm -r .\n```", "does not know 'rm'"),
        ("```toml\n[tool\n```", "TOMLDecodeError"),
        ("```json\n{\n```", "JSONDecodeError"),
        ("````{note}\n```python\n1 / 0\n```\n````", "ZeroDivisionError"),
        ("```{code-block} python\n:caption: x\n\n1 / 0\n```", "line 4, in <module>"),
        ("1. Do:\n   ```python\n   1 / 0\n   ```", "line 3, in <module>"),
        ("```python\nimport warnings\nwarnings.warn('no')\n```", "UserWarning"),
    ],
)
def test_wrong_document_fails(text: str, told: str, tmp_path: Path) -> None:
    """A block that does not do what its document says is reported by its line."""
    document = tmp_path / "wrong.md"
    document.write_text(text, encoding="utf-8")

    result = run(document, tmp_path)

    assert result.returncode == 1
    assert told in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\nprint(23)\n```\n```text\n1\n...3\n```",
        "```python\nx = 1\n```\n```python\nprint(x)\n```\nThis prints:\n```\n1\n```",
        "<!-- no-run: needs a server -->\n```python\n1 / 0\n```",
        "<!-- setup\nx = 1\n-->\n```python\nassert x\n```",
        "```python\n# shop/a.py\nB = 1\n```\n```python\nfrom shop.a import B\n```",
        "```console\n$ python -c 'print(1)'\n1\n```",
        "```console\n$ A=1 python -c 'import os; print(os.environ[\"A\"])'\n1\n```",
        "```python\nx = 1\n```\n```pycon\n>>> x\n1\n```",
        "```python\nimport sys\nprint(1, file=sys.stderr)\n```\n```text\n1\n```",
        "```bash\npip install 'penstock[cli,otel]'\nmake test\n```",
        "```dockerfile\nFROM x\n```",
    ],
)
def test_right_document_passes(text: str, tmp_path: Path) -> None:
    """A document may hold every kind of block that the runner describes."""
    document = tmp_path / "right.md"
    document.write_text(text, encoding="utf-8")

    result = run(document, tmp_path)

    assert result.returncode == 0, result.stderr
