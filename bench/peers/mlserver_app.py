"""A model as a runtime of MLServer, with an endpoint of its own that takes the row as it is; row_model.py says which."""

import json

import row_model
from fastapi import Request, Response
from mlserver import MLModel
from mlserver.handlers import custom_handler


class RowModel(MLModel):
    async def load(self):
        self.row_model = row_model.load()
        return True

    @custom_handler(rest_path="/invocations")
    async def invoke(self, request: Request) -> Response:
        answer = self.row_model.answer((await request.body()).decode())
        return Response(json.dumps(answer), media_type="application/json")
