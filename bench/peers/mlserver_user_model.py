"""The user's model as a runtime of MLServer, with an endpoint of its own that takes the body as it is."""

from fastapi import Request, Response
from mlserver import MLModel
from mlserver.handlers import custom_handler
from user_model import Model


class UserModel(MLModel):
    async def load(self):
        self.user_model = Model()
        return True

    @custom_handler(rest_path="/invocations")
    async def invoke(self, request: Request) -> Response:
        body = (await request.body()).decode()
        return Response(self.user_model.answer(body), media_type="application/json")
