"""Two entrypoints, a branch and a join: ``python -m examples.user_updates``.

One step of a list in ``after=`` is enough; ``all_of`` needs all of them.
"""

from __future__ import annotations

from penstock import all_of, flow, generate_dag

updates = flow("user_updates", owner="accounts")
emails: dict[str, str] = {}
notified: list[str] = []


@updates.entrypoint
def from_website(user: str, email: str) -> None:
    """Take a change that the user made."""
    update(user, email)


@updates.entrypoint
def from_support(ticket: str) -> None:
    """Take a change that support made for the user."""
    user, _, email = ticket.partition(": ")
    update(user, email)


@updates.step(after=[from_website, from_support])
def check(email: str) -> str:
    """Normalise the address."""
    return email.strip().lower()


@updates.step(after=check)
def save(user: str, email: str) -> None:
    """Save the new address."""
    emails[user] = email


@updates.step(after=check)
def notify(user: str) -> None:
    """Tell the user."""
    notified.append(user)


@updates.step(after=all_of(save, notify))
def audit(user: str) -> None:
    """Record what was done."""
    print(f"{user}: {emails[user]}, notified: {user in notified}")


def update(user: str, email: str) -> None:
    """Do what both entrypoints share; a plain function is not in the diagram."""
    email = check(email)
    save(user, email)
    notify(user)
    audit(user)


def main() -> None:
    """Change one address through each entrypoint, then show the flow."""
    from_website("ada", " Ada@Example.org ")
    from_support("bob: bob@example.org")
    print(generate_dag("user_updates", detail=True))


if __name__ == "__main__":
    main()
