from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PRINTED = {
    "orders": """
INFO    step.start orders/receive  [orders/receive]
INFO    step.start orders/validate  [orders/validate]
INFO    step.end orders/validate ... ms  [orders/validate]
INFO    step.start orders/charge  [orders/charge]
INFO    step.end orders/charge ... ms  [orders/charge]
INFO    step.start orders/ship  [orders/ship]
INFO    order A-1 goes out  [orders/ship]
INFO    step.end orders/ship ... ms  [orders/ship]
INFO    step.end orders/receive ... ms  [orders/receive]
receipt for 42
INFO    step.start orders/receive  [orders/receive]
INFO    step.start orders/validate  [orders/validate]
WARNING step.error orders/validate ValueError ... ms  [orders/validate]
INFO    step.error orders/receive ValueError ... ms  [orders/receive]
refused: order A-2 is empty
graph TD
    receive --> validate
    validate --> charge
    validate --> ship
""",
    "user_updates": """
ada: ada@example.org, notified: True
bob: bob@example.org, notified: True
graph TD
...
    from_support --> check
    from_website --> check
    check --> notify
    check --> save
    notify -->|all of| audit
    save -->|all of| audit
""",
    "metadata": """
Bonjour, Ada!
Hello, Bob!
two runs, two IDs: True
outside a flow: None, None
""",
    "penstock_itself": """
graph TD
    declare --> register
    declare --> wrap
    register --> build_graph
    register --> check
    wrap --> run
    build_graph --> draw
    check --> overlay_evidence
    run --> judge
    run --> record
    judge --> overlay_evidence
    overlay_evidence --> draw
""",
    "checkout": """
graph TD
    receive --> price
    receive --> reserve
    price --> charge
    reserve --> charge
    charge --> ship
""",
    "async_pipeline": """
page a: 'brown' appears 1x
page b: 'the' appears 2x
page c: 'a' appears 1x
3 IDs
""",
}


def test_every_program_is_here() -> None:
    """Each program in the folder has its output below."""
    folder = ROOT / "examples"
    readme = (folder / "README.md").read_text(encoding="utf-8")

    assert set(PRINTED) == {path.stem for path in folder.glob("*.py")}
    assert [n for n in PRINTED if f"`python -m examples.{n}`" not in readme] == []


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_program_prints(name: str) -> None:
    """An example runs as its first line says, and prints what it should."""
    command = f"python -m examples.{name}"
    source = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert f"``{command}``." in source.splitlines()[0]

    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", f"examples.{name}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )

    assert result.stderr == ""
    want = PRINTED[name].lstrip("\n")
    is_as_said = doctest.OutputChecker().check_output(
        want, result.stdout, doctest.ELLIPSIS
    )
    assert is_as_said, result.stdout
