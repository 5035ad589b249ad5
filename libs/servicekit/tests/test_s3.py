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


@pytest.mark.parametrize(("inner", "expected"), [(Store(size=5), 5), (Store(status=404), None)])
async def test_the_size_of_an_object_that_is_missing_is_none(inner, expected):
    assert await s3.Bucket("attachments", inner, inner, None).size("a") == expected


async def test_a_store_that_refuses_is_not_taken_for_a_missing_object():
    with pytest.raises(ClientError):
        await s3.Bucket("attachments", Store(status=403), None, None).size("a")
