from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def unthrottled() -> Iterator[None]:
    """Each test has the whole rate limit for itself."""
    cache.clear()
    yield
    cache.clear()
