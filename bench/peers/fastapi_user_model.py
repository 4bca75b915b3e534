"""The user's model behind FastAPI: uvicorn fastapi_user_model:app."""

from fastapi import FastAPI, Request, Response
from user_model import Model

app = FastAPI()
model = Model()


@app.get("/ping")
async def ping():
    return {}


@app.post("/{path:path}")
async def invoke(path: str, request: Request):
    return Response(model.answer((await request.body()).decode()), media_type="application/json")
