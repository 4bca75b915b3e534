"""A model behind Flask, as SageMaker's own images have it: gunicorn flask_app:app.

row_model.py says which; or SKLEARN_MODEL: a scikit-learn pipeline instead, behind pandas, as most people write it.
"""

import io
import os

from flask import Flask, jsonify, request

app = Flask(__name__)

if "SKLEARN_MODEL" in os.environ:
    import joblib
    import pandas

    pipeline = joblib.load(os.environ["SKLEARN_MODEL"])

    def answer(text):
        chance = pipeline.predict_proba(pandas.read_csv(io.StringIO(text), header=None))[0, 1]
        return {"predictions": [{"score": float(chance), "predicted_label": "attack" if chance > 0.5 else "normal."}]}

else:
    import row_model

    answer = row_model.load().answer


@app.get("/ping")
def ping():
    return ""


@app.post("/<path:path>")
def invoke(path):
    return jsonify(answer(request.get_data(as_text=True)))
