"""Whether Compose and Kubernetes still describe the same platform.

Each side is read into the same plain shape (`facts`), and the shapes are compared. Nothing is started and no cluster
is asked: Compose's own `config` and kustomize's rendering are the inputs.
"""
