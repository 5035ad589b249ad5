"""S3, or what speaks its protocol: small objects, and presigned links for large ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from servicekit.settings import S3Settings

# What a store that is away, or that refuses, raises.
S3_ERRORS = (BotoCoreError, ClientError)


def client(settings: S3Settings, endpoint_url: str | None) -> Any:
    """A boto3 client; path-style where the endpoint is ours, since then no DNS name per bucket exists."""
    secret = settings.s3_secret_access_key
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 2},
            s3={"addressing_style": "path" if endpoint_url else "virtual"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class Bucket:
    """One bucket; boto3 blocks, so its calls run on threads of their own."""

    def __init__(self, name: str, inner: Any, public: Any, threads: ThreadPoolExecutor) -> None:
        self.name = name
        self._inner = inner
        self._public = public
        self._threads = threads

    async def _call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *arguments, **options))

    async def put(self, key: str, body: bytes, content_type: str) -> None:
        """Write an object."""
        await self._call(self._inner.put_object, Bucket=self.name, Key=key, Body=body, ContentType=content_type)

    async def size(self, key: str) -> int | None:
        """The object's size in bytes, or None where there is no such object."""
        try:
            head = await self._call(self._inner.head_object, Bucket=self.name, Key=key)
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
            self._public.generate_presigned_url, operation, Params=wanted, ExpiresIn=expires_in_s
        )
        return url

    async def check(self) -> None:
        """Ask for the bucket, which needs it to exist and the keys to be right."""
        await self._call(self._inner.head_bucket, Bucket=self.name)


@asynccontextmanager
async def connected(settings: S3Settings, name: str) -> AsyncIterator[Bucket]:
    """The bucket `name`; links are signed for S3_PUBLIC_URL, which clients reach, where it is set."""
    inner = client(settings, settings.s3_endpoint_url)
    public = client(settings, settings.s3_public_url) if settings.s3_public_url else inner
    threads = ThreadPoolExecutor(8, thread_name_prefix="s3")
    try:
        yield Bucket(settings.bucket(name), inner, public, threads)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        inner.close()
        public.close()
