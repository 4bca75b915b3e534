"""Sessions of boto3 and the SageMaker Python SDK that talk to an Argosy server.

    import argosy

    session = argosy.session()          # finds the server of `argosy up`
    session.boto.client("sagemaker")    # boto3, pointed at it
    session.sagemaker()                 # sagemaker.Session of SDK v2
    session.role, session.bucket        # what estimators ask for

See README.md beside this file.
"""

from argosy._session import NoServerError, Session, session

__all__ = ["NoServerError", "Session", "session"]
