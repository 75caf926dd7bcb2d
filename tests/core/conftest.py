"""Fixtures of the core's tests."""

import pytest

from pygent.models import OpenAIModel
from tests.core.asking import KEY
from tests.fakes.openai_server import FakeOpenAI


@pytest.fixture
def serve():
    """A function that starts a server and answers it with a model on it."""
    opened = []

    def start(*replies, **options):
        server = FakeOpenAI(replies[0] if callable(replies[0]) else replies)
        model = OpenAIModel(server.url, KEY, **{"first_pause": 0.01, **options})
        opened.extend([model, server])
        return server, model

    yield start
    for thing in opened:
        thing.close()
