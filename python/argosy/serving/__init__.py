"""The far end of an endpoint whose model is Python: one worker process that holds the user's model.

The server starts workers by itself and speaks frames with them over a socket (frames.py). What a script may define is
in handlers.py; what is done for those that define less, in defaults.py. Standard library only, but for what a model
needs itself.
"""
