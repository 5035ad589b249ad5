import signal

import pytest

from tests.e2e.checkout import Checkout, copy_of_the_working_tree
from tests.e2e.flow import Client
from tests.e2e.registry import registry  # noqa: F401

# Away from the developer's own platform, and inside the range of ordinary ports.
PORT_OFFSET = 4100


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """What a shell starts in the background ignores Ctrl-C, and so would all that the tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A running platform of our own; its path has what paths should not need to avoid."""
    root = copy_of_the_working_tree(tmp_path_factory.mktemp("a checkout ü"))
    made = Checkout(root, PORT_OFFSET)
    try:
        made.up()
        yield made
    finally:
        made.remove()


@pytest.fixture
async def client(checkout):
    async with Client(checkout.urls["gateway"], checkout.secret("DEMO_API_KEY")) as one:
        yield one
