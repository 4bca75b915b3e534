"""The user's model behind Flask, as SageMaker's own images have it: gunicorn flask_user_model:app."""

from flask import Flask, Response, request
from user_model import Model

app = Flask(__name__)
model = Model()


@app.get("/ping")
def ping():
    return ""


@app.post("/<path:path>")
def invoke(path):
    return Response(model.answer(request.get_data(as_text=True)), mimetype="application/json")
