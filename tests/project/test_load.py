"""Targets, the settings of a project, and the messages about wrong ones."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.projects import PROCESS

if TYPE_CHECKING:
    from tests.support.projects import Project


def listed(shop: Project, *targets: str, cwd: str = ".") -> set[str]:
    """Return the names of the flows that ``penstock list`` finds."""
    result = shop.penstock("list", *targets, "--format=json", cwd=cwd)
    assert result.returncode == 0, result.stderr
    return {flow["name"] for flow in json.loads(result.stdout)}


@pytest.mark.parametrize(
    ("targets", "flows"),
    [
        (["shop.orders"], {"orders"}),
        (["shop"], {"orders", "billing", "audit"}),
        (["shop.deep"], {"audit"}),
        (["shop/orders.py"], {"orders"}),
        (["./shop/orders.py"], {"orders"}),
        (["shop/orders.py:OrderFlow"], {"orders"}),
        (["shop/deep"], {"audit"}),
        (["shop/"], {"orders", "billing", "audit"}),
        (["."], {"orders", "billing", "audit"}),
        (["shop/o*.py"], {"orders"}),
        (["shop/**"], {"orders", "billing", "audit"}),
        (["shop.deep.er.audit"], {"audit"}),
        (["shop.orders", "shop.billing"], {"orders", "billing"}),
        (["shop.*"], {"orders", "billing"}),
        (["shop.**"], {"orders", "billing", "audit"}),
        (["shop.**.a*"], {"audit"}),
        (["shop.o*"], {"orders"}),
        (["shop.?rders"], {"orders"}),
        (["shop.billing:billing"], {"billing"}),
        (["shop.billing:invoice"], {"billing"}),
        (["shop.orders:OrderFlow"], {"orders"}),
        (["shop.orders:OrderFlow.charge"], {"orders"}),
        (["shop.orders:OrderFlow", "shop.billing:remind"], {"orders", "billing"}),
    ],
)
def test_targets_bring_their_flows(
    shop: Project, targets: list[str], flows: set[str]
) -> None:
    """Modules, patterns and attributes each bring the flows one expects."""
    assert listed(shop, *targets) == flows


def test_attribute_brings_its_own_flow_alone(shop: Project) -> None:
    """Other flows of the module stay out, also those of a parent class."""
    shop.write(
        "rush.py",
        """
        from penstock import flow
        from shop.orders import OrderFlow
        import shop.billing

        @flow("rush")
        class Rush(OrderFlow): ...
        """,
    )

    assert listed(shop, "rush:Rush") == {"rush"}
    assert listed(shop, "rush") == {"rush", "orders", "billing"}


def test_module_in_src_is_found(shop: Project) -> None:
    """A project in src layout need not be installed."""
    (shop.root / "src").mkdir()
    (shop.root / "shop").rename(shop.root / "src" / "shop")

    assert listed(shop, "shop.orders") == {"orders"}


def test_console_script_finds_modules_here(shop: Project) -> None:
    """The script behaves like ``python -m``: the current folder can be imported."""
    code = "from penstock.cli import main; main()"
    program = (sys.executable, "-P", "-c", code)

    result = shop.penstock("list", "shop.orders", "--format=concise", program=program)

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("orders\t")


def test_project_names_the_targets(shop: Project) -> None:
    """Without a target pyproject.toml says what to take, from any folder below."""
    shop.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.orders"]\n')
    shop.write("shop/deep/pyproject.toml", "[tool.other]\n")

    assert listed(shop) == {"orders"}
    assert listed(shop, cwd="shop/deep") == {"orders"}
    assert listed(shop, "shop.billing") == {"billing"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[tool.penstock]\nimports = ["shop"]', "'imports'. Did you mean 'import'?"),
        ('[tool.penstock]\nimport = "shop"', "[tool.penstock].import should be a list"),
        ("[tool.penstock]\nimport = [1]", "[tool.penstock].import[0] should be a"),
        ('[tool.penstock]\nsource-url = "javascript:x"', "begins with https://"),
        (
            '[tool.penstock]\ncolors = {payments = "oragne"}',
            (
                "[tool.penstock].colors has no color 'oragne' for 'payments'. "
                "Did you mean 'orange'? Colors are: blue, orange, teal, "
            ),
        ),
        ('[tool.penstock]\ncolors = "orange"', "[tool.penstock].colors should be an"),
        ("[tool.penstock]\nsource-url = 1", "[tool.penstock].source-url should be a"),
        ("[tool.penstock]\nbaseline = 1", "[tool.penstock].baseline should be a"),
        ("[tool.penstock]\nruns = 'logs'", "[tool.penstock].runs should be a list"),
        ("[tool.penstock.fields]\nservice = 1", "penstock].fields.service should be a"),
        ("[tool]\npenstock = 1", "[tool.penstock] should be an object"),
        ("[tool]\npenstock = ['import']", "[tool.penstock] should be an object"),
        ("tool = 1", "[tool] should be an object, and is an integer"),
        ("[tool.penstock]\nimport = 2026-11-30", "be a list, and is something else"),
        (f"a = {'[' * 5000}{']' * 5000}", "pyproject.toml: it is nested too deeply"),
        ("[tool.penstock", "pyproject.toml: Expected ']'"),
        ("[tool.penstock]", "no target given"),
        ("", "no target given"),
    ],
)
def test_wrong_settings(shop: Project, settings: str, told: str) -> None:
    """The message names the file and the setting."""
    shop.write("pyproject.toml", settings)

    result = shop.penstock("list")

    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_that_cannot_be_read(shop: Project) -> None:
    """A folder of that name is an error in one line, like any other file."""
    (shop.root / "pyproject.toml").mkdir()

    result = shop.penstock("list", "shop.orders")

    assert result.returncode == 2
    assert re.fullmatch(r"Error: \S+pyproject.toml: it cannot .+\n", result.stderr)


def test_settings_with_a_byte_order_mark(shop: Project) -> None:
    """Editors on Windows write one."""
    shop.write("pyproject.toml", '\ufeff[tool.penstock]\nimport = ["shop.orders"]\n')

    assert listed(shop) == {"orders"}


def test_pyproject_without_settings_is_the_root(shop: Project) -> None:
    """The folder of any pyproject.toml, and its ``src``, hold modules."""
    shop.write("pyproject.toml", '[project]\nname = "shop"\n')
    (shop.root / "src").mkdir()
    (shop.root / "tests").mkdir()
    (shop.root / "shop").rename(shop.root / "src" / "shop")

    assert listed(shop, "shop.orders", cwd="tests") == {"orders"}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("shop.ordrs", "no module 'shop.ordrs'. Did you mean 'shop.orders'?"),
        ("shp", "no module 'shp'. Did you mean 'shop'?"),
        ("shop.orders.deeper", "no module 'shop.orders.deeper'"),
        ("shop.orders:OrderFlw", "no 'OrderFlw'. Did you mean 'OrderFlow'?"),
        ("shop.orders:OrderFlow.chrge", "Did you mean 'charge'?"),
        ("shop.billing:plain", "neither a flow nor a part of one"),
        ("shop.billing:", "'shop.billing:' has no name after ':'"),
        (":orders", "':orders' has no module before ':'"),
        ("shop..orders", "is not the name of a module"),
        (".orders", "is not the name of a module"),
        ("orders.py", "there is no file 'orders.py'"),
        ("shop/ordrs.py:orders", "there is no file 'shop/ordrs.py'"),
        ("pyproject.toml", "no module 'pyproject'"),
        ("shop/my-orders.py", "is not a module that Python can import from"),
        ("../elsewhere.py", "is not a module that Python can import from"),
        ("../other", "is not a module that Python can import from"),
        ("shop/none*.py", "no module or manifest matches 'shop/none*.py'"),
        ("none*.json", "no module or manifest matches 'none*.json'"),
        ("shop.x*", "no module matches 'shop.x*'"),
        ("shop.orders.*", "no module matches 'shop.orders.*'"),
        ("**", "must begin with the name of a package"),
        ("penstock.json", "no manifest 'penstock.json'"),
    ],
)
def test_target_that_is_not_there(shop: Project, target: str, told: str) -> None:
    """The message says which part is wrong, and what the user may mean."""
    shop.write("shop/my-orders.py", "")
    shop.write("../elsewhere.py", "")
    shop.write("../other/flows.py", "")

    result = shop.penstock("list", target)

    assert result.returncode == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("x = 1 / 0", ["failed: ZeroDivisionError: division by zero"]),
        ("import nowhere", ["ModuleNotFoundError: No module named 'nowhere'"]),
        (
            "import shop.nowhere",
            ["ModuleNotFoundError: No module named 'shop.nowhere'"],
        ),
        ("raise SystemExit(3)", ["failed: SystemExit: 3"]),
        ("assert False", ["failed: AssertionError"]),
        ("def", ["failed: SyntaxError: invalid syntax"]),
        (
            "import json\njson.loads('{')",
            ["failed: JSONDecodeError", "json.loads('{')"],
        ),
        (
            "from penstock import flow\n@flow('x')\ndef f(): ...",
            ["failed: FlowDefinitionError"],
        ),
    ],
)
def test_import_that_fails(shop: Project, source: str, lines: list[str]) -> None:
    """The message shows the user's own lines, and none of penstock's."""
    shop.write("shop/broken.py", source)
    shop.write("app.py", "import shop.broken")
    last = "broken.py:2  " if source.count("\n") else "broken.py:1  "

    result = shop.penstock("list", "app")

    assert result.returncode == 2
    for line in [*lines, "importing 'app'", "app.py:1 ", last]:
        assert line in result.stderr
    assert "Traceback" not in result.stderr
    assert "penstock/_" not in result.stderr
    assert "importlib" not in result.stderr


def test_import_that_leaves_by_a_strange_exception(shop: Project) -> None:
    """Such as pytest's, which are not of the class Exception."""
    shop.write("app.py", "class Skipped(BaseException): ...\nraise Skipped('no')\n")

    result = shop.penstock("list", "app")

    assert result.returncode == 2
    assert result.stderr.startswith("Error: importing 'app' failed: Skipped: no\n")


def test_import_that_fails_while_a_class_is_made(shop: Project) -> None:
    """Python 3.11 wraps the error, which says what to do."""
    one = "class {}:\n    @orders.step\n    def charge(self): ...\n"
    shop.write(
        "app.py",
        "import penstock\norders = penstock.flow('orders')\n"
        + one.format("Orders")
        + one.format("Refunds"),
    )

    result = shop.penstock("list", "app")

    assert result.returncode == 2
    assert "FlowDefinitionError: two different functions are step" in result.stderr


def test_import_that_changes_the_folder(shop: Project) -> None:
    """Paths in options and results still begin in the user's folder."""
    shop.write("app.py", "import os, shop.orders\nos.chdir('shop')\n")

    result = shop.penstock("export", "app", "-o", "out.json")

    assert result.returncode == 0, result.stderr
    assert (shop.root / "out.json").exists()


def test_only_the_tail_is_shown(shop: Project) -> None:
    """A long chain of imports is cut to the lines next to the error."""
    for i in range(9):
        shop.write(f"m{i}.py", f"import m{i + 1}")
    shop.write("m9.py", "1 / 0")

    result = shop.penstock("list", "m0")

    assert [line.split(":")[0].strip() for line in result.stderr.splitlines()[1:]] == [
        "m7.py",
        "m8.py",
        "m9.py",
    ]


def test_what_imports_print_is_no_result(shop: Project) -> None:
    """What the user's modules print goes to stderr."""
    shop.write("loud.py", "print('hello')\nimport shop.orders")

    result = shop.penstock("list", "loud", "--format=json")

    assert len(json.loads(result.stdout)) == 1
    assert "hello" in result.stderr


def test_main_module_is_not_run(shop: Project) -> None:
    """A pattern leaves ``__main__`` out: to import it would be to run it."""
    assert "the program ran" not in shop.penstock("list", "shop.**").stderr


def test_django_is_set_up_first(shop: Project) -> None:
    """With DJANGO_SETTINGS_MODULE set, modules see a Django that is ready."""
    pytest.importorskip("django", reason="needs django")
    shop.write("settings.py", "INSTALLED_APPS = ['django.contrib.contenttypes']")
    shop.write(
        "app.py",
        """
        from django.contrib.contenttypes.models import ContentType
        import shop.orders
        """,
    )

    env = {"DJANGO_SETTINGS_MODULE": "settings"}
    result = shop.penstock("list", "app", "-f", "concise", program=PROCESS, env=env)

    assert result.stdout.startswith("orders\t"), result.stderr


def test_wrong_django_settings(shop: Project) -> None:
    """The message says that the settings cannot be imported."""
    pytest.importorskip("django", reason="needs django")

    env = {"DJANGO_SETTINGS_MODULE": "nope"}
    result = shop.penstock("list", "shop.orders", program=PROCESS, env=env)

    assert result.returncode == 2
    assert "setting up Django with 'nope' failed: ModuleNotFoundError" in result.stderr


def test_manifest_needs_no_import(shop: Project) -> None:
    """A manifest is a target beside modules, in any folder."""
    exported = shop.penstock("export", "shop.orders", "--service=shop")
    path = shop.write("elsewhere/shop.json", exported.stdout)

    assert listed(shop, "elsewhere/shop.json") == {"orders"}
    assert listed(shop, str(path), "shop.billing") == {"orders", "billing"}
    assert listed(shop, "shop.json", cwd="elsewhere") == {"orders"}


@pytest.mark.parametrize("content", ["{", "[]", '{"flows": 3}', "\ud800"])
def test_wrong_manifest(shop: Project, content: str) -> None:
    """The message names a file that is not a manifest."""
    path = shop.root / "other.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))

    result = shop.penstock("list", "other.json")

    assert result.returncode == 2
    assert "other.json" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("target", ["shop", "shop/", "."])
def test_package_imports_what_declares_flows(shop: Project, target: str) -> None:
    """Tests, scripts and modules without a step are not imported."""
    for name in ("script", "__main__", "tests/test_orders", "conftest"):
        shop.write(f"shop/{name}.py", "1 / 0  # this is not penstock.step\n")
    shop.write("shop/views.py", "raise SystemExit('penstock')\n")

    assert listed(shop, target) == {"orders", "billing", "audit"}


def test_package_with_a_file_that_cannot_be_parsed(shop: Project) -> None:
    """Its flows are not left out silently."""
    shop.write("shop/broken.py", "from penstock import flow\ndef")

    result = shop.penstock("list", "shop")

    assert result.returncode == 2
    assert "importing 'shop.broken' failed: SyntaxError" in result.stderr


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file"
)
def test_what_cannot_be_read(shop: Project) -> None:
    """A module is named; folders beside the package do not matter."""
    pytest.importorskip("jedi", reason="needs jedi")
    (shop.root / "locked").mkdir(mode=0)
    shop.write("more/__init__.py", "")
    shop.write("more/secret.py", "").chmod(0)

    assert shop.penstock("check", "shop.billing").returncode in {0, 1}
    result = shop.penstock("list", "more")
    assert result.returncode == 2
    assert "importing 'more.secret' failed: PermissionError" in result.stderr


def test_package_with_the_handle_of_another_package(shop: Project) -> None:
    """A step is found though its flow is declared elsewhere."""
    shop.write("common/__init__.py", "")
    shop.write("common/flows.py", 'from penstock import flow\nmail = flow("mail")\n')
    shop.write("post/__init__.py", "")
    shop.write(
        "post/send.py",
        """
        from common.flows import mail
        @mail.entrypoint
        def send(): ...
        """,
    )

    assert listed(shop, "post") == {"mail"}


def test_step_of_another_library_is_not_a_flow(shop: Project) -> None:
    """Other libraries have a decorator of that name."""
    shop.write(
        "shop/other.py", "from nowhere.workflow import step\n@step\ndef f(): ..."
    )

    assert listed(shop, "shop") == {"orders", "billing", "audit"}


@pytest.mark.parametrize(
    "targets", ['["shop.**"]', '["m.json"]', '["shop.orders", "m.json"]']
)
def test_name_of_a_flow(shop: Project, targets: str) -> None:
    """A flow that the project declares is a target, from modules and manifests."""
    shop.write("m.json", shop.penstock("export", "shop.orders", "shop.billing").stdout)
    shop.write("pyproject.toml", f"[tool.penstock]\nimport = {targets}\n")

    assert listed(shop, "orders") == {"orders"}
    assert listed(shop, "billing", cwd="shop") == {"billing"}
    assert listed(shop, "orders", "billing") == {"orders", "billing"}


def test_flow_with_the_name_of_a_module(shop: Project) -> None:
    """The project's flow is found though the standard library has that module."""
    shop.write(
        "post.py",
        """
        from penstock import flow
        email = flow("email")
        @email.entrypoint
        def send(): ...
        """,
    )
    shop.write("pyproject.toml", '[tool.penstock]\nimport = ["post", "shop.orders"]\n')

    assert listed(shop, "email") == {"email"}


def test_name_of_a_flow_that_is_not_there(shop: Project) -> None:
    """The message suggests the project's flows."""
    shop.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.orders"]\n')

    result = shop.penstock("dag", "ordrs")

    assert result.returncode == 2
    assert "no module 'ordrs'" in result.stderr
    assert "Did you mean the flow 'orders'?" in result.stderr


@pytest.mark.parametrize("folder", [".", "shop"])
def test_missing_module_names_the_folders(shop: Project, folder: str) -> None:
    """The message says where penstock looked."""
    shop.write("pyproject.toml", '[project]\nname = "shop"\n')
    (shop.root / "src").mkdir()

    result = shop.penstock("list", "pkgx.orders", cwd=folder)

    root = "." if folder == "." else str(shop.root)
    assert result.returncode == 2
    assert root in result.stderr
    assert "src" in result.stderr


@pytest.mark.parametrize("command", ["list", "dag", "export", "check", "catalog"])
@pytest.mark.parametrize(
    ("targets", "looked"),
    [
        (["shop.empty"], "shop.empty (shop/empty.py)"),
        (["shop/empty.py"], "shop/empty.py"),
        (["bare"], "bare (bare/__init__.py)"),
        (["bare.**"], "bare.**"),
        (["bare", "none.json"], "bare (bare/__init__.py), none.json"),
    ],
)
def test_no_flow(shop: Project, command: str, targets: list[str], looked: str) -> None:
    """A command that finds no flow says where it looked, and is no success."""
    if command == "check":
        pytest.importorskip("jedi", reason="needs jedi")
    shop.write("shop/empty.py", "")
    shop.write("bare/__init__.py", "")
    shop.write("none.json", '{"penstock": 1, "flows": []}')
    more = ["-o", "site"] if command == "catalog" else []

    result = shop.penstock(command, *targets, *more)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: no flow found. penstock looked in ")
    assert looked in result.stderr


def test_beside_manage_py(shop: Project) -> None:
    """Without settings of Django the message says how to name them."""
    shop.write("manage.py", "")

    result = shop.penstock("list")

    assert result.returncode == 2
    assert "manage.py penstock" in result.stderr
    assert "DJANGO_SETTINGS_MODULE" in result.stderr


def test_named_beside_manage_py(shop: Project) -> None:
    """A module that needs the settings fails, and the last line says what to run."""
    pytest.importorskip("django", reason="needs django")
    shop.write("manage.py", "")
    shop.write(
        "views.py",
        "from django.core.exceptions import ImproperlyConfigured\n"
        "raise ImproperlyConfigured('settings are not configured')\n",
    )

    result = shop.penstock("list", "views")

    assert result.returncode == 2
    assert result.stderr.endswith(
        "\nRun python manage.py penstock, with penstock.contrib.django in "
        "INSTALLED_APPS, or set DJANGO_SETTINGS_MODULE.\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_manifest_in_a_pipe(shop: Project) -> None:
    """A pipe is read like a file, as in process substitution."""
    manifest = shop.penstock("export", "shop.orders").stdout
    os.mkfifo(shop.root / "pipe.json")
    path = shop.root / "pipe.json"
    writer = threading.Thread(target=path.write_text, args=(manifest,))
    writer.start()

    assert listed(shop, "pipe.json") == {"orders"}
    writer.join()
