"""A cluster as devenv sees it: through `kubectl`, one context, and what its pods say."""
