"""MinIO: a store that speaks S3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from devenv.testing.handles import HOST, Backend

MARK = "devenv-mark"
REGION = "us-east-1"


@dataclass(frozen=True)
class Minio(Backend):
    """A MinIO server; isolated by a prefix of buckets."""

    kind: ClassVar[str] = "minio"
    library: ClassVar[str] = "boto3"
    package: ClassVar[str] = "boto3"
    default_port: ClassVar[int] = 9000

    @property
    def url(self) -> str:
        """The S3 endpoint: `http://127.0.0.1:PORT`."""
        return f"http://{HOST}:{self.port}"

    @property
    def access_key(self) -> str:
        """S3's word for the user."""
        return self.username

    @property
    def secret_key(self) -> str:
        """S3's word for the password."""
        return self.password

    def client(self, **options: Any) -> Any:
        """A boto3 client for S3."""
        config = self.module("session").botocore.config.Config(
            s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        # A session of its own: boto3's shared one is not safe in threads.
        return self.module("session").Session().client("s3", **{
            "endpoint_url": self.url, "region_name": REGION, "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key, "config": config, **options})

    @staticmethod
    def isolation(name: str) -> dict[str, str]:
        """A prefix for buckets."""
        return {"S3_BUCKET_PREFIX": f"{name}-"}

    def mark(self) -> dict[str, Any]:
        """A bucket of ours, and the names of those that there are."""
        if MARK not in self._buckets():
            self._own.create_bucket(Bucket=MARK)
        self._own.put_object(Bucket=MARK, Key="mark", Body=b"1")
        return {"buckets": self._buckets()}

    def damage(self, baseline: Mapping[str, Any]) -> str:
        """Looks whether a bucket is gone, and writes to the mark."""
        lost = set(baseline["buckets"]) - set(self._buckets())
        if lost:
            return f"the bucket `{min(lost)}` was deleted"
        self._own.put_object(Bucket=MARK, Key="mark", Body=b"1")
        return ""

    def clean(self, name: str) -> None:
        """Delete the buckets under the prefix, with all versions and unfinished uploads."""
        for bucket in self._buckets():
            if bucket.startswith(f"{name}-"):
                self._empty(bucket)
                self._own.delete_bucket(Bucket=bucket)

    def close(self) -> None:
        """Close the plugin's own connection."""
        if client := self.__dict__.pop("_own", None):
            client.close()

    @cached_property
    def _own(self) -> Any:
        return self.client()

    def _buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self._own.list_buckets()["Buckets"]]

    def _empty(self, bucket: str) -> None:
        for page in self._own.get_paginator("list_object_versions").paginate(Bucket=bucket):
            listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]
            if keys:
                self._own.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        for page in self._own.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", ()):
                self._own.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])

    def _inferred(self) -> tuple[str, str]:
        # Upstream's defaults, where the definition says nothing.
        return (self.said("MINIO_ROOT_USER", "MINIO_ACCESS_KEY") or "minioadmin",
                self.said("MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY") or "minioadmin")
