"""Where the platform runs: `compose` on this machine's engine; `kind` on a local cluster."""
