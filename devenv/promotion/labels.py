"""What marks an object as one that a promotion made."""

PROJECT = "devenv/project"
RECORD = "devenv/record"
# On workloads, so that an admission policy can ask for them (k8s/policies).
RECEIPT_ANNOTATION, RELEASE_ANNOTATION = "devenv/receipt", "devenv/release"
