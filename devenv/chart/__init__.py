"""The manifests as a Helm chart: the rendered overlay, with holes at known places where values go."""
