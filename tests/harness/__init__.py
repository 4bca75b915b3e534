"""What the suites share: the built program under test, its processes, the clients, and the check of every answer."""
