"""A model as a service of BentoML: bentoml serve bentoml_app:RowModel; row_model.py says which.

An API that is a coroutine is called on the event loop, without a thread for each call; a worker per core.
"""

import bentoml
import row_model


@bentoml.service(workers=2, traffic={"timeout": 60}, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class RowModel:
    def __init__(self):
        self.model = row_model.load()

    @bentoml.api(route="/invocations")
    async def invoke(self, row: str) -> dict:
        return self.model.answer(row)
