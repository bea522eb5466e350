"""The lines of the front page that add penstock to a framework."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

FASTAPI = """
from fastapi import FastAPI
from fastapi.testclient import TestClient
app = FastAPI()
{lines}
@app.get("/")
@orders.entrypoint
async def receive():
    return penstock.current_flow_id()
answer = TestClient(app).get("/")
shown, inside = answer.headers["X-Correlation-ID"], answer.json()
"""
FLASK = """
from flask import Flask
app = Flask("shop")
{lines}
@app.get("/")
@orders.entrypoint
def receive():
    return penstock.current_flow_id()
answer = app.test_client().get("/")
shown, inside = answer.headers["X-Correlation-ID"], answer.text
"""
DJANGO = """
import django, penstock
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = []
{lines}
def receive(request):
    return HttpResponse(penstock.current_flow_id())
urlpatterns = [path("", receive)]
settings.configure(
    MIDDLEWARE=MIDDLEWARE, INSTALLED_APPS=INSTALLED_APPS, PENSTOCK=PENSTOCK,
    ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"],
)
django.setup()
answer = Client().get("/")
shown, inside = answer["X-Correlation-ID"], answer.content.decode()
"""
CELERY = """
from celery import Celery
app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
seen = []
{lines}
@app.task
@orders.step(after="receive")
def look(number):
    seen.append(penstock.current_flow_id())
with penstock.start_flow("order-17"):
    charge.delay("A-1")
    look.delay("A-1")
shown, inside = "order-17", seen[0]
"""
PROGRAMS = {"FastAPI": FASTAPI, "Django": DJANGO, "Celery": CELERY, "Flask": FLASK}


def lines_for(framework: str) -> str:
    """Return the block below the name of a framework."""
    found = re.search(rf"\*\*{framework}\*\*.*?```python\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("framework", sorted(PROGRAMS))
def test_lines_of_the_front_page_work(framework: str, tmp_path: Path) -> None:
    """They give a request or a task its ID, in an application that has nothing else."""
    pytest.importorskip(framework.lower(), reason=f"needs {framework}")
    if framework == "FastAPI":
        pytest.importorskip("httpx", reason="needs httpx")
    program = PROGRAMS[framework].replace("{lines}", lines_for(framework))
    program += "import json\nprint(json.dumps([shown, inside]))\n"
    (tmp_path / "shop.py").write_text(program, encoding="utf-8")

    result = subprocess.run(
        [sys.executable, "shop.py"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )

    assert result.returncode == 0, result.stderr
    shown, inside = json.loads(result.stdout.splitlines()[-1])
    assert shown
    assert shown == inside
