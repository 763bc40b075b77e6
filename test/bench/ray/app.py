"""The peer of the benchmarks `ray` and `ray-scale`: a no-op, Silero VAD and PP-OCR's detection on Ray Serve, FastAPI and
onnxruntime.

A gate reads and checks requests and their tokens and hands them to deployments, of which those with models are
multiplexed: Ray refuses multiplexing at the ingress in its fast modes. `build` makes the application for a cluster that
is there already. As a program it starts Ray itself: it reads one line of JSON, says `ready` when it answers, and ends
with its standard input.
"""

import json
import sys
from functools import lru_cache
from typing import Annotated

import jwt
import numpy
import onnxruntime
import ray
from fastapi import FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, Field
from ray import serve
from ray.serve.handle import DeploymentHandle

WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
PICTURE_SHAPE = (1, 3, 160, 160)
PICTURE_BYTES = 4 * 3 * 160 * 160
# Of its own accord Ray lets a replica have 5, which halves what it does.
MAX_ONGOING_REQUESTS = 100

app = FastAPI()


class Sound(BaseModel):
    audio: Annotated[list[float], Field(min_length=WINDOW_SAMPLES, max_length=16_000)]


class Speech(BaseModel):
    probability: float


class Message(BaseModel):
    message: str


@serve.deployment(max_ongoing_requests=MAX_ONGOING_REQUESTS)
class NoopDeployment:
    async def answer(self, message: str) -> dict:
        return {"message": message}


def open_session(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


@serve.deployment(max_ongoing_requests=MAX_ONGOING_REQUESTS)
class VadDeployment:
    def __init__(self, models: dict[str, str]):
        self.models = models

    @serve.multiplexed(max_num_models_per_replica=3)
    async def load(self, model_id: str) -> onnxruntime.InferenceSession:
        return open_session(self.models[model_id])

    async def answer(self, audio: list[float]) -> dict:
        session = await self.load(serve.get_multiplexed_model_id())
        return await self.infer((session, audio))

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.002)
    async def infer(self, inputs: list) -> list[dict]:
        # All requests of this benchmark are for one model.
        session = inputs[0][0]
        sound = numpy.zeros((len(inputs), CONTEXT_SAMPLES + WINDOW_SAMPLES), numpy.float32)
        for row, (_, audio) in enumerate(inputs):
            sound[row, CONTEXT_SAMPLES:] = audio[:WINDOW_SAMPLES]
        state = numpy.zeros((2, len(inputs), 128), numpy.float32)
        feeds = {"input": sound, "state": state, "sr": numpy.array(16_000, numpy.int64)}
        (output,) = session.run(["output"], feeds)
        return [{"probability": float(row[0])} for row in output]


@serve.deployment(max_ongoing_requests=MAX_ONGOING_REQUESTS)
class DetectionDeployment:
    def __init__(self, models: dict[str, str]):
        self.models = models

    @serve.multiplexed(max_num_models_per_replica=3)
    async def load(self, model_id: str) -> onnxruntime.InferenceSession:
        return open_session(self.models[model_id])

    async def answer(self, picture: bytes) -> bytes:
        session = await self.load(serve.get_multiplexed_model_id())
        feeds = {"x": numpy.frombuffer(picture, numpy.float32).reshape(PICTURE_SHAPE)}
        (output,) = session.run(["sigmoid_0.tmp_0"], feeds)
        return output.tobytes()


@serve.deployment(max_ongoing_requests=MAX_ONGOING_REQUESTS)
@serve.ingress(app)
class Gate:
    def __init__(self, handles: dict[str, DeploymentHandle], secret: str):
        self.handles = handles

        @lru_cache(maxsize=10_000)
        def model_of(token: str) -> str:
            return jwt.decode(token, secret, algorithms=["HS256"])["model"]

        self.model_of = model_of

    def handle(self, name: str, authorization: str) -> DeploymentHandle:
        try:
            model = self.model_of(authorization.removeprefix("Bearer "))
        except jwt.InvalidTokenError as error:
            raise HTTPException(401) from error
        return self.handles[name].options(multiplexed_model_id=model)

    @app.post("/noop")
    async def noop(self, message: Message) -> Message:
        return await self.handles["noop"].answer.remote(message.message)

    @app.post("/vad")
    async def vad(self, sound: Sound, authorization: Annotated[str, Header()]) -> Speech:
        return await self.handle("vad", authorization).answer.remote(sound.audio)

    @app.post("/detection-tensor")
    async def detection(self, request: Request, authorization: Annotated[str, Header()]) -> Response:
        picture = await request.body()
        if len(picture) != PICTURE_BYTES:
            raise HTTPException(422)
        answer = await self.handle("detection", authorization).answer.remote(picture)
        return Response(answer, media_type="application/octet-stream")


def build(settings: dict) -> serve.Application:
    replicas = settings["replicas"]
    models = settings["models"]
    handles = {"noop": NoopDeployment.options(num_replicas=replicas).bind()}
    for name, deployment in (("vad", VadDeployment), ("detection", DetectionDeployment)):
        if name in models:
            handles[name] = deployment.options(num_replicas=replicas).bind(models)
    return Gate.options(num_replicas=settings["gates"]).bind(handles, settings["secret"])


def main() -> None:
    settings = json.loads(sys.stdin.readline())
    ray.init(
        # Deployments ask for whole cores that they do not use: more of them than there are.
        num_cpus=16,
        include_dashboard=False,
        object_store_memory=200_000_000,
        _temp_dir=settings["folder"],
        log_to_driver=False,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": settings["port"]})
    serve.run(build(settings), name="bench")
    print("ready", flush=True)
    sys.stdin.read()
    ray.shutdown()


if __name__ == "__main__":
    main()
