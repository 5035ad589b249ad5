"""The platform's front door: keys, rate limits, and the way to the service that answers."""
