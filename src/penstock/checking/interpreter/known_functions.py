"""Functions of other packages that call what they are given, by name.

They count only where the project defines no such function: a step may be called
``send`` or ``submit``, too.
"""

from __future__ import annotations

__all__ = [
    "AFTER_COMMIT",
    "AFTER_RESPONSE",
    "COLLECT",
    "ENQUEUE",
    "EXHAUST",
    "FINISH",
    "GATHER",
    "GIVE_BACK",
    "HARMLESS_DECORATORS",
    "KEEP",
    "NEVER_POSSIBLE",
    "NOW",
    "PARALLEL",
    "PLAIN_ATTRIBUTES",
    "SEND",
    "SIGNATURE",
    "TASK",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GATHER = frozenset({"gather"})
"""Starts coroutines, in no order that can be relied on."""

TASK = frozenset({"create_task", "ensure_future", "start_soon", "start_task"})
"""Starts a coroutine, which runs when this code waits for something."""

PARALLEL = _words(
    """
    submit apply_async map_async starmap_async run_in_executor to_thread run_sync
    run_in_threadpool run_coroutine_threadsafe spawn spawn_n start_new_thread Thread
    Process deferToThread
    """
)
"""Starts a function in another thread or process."""

NOW = _words(
    """
    run run_until_complete map starmap imap imap_unordered filter sorted min max reduce
    apply takewhile dropwhile filterfalse groupby accumulate list_map call_command
    """
)
"""Calls a function, or runs a coroutine, before it returns."""

GIVE_BACK = _words(
    """
    partial partialmethod bind_flow wait_for shield wait as_completed reversed iter
    enumerate zip chain cycle cast copy deepcopy ChainMap MappingProxyType namedtuple
    aiter field sync_to_async async_to_sync staticmethod classmethod wraps lru_cache
    update_wrapper cache from_iterable
    """
)
"""Returns what it is given, in one form or another."""

EXHAUST = _words(
    """
    list tuple set frozenset dict deque OrderedDict defaultdict Counter sum any all next
    anext product permutations combinations
    """
)
"""Takes every item of what it is given, and returns a collection of them."""

FINISH = frozenset({"result", "join", "get", "wait", "exception", "as_completed"})
"""Waits until what was started has ended."""

KEEP = frozenset(
    {"append", "appendleft", "add", "extend", "insert", "update", "setdefault"}
)
"""Puts something into a collection."""

COLLECT = _words(
    """
    get values items pop popleft popitem setdefault copy __getitem__ union keys
    most_common elements
    """
)
"""Takes something out of a collection, or all of it."""

SEND = _words(
    """
    delay apply_async send send_with_options enqueue schedule spawn submit defer
    defer_async kiq remote retry starcall delay_on_commit
    """
)
"""Methods of a task, of whatever library, that have it called by a message."""

SIGNATURE = _words("s si signature subtask map starmap chunks message options")
"""Methods of a task that make a message without sending it."""

ENQUEUE = _words("enqueue enqueue_at enqueue_call enqueue_in")
"""Methods of a queue that have a message call the function that they are given."""

AFTER_COMMIT = frozenset({"on_commit"})
"""Keeps functions, to call them in the same order when a transaction commits."""

AFTER_RESPONSE = frozenset({"add_task"})
"""Keeps functions, to call them in the same order when a response was sent."""

AT_A_SIGNAL = frozenset({"signal.signal", "add_signal_handler", "atexit.register"})
"""Keeps a function that only a signal, or the end of the process, calls."""

HARMLESS_DECORATORS = _words(
    """
    staticmethod classmethod property cached_property abstractmethod override final
    lru_cache cache wraps contextmanager asynccontextmanager step flow entrypoint
    """
)
"""Decorators that call nothing, and register nothing."""

PLAIN_ATTRIBUTES = _words("__wrapped__ func __func__ run fn apply call_local __call__")
"""Attributes of a function or a task that are the function."""

NEVER_POSSIBLE = frozenset(
    name
    for kind in (dict, list, set, str, bytes, bytearray, tuple, int, float, type)
    for name in dir(kind)
) | _words(
    """
    send close throw read write flush seek open run start join save create delete filter
    exclude first last exists all one query execute commit rollback refresh aggregate
    annotate get_or_create update_or_create bulk_create bulk_update add_all merge scalar
    scalars fetch fetchone fetchall put set search
    """
)
"""Methods that too many objects have to say what an object is."""
