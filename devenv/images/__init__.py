"""Third-party images: what the project wants, where each comes from, and how one is built from packages."""
