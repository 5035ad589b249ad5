"""From the laptop to a cluster and back: exactly the images that a receipt speaks for, or the release before."""
