"""A rehearsal: a promotion, by the very same steps, to a throw-away cluster of this machine with a mocked AWS."""
