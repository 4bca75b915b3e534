"""A plugin of the aws CLI (named in its configuration file): checks every answer that it gets; a violation ends it with 255."""

from harness.model_check import Watch


def awscli_initialize(event_handlers):
    event_handlers.register("before-parse", Watch())
