"""`python -m pytest -p tests.shuffle --shuffle 7 -n 4 ...`: the tests in another order, the same for every worker."""

import random


def pytest_addoption(parser):
    parser.addoption("--shuffle", type=int, default=None, metavar="SEED", help="Run in an order made from SEED.")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--shuffle") is not None:
        random.Random(config.getoption("--shuffle")).shuffle(items)
