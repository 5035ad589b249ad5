"""What is said of an image: how it was built and how it was tested, in the forms of SLSA and in-toto.

Sources: slsa.dev/spec/v1.0/provenance; in-toto/attestation, spec/predicates/test-result.md; GitHub's default variables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devenv import __version__
from devenv.receipts import Receipt

BUILD_TYPE = "urn:devenv:bake:1"
LAPTOP = "urn:devenv:laptop"


def provenance(service: str, commit: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The predicate of SLSA provenance 1.0 for a service's image, built where `environment` is."""
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    in_ci = environment.get("GITHUB_ACTIONS") == "true"
    source = f"{server}/{repository}" if in_ci else ""
    run = f"{source}/actions/runs/{environment.get('GITHUB_RUN_ID', '')}"
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"service": service, **({"ref": environment["GITHUB_REF"]} if in_ci else {})},
            "internalParameters": {"devenv": __version__},
            "resolvedDependencies": [
                {**({"uri": f"git+{source}"} if source else {}), "digest": {"gitCommit": commit}},
            ],
        },
        "runDetails": {
            "builder": {"id": f"{server}/{environment['GITHUB_WORKFLOW_REF']}" if in_ci else LAPTOP},
            "metadata": {"invocationId": run} if in_ci else {},
        },
    }


def outcome_of_tests(receipt: Receipt) -> dict[str, Any]:
    """The predicate of in-toto's test result, with the whole receipt in it."""
    return {
        "result": "FAILED" if any(suite.shortfall for suite in receipt.suites) else "PASSED",
        "configuration": [{"digest": {"gitCommit": receipt.commit}}],
        "passedTests": [suite.name for suite in receipt.suites if not suite.shortfall],
        "failedTests": [suite.name for suite in receipt.suites if suite.shortfall],
        "receipt": json.loads(receipt.to_json()),
    }
