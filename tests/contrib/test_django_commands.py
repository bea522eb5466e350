"""``manage.py check`` and ``manage.py penstock``, in a real project."""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from tests.support.projects import PROCESS, Project, Result, called, within

pytest.importorskip("django", reason="needs django")

import django
from django.core import management
from django.test.utils import override_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

with mock.patch.dict(
    os.environ, DJANGO_SETTINGS_MODULE="tests.contrib.django_site.settings"
):
    django.setup()

MANAGE = """
    import os
    import sys

    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)
"""
SETTINGS = """
    SECRET_KEY = "{key}"
    ROOT_URLCONF = "config.urls"
    INSTALLED_APPS = ["penstock.contrib.django", "shop"]
    DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "db"}}}}
    USE_TZ = True
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 3600
    SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
"""
URLS = """
    from django.urls import path

    from shop import views

    urlpatterns = [path("orders/", views.receive)]
"""
VIEWS = """
    from shop.flows import orders


    @orders.entrypoint
    {is_async}def receive(request):
        from shop.tasks import charge

        charge(request)


    @orders.step(after="charge")
    def remind(order):
        return remind
"""
TASKS = """
    from . import flows


    @flows.orders.step(after="receive")
    def charge(order):
        from .views import remind

        remind(order)
"""
# What the site of other tests sets, and this one does not.
FRESH = {"SETTINGS_MODULE": "config.settings", "MIDDLEWARE": [], "ALLOWED_HOSTS": ["*"]}
WRONG = ("shop/views.py", 'after="charge"', 'after="charg"')
MESSAGE = """ERRORS:
shop/views.py:11: (penstock.E001) PEN001 orders/remind: 'charg' names nothing: there \
is no such step. Did you mean 'charge'?
\tHINT: after="charge" in shop/views.py:11
"""


@dataclass(frozen=True, slots=True)
class Site(Project):
    """A Django project, whose tasks nothing imports at the start."""

    def manage(self, *arguments: str) -> Result:
        """Run ``manage.py`` with *arguments* in this process."""
        env = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(self.root),
        }
        with within(self.root, env):
            settings = importlib.import_module("config.settings")
            given = {key: at for key, at in vars(settings).items() if key.isupper()}
            del given["DATABASES"]  # Django's are open already
            with override_settings(**(FRESH | given)):
                management.get_commands.cache_clear()
                main = management.execute_from_command_line
                return called(main, ["manage.py", *arguments])

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """Run ``manage.py`` with *arguments* in a process of its own."""
        manage = str(self.root / "manage.py")
        return self.penstock(*arguments, program=(sys.executable, manage), env=env)

    def change(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    def told(self, *arguments: str) -> str:
        """Return what ``manage.py check`` with *arguments* says is wrong."""
        result = self.manage("check", *arguments)
        assert "Traceback" not in result.stderr
        return result.stderr


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a project with one flow, in views and tasks."""
    made = Site(tmp_path)
    made.write("manage.py", MANAGE)
    made.write("config/__init__.py", "")
    made.write("config/settings.py", SETTINGS.format(key="k3y" * 20))
    made.write("config/urls.py", URLS)
    made.write("shop/__init__.py", "")
    made.write(
        "shop/flows.py", 'from penstock import flow\n\norders = flow("orders")\n'
    )
    made.write("shop/views.py", VIEWS.format(is_async=""))
    made.write("shop/tasks.py", TASKS)
    made.write("shop/tests/test_flows.py", "raise AssertionError('imported')")
    return made


def needs_command_line() -> None:
    """Skip the test where the extra ``cli`` is not installed."""
    pytest.importorskip("click", reason="needs click")
    pytest.importorskip("rich", reason="needs rich")


def test_clean_project_is_clean(site: Site) -> None:
    """A step in a module that no start imports is not a finding."""
    result = site.start("check")

    assert (result.returncode, result.stderr) == (0, "")
    assert "no issues" in result.stdout


def test_wrong_name_fails_the_check(site: Site) -> None:
    """The check fails, with code, place and hint of the finding."""
    site.change(*WRONG)

    result = site.manage("check")

    assert result.returncode == 1
    assert MESSAGE in result.stderr


def test_start_of_another_command_goes_on(site: Site) -> None:
    """A migration only warns of what is declared wrong."""
    site.change(*WRONG)

    result = site.manage("migrate")

    assert result.returncode == 0
    assert "WARNINGS:\nshop/views.py:11: (penstock.E001) PEN001" in result.stderr
    assert "No migrations to apply" in result.stdout


def test_start_imports_little(site: Site) -> None:
    """A start that finds nothing imports neither jedi nor the command line."""
    site.change("shop/views.py", 'after="charge"', 'after="receive"')
    site.write(
        "shop/management/commands/loaded.py",
        """
        import sys

        from django.core.management import BaseCommand


        class Command(BaseCommand):
            requires_system_checks = "__all__"

            def handle(self, *args, **options):
                names = ("jedi", "click", "rich", "tomllib", "penstock.cli")
                print("loaded:", *(name for name in names if name in sys.modules))
        """,
    )

    result = site.start("loaded")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "loaded:\n"


def test_silenced_by_id(site: Site) -> None:
    """SILENCED_SYSTEM_CHECKS knows a finding by its ID."""
    site.change(*WRONG)
    site.change("config/settings.py", '"security.W001"', '"penstock.E001"')

    result = site.manage("check")

    assert (result.returncode, result.stderr) == (0, "")
    assert "1 silenced" in result.stdout


def test_comment_ignores(site: Site) -> None:
    """A comment of penstock's own silences a finding here, too."""
    wrong = 'after="charg")  # penstock: ignore[PEN001]'
    site.change("shop/views.py", 'after="charge")', wrong)

    assert site.told() == ""


def test_baseline_is_respected(site: Site) -> None:
    """Findings in the baseline of pyproject.toml are not reported."""
    site.change(*WRONG)
    site.write("pyproject.toml", '[tool.penstock]\nbaseline = "flows.json"\n')
    entry = '"code": "PEN001", "flow": "orders", "step": "remind"'
    edge = '"edge": "charg → remind"'
    text = f'{{"penstock-baseline": 1, "findings": [\n  {{{entry}, {edge}}}\n]}}\n'
    site.write("flows.json", text)

    assert site.told() == ""


def test_one_app_alone(site: Site) -> None:
    """The check of one app says nothing of the others."""
    site.write("office/__init__.py", "")
    site.change("config/settings.py", '"shop"]', '"shop", "office"]')
    site.change(*WRONG)

    assert "penstock.E001" in site.told("shop")
    assert site.told("office") == ""


def test_broken_target_is_a_warning(site: Site) -> None:
    """If a module cannot be imported, one warning says so, without findings."""
    site.change(
        "shop/tasks.py", "from . import flows", "from . import flows\nimport no"
    )

    told = site.told("--fail-level=ERROR")

    assert "penstock: (penstock.W801) the flows were not checked: importing" in told
    assert "ModuleNotFoundError: No module named 'no'" in told
    assert "shop/tasks.py:2  import no" in told
    assert "PEN" not in told


def test_broken_urls_are_told_by_django(site: Site) -> None:
    """A URLconf that cannot be imported shows its own error, as without penstock."""
    site.write("config/urls.py", "import nowhere")

    result = site.start("check")

    assert result.returncode == 1
    assert "No module named 'nowhere'" in result.stderr
    assert "penstock" not in result.stderr.splitlines()[-1]


def test_manifest_of_another_service(site: Site) -> None:
    """A step that another service no longer has is found without importing more."""
    site.write("pyproject.toml", '[tool.penstock]\nimport = ["bills.json", "shop.*"]\n')
    site.change("shop/views.py", 'after="charge"', 'after="billing/invoices:sent"')
    site.write(
        "bills.json",
        json.dumps(
            {
                "penstock": 1,
                "service": "billing",
                "flows": [{"name": "invoices", "steps": []}],
            }
        ),
    )

    told = site.told()

    assert "(penstock.E003) PEN003 orders/remind" in told


@pytest.mark.parametrize("is_async", ["", "async "])
def test_source_is_read_on_request(site: Site, is_async: str) -> None:
    """``--deploy`` checks the code, and reports each finding once."""
    pytest.importorskip("jedi", reason="needs jedi")
    site.write("shop/views.py", VIEWS.format(is_async=is_async))
    site.change("shop/tasks.py", "    remind(order)\n", "    ...\n")
    site.change("shop/tasks.py", '"receive"', '["receive", "lost"]')
    site.change("shop/views.py", "charge(request)", "remind(request)")

    told = site.told("--deploy")

    assert told.count("PEN001 orders/charge: 'lost' names nothing") == 1
    assert (
        "shop/views.py:8: (penstock.E101) PEN101 orders/remind: called before "
        "any step it is declared after (found: receive → remind)\n"
        '\tHINT: move the call, or declare after=["charge", "receive"] in '
        "shop/views.py:11\n"
    ) in told
    assert "shop/tasks.py:4: (penstock.W201) PEN201 orders/charge" in told


def test_source_without_a_resolver(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, ``--deploy`` says so and finds nothing wrong."""
    monkeypatch.setitem(sys.modules, "jedi", None)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")

    result = site.manage("check", "--deploy", "--tag", "penstock")

    assert result.returncode == 0
    assert "(penstock.I803)" in result.stderr
    assert "pip install 'penstock[check]'" in result.stderr


def test_commands_need_no_target(site: Site) -> None:
    """The flows are those of the project's modules; tests are not imported."""
    needs_command_line()

    listed = site.manage("penstock", "list", "--format", "json")
    drawn = site.manage("penstock", "dag")

    (flow,) = json.loads(listed.stdout)
    assert {step["name"] for step in flow["steps"]} == {"receive", "charge", "remind"}
    assert drawn.stdout == ("graph TD\n    receive --> charge\n    charge --> remind\n")
    assert drawn.stderr == ""


def test_commands_without_a_flow(site: Site) -> None:
    """In a project that is set up, the message does not say how to set it up."""
    for name in ("tasks", "views", "flows"):
        site.write(f"shop/{name}.py", "def receive(request): ...\n")

    result = site.manage("penstock", "list")

    assert result.returncode == 2
    assert "no flow found. No module of your Django apps" in result.stderr


def test_settings_of_one_file(site: Site) -> None:
    """Settings may be a module of their own, beside the project."""
    needs_command_line()
    site.write("local.py", "from config.settings import *")

    env = {"DJANGO_SETTINGS_MODULE": "local"}
    drawn = site.start("penstock", "dag", env=env)
    checked = site.start("check", "--deploy", "--tag", "penstock", env=env)

    assert drawn.stdout == ("graph TD\n    receive --> charge\n    charge --> remind\n")
    assert "penstock.W802" not in checked.stderr


def test_command_line_finds_the_same(site: Site) -> None:
    """``penstock`` itself needs no target either, with DJANGO_SETTINGS_MODULE set."""
    needs_command_line()

    env = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    drawn = site.penstock("dag", program=PROCESS, env=env)

    assert drawn.stdout == site.manage("penstock", "dag").stdout


def test_pyproject_names_the_targets(site: Site) -> None:
    """What ``import`` names is taken in place of what is found."""
    needs_command_line()
    site.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.tasks"]\n')

    drawn = site.manage("penstock", "list", "--format", "concise")

    assert drawn.stdout.split("\t")[3] == "1"


def test_exit_statuses_are_the_same(site: Site) -> None:
    """0 is clean, 1 findings, 2 wrong usage."""
    needs_command_line()
    pytest.importorskip("jedi", reason="needs jedi")

    assert site.manage("penstock", "check").returncode == 0
    assert site.manage("penstock", "dag", "--nope").returncode == 2
    assert site.manage("penstock", "list", "no.where").returncode == 2
    site.change(*WRONG)
    found = site.manage("penstock", "check", "--format=concise")
    assert found.returncode == 1
    assert found.stdout.startswith("shop/views.py:11: PEN001 orders/remind: 'charg'")


def test_options_of_django_stay(site: Site) -> None:
    """``--settings`` and the like work wherever they stand, as for every command."""
    needs_command_line()
    other = (site.root / "config/settings.py").read_text(encoding="utf-8")
    site.write("config/other.py", other + '\nPENSTOCK = {"service": "other"}\n')
    options = ("--settings", "config.other", "--no-color")

    for arguments in (
        ("penstock", *options, "list", "--format=json"),
        ("penstock", "list", *options, "--format=json"),
    ):
        (flow,) = json.loads(site.start(*arguments).stdout)
        assert flow["service"] == "other"


@pytest.mark.parametrize(
    "arguments", [("penstock", "--help"), ("penstock", "-h"), ("help", "penstock")]
)
def test_help_is_that_of_the_command_line(
    site: Site, arguments: tuple[str, ...]
) -> None:
    """The help names the commands, and the program as it was called."""
    needs_command_line()

    result = site.manage(*arguments)

    assert result.returncode == 0
    assert result.stdout.startswith("Usage: manage.py penstock [OPTIONS] COMMAND")
    assert "Check the flows of TARGETS against the code" in result.stdout


def test_called_by_a_program(site: Site) -> None:
    """``call_command`` gives the result to ``stdout=``, and raises what went wrong."""
    needs_command_line()
    site.write(
        "shop/management/commands/twice.py",
        """
        from io import StringIO

        from django.core.management import BaseCommand, CommandError, call_command


        class Command(BaseCommand):
            def handle(self, *args, **options):
                result = StringIO()
                call_command("penstock", "dag", stdout=result)
                print(result.getvalue().splitlines()[0])
                try:
                    call_command("penstock", "dag", "--nope")
                except CommandError as exc:
                    print(exc.returncode, exc)
        """,
    )

    result = site.manage("twice")

    told = "2 penstock dag --nope ended with status 2\n"
    assert result.stdout == f"graph TD\n{told}"


def test_without_the_extra(site: Site) -> None:
    """Without click the command says what to install, and the checks still work."""
    site.write("click.py", "raise ModuleNotFoundError('no click', name='click')")
    site.change(*WRONG)

    result = site.start("penstock", "list")

    assert result.returncode == 2
    assert result.stderr == (
        "CommandError: 'click' is not installed. "
        "Install it with: pip install 'penstock[cli]'\n"
    )
    assert "penstock.E001" in site.start("check").stderr


def test_changes_since_a_revision(site: Site) -> None:
    """``diff`` finds the project's flows at a revision, too."""
    needs_command_line()
    commands = ("init -q", "add .", "-c user.name=x -c user.email=x@y commit -qm x")
    for command in commands:
        git = site.penstock(*command.split(), program=("git",))
        assert git.returncode == 0, git.stderr
    site.change("shop/views.py", 'after="charge"', 'after="receive"')

    result = site.manage("penstock", "diff", "--exit-code", "HEAD")

    assert result.returncode == 1, result.stderr
    assert "- edge charge → remind" in result.stdout
    assert "+ edge receive → remind" in result.stdout
