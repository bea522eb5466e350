"""Share values between the steps of a run: ``python -m examples.metadata``.

Steps need not pass them on, and runs never see each other's values.
"""

from __future__ import annotations

from penstock import (
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context_value,
    set_flow_context_value,
    step,
)


@flow("greetings")
@entrypoint
def greet(user: str, language: str) -> str | None:
    """Start a run, and remember whom to greet."""
    set_flow_context_value("user", user)
    set_flow_context_value("language", language)
    choose()
    return answer()


@flow("greetings")
@step(after="greet")
def choose() -> None:
    """Choose the words for the language that ``greet`` has set."""
    words = {"de": "Guten Tag", "fr": "Bonjour"}
    word = words.get(get_flow_context_value("language"))
    if word:
        set_flow_context_value("word", word)


@flow("greetings")
@step(after="choose")
def answer() -> str | None:
    """Build the answer, with a default for a missing value."""
    word = get_flow_context_value("word", "Hello")
    print(f"{word}, {get_flow_context_value('user')}!")
    return current_flow_id()


def main() -> None:
    """Greet two users."""
    first = greet("Ada", "fr")
    second = greet("Bob", "tlh")
    print(f"two runs, two IDs: {first != second}")
    print(f"outside a flow: {current_flow_id()}, {get_flow_context_value('user')}")


if __name__ == "__main__":
    main()
