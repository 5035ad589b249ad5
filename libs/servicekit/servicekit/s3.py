"""S3, or what speaks its protocol: small objects, and presigned links for large ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from servicekit.settings import S3Settings

# What a store that is away, or that refuses, raises.
S3_ERRORS = (BotoCoreError, ClientError)


def client(settings: S3Settings, endpoint_url: str | None, session: boto3.session.Session | None = None) -> Any:
    """A boto3 client; path-style where the endpoint is ours, since then no DNS name per bucket exists."""
    secret = settings.s3_secret_access_key
    return (session or boto3.session.Session()).client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=2,
            read_timeout=4,
            retries={"mode": "standard", "total_max_attempts": 2},
            s3={"addressing_style": "path" if endpoint_url else "virtual"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class Clients:
    """The two ways to one store: `inner` is asked, `public` only signs links, for the address that clients reach."""

    def __init__(self, settings: S3Settings) -> None:
        session = boto3.session.Session()
        self.inner = client(settings, settings.s3_endpoint_url, session)
        self.public = client(settings, settings.s3_public_url, session) if settings.s3_public_url else self.inner

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()
        self.public.close()


class Bucket:
    """One bucket; boto3 blocks, so its calls run on threads of their own."""

    def __init__(self, name: str, clients: Awaitable[Clients], threads: Executor) -> None:
        self.name = name
        self._clients = asyncio.ensure_future(clients)
        self._threads = threads

    async def _call(self, use: Callable[[Clients], Any]) -> Any:
        clients = await asyncio.shield(self._clients)  # one impatient caller must not cancel it for all
        return await asyncio.get_running_loop().run_in_executor(self._threads, use, clients)

    async def put(self, key: str, body: bytes, content_type: str) -> None:
        """Write an object."""
        wanted = {"Bucket": self.name, "Key": key, "Body": body, "ContentType": content_type}
        await self._call(lambda clients: clients.inner.put_object(**wanted))

    async def size(self, key: str) -> int | None:
        """The object's size in bytes, or None where there is no such object."""
        try:
            head = await self._call(lambda clients: clients.inner.head_object(Bucket=self.name, Key=key))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return int(head["ContentLength"])

    async def upload_url(self, key: str, content_type: str, size_bytes: int, expires_in_s: int) -> str:
        """A link to PUT exactly `size_bytes` of `content_type` to, until it expires."""
        wanted = {"Bucket": self.name, "Key": key, "ContentType": content_type, "ContentLength": size_bytes}
        return await self._presign("put_object", wanted, expires_in_s)

    async def download_url(self, key: str, file_name: str, expires_in_s: int, *, inline: bool = False) -> str:
        """A link to GET the object from, as `file_name`, until it expires."""
        how = "inline" if inline else "attachment"
        disposition = f"{how}; filename*=UTF-8''{quote(file_name, safe='')}"
        wanted = {"Bucket": self.name, "Key": key, "ResponseContentDisposition": disposition}
        return await self._presign("get_object", wanted, expires_in_s)

    async def _presign(self, operation: str, wanted: dict[str, Any], expires_in_s: int) -> str:
        url: str = await self._call(
            lambda clients: clients.public.generate_presigned_url(operation, Params=wanted, ExpiresIn=expires_in_s)
        )
        return url

    async def check(self) -> None:
        """Ask for the bucket, which needs it to exist and the keys to be right."""
        await self._call(lambda clients: clients.inner.head_bucket(Bucket=self.name))


@asynccontextmanager
async def connected(settings: S3Settings, name: str) -> AsyncIterator[Bucket]:
    """The bucket `name`, usable once botocore has read its description of S3, which takes 0.1 s and delays nobody."""
    threads = ThreadPoolExecutor(8, thread_name_prefix="s3")
    clients = threads.submit(Clients, settings)
    try:
        yield Bucket(settings.bucket(name), asyncio.wrap_future(clients), threads)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        clients.add_done_callback(lambda done: None if done.cancelled() or done.exception() else done.result().close())
