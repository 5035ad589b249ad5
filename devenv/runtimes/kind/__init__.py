"""The platform on a kind cluster: one cluster and one registry per checkout, on 127.0.0.1."""
