"""One Onfile for all of these tests; each begins with an empty store."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.sandbox_oracle.bench import Bench
from tests.sandbox_oracle.onfile import Onfile, onfile_on

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture(scope="module")
def onfile(session_store: "Store") -> Iterator[Onfile]:
    """Quiet: a line for each of a million answers would be most of the work."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with onfile_on(session_store) as onfile:
        yield onfile
    structlog.configure(**before)


@pytest.fixture
def bench(onfile: Onfile) -> Bench:
    return Bench(onfile)
