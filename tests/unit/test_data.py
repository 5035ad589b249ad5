import pytest

from devenv.errors import DevenvError
from devenv.images.resolve import Resolved
from devenv.model import Model
from devenv.project import find
from devenv.runtimes.data import check_data, product_of, remember_data
from tests.unit.fakes import FakeEngine

STAND_IN = Resolved("mongo:8.0", "localhost/devenv/mongodb:1", "built", product="FerretDB", exact=False,
                    same_product=False)
ORIGINAL = Resolved("mongo:8.0", "mongo:8.0", "pulled")
MODEL = Model({"services": {"db": {"image": "mongo:8.0", "volumes": [{"type": "volume", "source": "d"}]}},
               "volumes": {"d": {"name": "p_d"}}})


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / ".devenv").mkdir()
    return find(tmp_path)


def engine(*volumes):
    return FakeEngine({"/volumes": {"Volumes": [{"Name": name} for name in volumes]}})


def test_data_of_a_stand_in_is_not_opened_by_the_original(project):
    remember_data(project, engine("p_d"), MODEL, ["db"], {"mongo:8.0": STAND_IN})
    check_data(project, engine("p_d"), MODEL, ["db"], {"mongo:8.0": STAND_IN})
    with pytest.raises(DevenvError, match="written by FerretDB, and the image is now mongo"):
        check_data(project, engine("p_d"), MODEL, ["db"], {"mongo:8.0": ORIGINAL})


def test_deleted_data_is_nobodys(project):
    remember_data(project, engine("p_d"), MODEL, ["db"], {"mongo:8.0": STAND_IN})
    check_data(project, engine(), MODEL, ["db"], {"mongo:8.0": ORIGINAL})
    remember_data(project, engine("other"), MODEL, ["db"], {"mongo:8.0": ORIGINAL})
    check_data(project, engine("p_d"), MODEL, ["db"], {"mongo:8.0": ORIGINAL})


def test_the_same_product_built_or_pulled_reads_the_same_data():
    built = Resolved("apache/kafka:4.1.1", "localhost/devenv/kafka:4.1.1", "built", product="Apache Kafka 4.1.1")
    assert product_of(built) == product_of(Resolved("apache/kafka:4.1.1", "apache/kafka:4.1.1", "pulled")) == "kafka"
