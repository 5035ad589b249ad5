"""GitHub's workflows of this repository, read and run without GitHub."""
