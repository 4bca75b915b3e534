"""A model behind FastAPI: uvicorn fastapi_app:app; row_model.py says which."""

import row_model
from fastapi import FastAPI, Request

app = FastAPI()
model = row_model.load()


@app.get("/ping")
async def ping():
    return {}


@app.post("/{path:path}")
async def invoke(path: str, request: Request):
    return model.answer((await request.body()).decode())
