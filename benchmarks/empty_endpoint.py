"""An endpoint that does nothing, served as the prediction server is: what that one is measured against.

``python -m benchmarks.empty_endpoint`` prints where it listens, as JSON.
"""

import json
from typing import Any

import uvicorn
from fastapi import FastAPI

from predictors.server.transport import listen, url_of, uvicorn_config

app = FastAPI(docs_url=None, redoc_url=None)


@app.post("/predict", response_model=None)
async def predict() -> dict[str, Any]:
    """Answer an empty object, whatever was sent."""
    return {}


def main() -> None:
    """Serve until SIGTERM, on any free port of this machine."""
    listening = listen("127.0.0.1", 0)
    print(json.dumps({"url": url_of(listening)}), flush=True)
    uvicorn.Server(uvicorn_config(app)).run(sockets=[listening])


if __name__ == "__main__":
    main()
