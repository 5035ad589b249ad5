"""Serve edits at once, from inside the container, with the image as it is.

Standard library only, for Python 3.9 and later: this directory is mounted into users' images and run as

    python /opt/devenv/reload --kind asgi --source DIR [--source DIR...] -- uvicorn package.module:app ...

The parent holds the listeners and has the third-party modules imported; it runs none of the sources' code.
For each edit it forks a child that imports the sources and serves (`child`, `serving`). Once that one is up,
the child before it stops accepting, passes its waiting connections on, finishes what it has begun, and runs
its lifespan's shutdown (`handover`, `traffic`). Code that does not start never gets a request.
"""
