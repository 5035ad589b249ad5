"""What this machine must have, how to see whether it does, and how to get it."""
