"""The programs of the two documents that penstock was built from.

``spec/readme.md`` and ``spec/usage-guide.md`` are kept word for word. Each of their
Python blocks is here, found by a line that it holds, with the names that it assumes,
what its reader would do with it next, and what that prints. Nothing in a block is
changed.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AS_PRINTED", "PROGRAMS", "Program"]

AS_PRINTED = "what the document prints for it"

ID = "[0-9a-f]{32}"


@dataclass(frozen=True, slots=True)
class Program:
    """One Python block of a document.

    Attributes:
        document: File name of the document.
        holds: A line that this block alone holds, or the first that does.
        given: Python that runs before it, for the names that it assumes.
        then: Python that runs after it.
        prints: What the block and *then* print, as a regular expression, or
            ``AS_PRINTED``.
        raises: Type and message of the error with which the block ends.
        in_flow: Whether the block says that it stands inside a step.
        needs: Package that it needs.
        left_out: Why it does not run yet.
    """

    document: str
    holds: str
    given: str = ""
    then: str = ""
    prints: str = ""
    raises: str = ""
    in_flow: bool = False
    needs: str = ""
    left_out: str = ""

    def is_in(self, text: str) -> bool:
        """Tell whether *text* holds this program's line."""
        return self.holds in map(str.strip, text.splitlines())


def _line(event: str, step: str) -> str:
    label = f"order_processing/{step}"
    return rf"\S+ \S+ penstock step\.{event} {label}.*  \[{label} cid={ID}\]"


README, GUIDE = "readme.md", "usage-guide.md"

PROGRAMS = [
    Program(
        README,
        "def handle_kafka_message(msg):",
        given="""
from types import SimpleNamespace
import penstock

class api:
    def get_bom(bom_id):
        print("fetched", bom_id, len(penstock.current_flow_id()))
        return SimpleNamespace(parts=["bolt", "nut"])

class db:
    def bulk_upsert(parts):
        print("upserted", parts, len(penstock.current_flow_id()))
""",
        then="""
handle_kafka_message(SimpleNamespace(payload={"bom_id": 17}))
print(penstock.current_flow_id())
""",
        prints=r"fetched 17 32\nupserted \['bolt', 'nut'\] 32\nNone",
    ),
    Program(
        README,
        "# Or render directly to PNG",
        prints=AS_PRINTED,
    ),
    Program(
        README,
        'logger.info(f"[{current_flow_id()}] Syncing {len(data.parts)} parts")',
        then="""
import sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
logging.getLogger("penstock").setLevel(logging.WARNING)
handle_kafka_message(SimpleNamespace(payload={"bom_id": 18}))
""",
        prints=rf"fetched 18 32\n\[{ID}\] Syncing 2 parts",
    ),
    Program(
        README,
        "def handle_api_request(request):",
        then="""
handle_api_request(SimpleNamespace(data={"user": 17}))
handle_admin_action(SimpleNamespace(payload={"user": 17}))
print(generate_dag("user_update"))
""",
        prints="graph TD\n"
        "    handle_admin_action --> process_user_update\n"
        "    handle_api_request --> process_user_update",
    ),
    Program(
        README,
        "def send_confirmation(order):",
        # validate_order is left to the reader.
        then="""
@flow("order_processing")
@entrypoint
def validate_order(order):
    charge_payment(order)
    reserve_inventory(order)
    send_confirmation(order)

validate_order("A-1")
print(generate_dag("order_processing"))
""",
        prints="graph TD\n"
        "    validate_order --> charge_payment\n"
        "    validate_order --> reserve_inventory\n"
        "    charge_payment --> send_confirmation\n"
        "    reserve_inventory --> send_confirmation",
    ),
    Program(
        README,
        '"penstock.contrib.django.FlowMiddleware",',
        needs="django",
        # The "..." in the list stands for the reader's own middleware.
        then="""
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[name for name in MIDDLEWARE if name is not ...],
    ROOT_URLCONF=(path("", lambda request: HttpResponse(current_flow_id())),),
)
response = Client().get("/", headers={"X-Correlation-ID": "order-17"})
print(response["X-Correlation-ID"], response.content.decode())
""",
        prints="order-17 order-17",
    ),
    Program(
        README,
        "from penstock.contrib.celery import flow_task",
        needs="celery",
        then="""
with penstock.start_flow("order-17"):
    print(process_in_background.apply(({},)).status)
print(generate_dag("async_processing"))
""",
        prints="SUCCESS\ngraph TD\n    process_in_background",
    ),
    Program(
        README,
        "from penstock.contrib.structlog import flow_processor",
        needs="structlog",
        # The block ends its list of processors with a literal "...", which stands for
        # the reader's own; a renderer takes its place once the block has run.
        then="""
renderer = structlog.processors.JSONRenderer(sort_keys=True)
processors = structlog.get_config()["processors"]
structlog.configure(processors=[renderer if p is ... else p for p in processors])
with penstock.start_flow("order-17"):
    structlog.get_logger().info("charged", amount=42)
""",
        prints=r'\{"amount": 42, "correlation_id": "order-17", "event": "charged", '
        r'"flow_id": "order-17"\}',
    ),
    Program(
        GUIDE,
        "def receive_order(self, order_id: str) -> dict:",
        then="""
print(OrderFlow().receive_order("A-1"))
try:
    OrderFlow().charge({})
except RuntimeError as exc:
    print(type(exc).__name__)
""",
        prints=r"\{'order_id': 'A-1', 'status': 'valid'\}\nNotInFlowError",
    ),
    Program(
        GUIDE,
        "# Returns None if called outside a flow",
        then="print(cid)",
        prints="None",
    ),
    Program(
        GUIDE,
        "# In an entrypoint or step:",
        in_flow=True,
        then="print(user, missing)",
        prints="alice 42",
    ),
    Program(GUIDE, 'diagram = generate_dag("order_processing")', prints=AS_PRINTED),
    Program(
        GUIDE,
        'generate_dag("order_processing", output="order_flow.md")',
        then='import pathlib; print(pathlib.Path("order_flow.md").read_text(), end="")',
        prints="```mermaid\ngraph TD\n    receive_order --> validate\n"
        "    validate --> charge\n    validate --> ship\n```",
    ),
    Program(
        GUIDE,
        'f.receive_order("ORD-001")',
        prints="\n".join(
            [
                _line("start", "receive_order"),
                rf"Received order ORD-001 \(cid={ID}\)",
                _line("start", "validate"),
                _line("end", "validate"),
                _line("start", "charge"),
                "Charging for order ORD-001",
                _line("end", "charge"),
                _line("start", "ship"),
                "Shipping order ORD-001",
                _line("end", "ship"),
                _line("end", "receive_order"),
            ]
        ),
    ),
    Program(GUIDE, 'print(generate_dag("user_update"))', prints=AS_PRINTED),
    Program(GUIDE, 'ContextDemo().start("alice")', prints=AS_PRINTED),
    Program(
        GUIDE,
        'asyncio.run(AsyncPipeline().ingest("https://example.com"))',
        # The guide's handler is still there, and tells of both steps.
        prints=rf"(.*\n)?Ingesting https://example\.com \(cid={ID}\)(\n.*)*",
    ),
]
