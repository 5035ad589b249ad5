"""What the platform keeps in its backends: topics, buckets and indexes.

Within what MongoDB, DocumentDB and FerretDB 1.24 share, which is less than it looks. FerretDB answers from an index
only where the filter is `{"_id": text}` alone, so what is looked up often is looked up by `_id`. Its
`find_one_and_update` need not be atomic, so only the uniqueness of `_id` may decide between two writers. And of several
sums in one `$group` it computes one.
"""

from __future__ import annotations

from servicekit.events import MESSAGE_CREATED

# Topic -> partitions. More partitions than replicas of any consumer; fewer cost less at start.
TOPICS = {MESSAGE_CREATED: 6}

ATTACHMENTS = "attachments"
INVOICES = "invoices"
BUCKETS = (ATTACHMENTS, INVOICES)

# Collection -> indexes beside the one on `_id`.
INDEXES: dict[str, list[list[tuple[str, int]]]] = {
    "api_keys": [[("tenant_id", 1), ("name", 1)]],
    "conversations": [[("tenant_id", 1), ("_id", -1)]],
    "invoices": [[("tenant_id", 1), ("month", -1)]],
    "messages": [[("conversation_id", 1), ("position", 1)], [("unpublished_since", 1)]],
    "usage_events": [[("tenant_id", 1), ("month", 1)]],
}
