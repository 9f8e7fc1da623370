"""The connections under the providers' SDKs: answers of bounded size, and proxies as the environment names them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from stratarena.agents.models.base import Failure
from stratarena.agents.models.pacing import Limits
from stratarena.agents.models.wire import LARGEST_ANSWER, CallFailed

__all__ = ["connections"]


def connections(limits: Limits) -> dict[str, Any]:
    """`timeout` and `http_client` for a provider's SDK, with a connection for each call in flight."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            taken = 0
            async for chunk in self._stream:
                taken += len(chunk)
                if taken > LARGEST_ANSWER:
                    what = f"the answer has more than {LARGEST_ANSWER / 1e6:g} MB"
                    raise CallFailed(Failure.GARBLED, what, charged=True)
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def bound(response: Any) -> None:
        response.stream = Bounded(response.stream)

    timeout = httpx2.Timeout(limits.timeout_s, connect=min(20.0, limits.timeout_s))
    pool = httpx2.Limits(max_connections=limits.concurrency, max_keepalive_connections=limits.concurrency)
    client = httpx2.AsyncClient(timeout=timeout, limits=pool, event_hooks={"response": [bound]})
    return {"timeout": timeout, "http_client": client, "max_retries": 0}
