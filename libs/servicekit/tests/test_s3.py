import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError
from servicekit import s3
from servicekit.settings import S3Settings

SETTINGS = S3Settings(
    s3_endpoint_url="http://minio:9000",
    s3_public_url="http://localhost:9000",
    s3_access_key_id="caas",
    s3_secret_access_key="hunter2",
    s3_bucket_prefix="t7-",
)


async def test_an_upload_link_is_for_the_public_address_and_one_size_and_type():
    async with s3.connected(SETTINGS, "attachments") as bucket:
        url = urlsplit(await bucket.upload_url("demo/1", "image/png", 7, 60))
    query = parse_qs(url.query)
    assert (url.netloc, url.path) == ("localhost:9000", "/t7-attachments/demo/1")
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == ["60"]


async def test_a_download_link_names_the_file_whatever_its_letters():
    async with s3.connected(SETTINGS, "attachments") as bucket:
        url = urlsplit(await bucket.download_url("demo/1", 'a "é"\r\n.txt', 60))
    (disposition,) = parse_qs(url.query)["response-content-disposition"]
    assert disposition == "attachment; filename*=UTF-8''a%20%22%C3%A9%22%0D%0A.txt"


async def test_without_an_endpoint_it_is_aws_with_a_name_per_bucket():
    settings = S3Settings(s3_region="eu-west-1", s3_access_key_id="caas", s3_secret_access_key="hunter2")
    async with s3.connected(settings, "invoices") as bucket:
        url = urlsplit(await bucket.download_url("a.csv", "a.csv", 60))
    assert url.scheme == "https"
    assert url.netloc.startswith("invoices.s3.")


class Store:
    """Answers `head_object` with a size, or with an error of a status."""

    def __init__(self, size=None, status=None):
        self.size, self.status = size, status

    def head_object(self, Bucket, Key):
        if self.status:
            raise ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": self.status}}, "HeadObject")
        return {"ContentLength": self.size}


@pytest.fixture
def bucket_over():
    """A bucket over a stand for boto3's client."""
    threads = ThreadPoolExecutor(1)

    def make(inner):
        async def clients():
            return SimpleNamespace(inner=inner, public=inner)

        return s3.Bucket("attachments", clients(), threads)

    yield make
    threads.shutdown()


@pytest.mark.parametrize(("inner", "expected"), [(Store(size=5), 5), (Store(status=404), None)])
async def test_the_size_of_an_object_that_is_missing_is_none(bucket_over, inner, expected):
    assert await bucket_over(inner).size("a") == expected


async def test_a_store_that_refuses_is_not_taken_for_a_missing_object(bucket_over):
    with pytest.raises(ClientError):
        await bucket_over(Store(status=403)).size("a")


async def test_an_impatient_caller_does_not_spoil_it_for_the_next(bucket_over):
    bucket = bucket_over(Store(size=5))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await bucket.size("a")
    assert await bucket.size("a") == 5


async def test_settings_that_no_client_can_be_made_from_show_at_the_check():
    settings = S3Settings(s3_endpoint_url="minio:9000", s3_access_key_id="caas", s3_secret_access_key="hunter2")
    async with s3.connected(settings, "attachments") as bucket:
        with pytest.raises(ValueError, match="Invalid endpoint"):
            await bucket.check()
