"""A model as a deployment of Ray Serve: ray_app.py PORT; row_model.py says which.

Two replicas; no dashboard, no access log. What Ray keeps for itself lies in RAY_TMPDIR.
"""

import logging
import signal
import sys
import threading

import ray
import row_model
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=2, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0.5})
class RowModel:
    def __init__(self):
        self.model = row_model.load()

    async def __call__(self, request: Request):
        return self.model.answer((await request.body()).decode())


if __name__ == "__main__":
    ray.init(address="local", include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    serve.start(
        http_options={"host": "127.0.0.1", "port": int(sys.argv[1])},
        logging_config={"enable_access_log": False, "log_level": "ERROR"},
    )
    serve.run(RowModel.bind())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
    ray.shutdown()  # the whole cluster; serve.shutdown() before it takes half a minute
