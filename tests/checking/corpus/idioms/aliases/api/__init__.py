"""All of it, by a star."""

from ..work import *  # noqa: F403  # people write it
