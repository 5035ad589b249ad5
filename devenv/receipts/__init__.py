"""Receipts: which images were tested, by digest, from which source, with which suites."""

from devenv.receipts.images import images_now, images_of, platform_of, services
from devenv.receipts.manifests import manifest_hash
from devenv.receipts.proof import choose, find, standing
from devenv.receipts.receipt import Backend, Image, Receipt, Signature, Suite
from devenv.receipts.store import load, write
from devenv.receipts.tree import Source, source

__all__ = [
    "Backend", "Image", "Receipt", "Signature", "Source", "Suite", "choose", "find", "images_now", "images_of", "load",
    "manifest_hash", "platform_of", "services", "source", "standing", "write",
]
