"""isoplex on Ray Serve.

`build` makes an application of two deployments. The gate takes requests off Ray's proxy, asks an isoplex of its own,
which holds no models, for the key of the model that a request needs, and calls a replica by that key; it never reads a
token itself. A replica supervises one isoplex, which does everything else. Both speak HTTP/1.1 to their isoplex over a
unix socket. `KeyRouter` sends requests with equal keys to the same replica.

It needs the standard library and Ray only, and lies in the folder of a self-contained build.
"""

import asyncio
import collections
import hashlib
import hmac
import inspect
import itertools
import json
import logging
import math
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
import weakref
from urllib.parse import quote

import ray
from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.config import RequestRouterConfig
from ray.serve.exceptions import BackPressureError
from ray.serve.request_router import RequestRouter

log = logging.getLogger("ray.serve")

REPLICA = "IsoplexReplica"
GATE = "IsoplexGate"
# Keys with this prefix name a replica in place of a model. No model key has a colon: it stands percent-encoded there.
REPLICA_PREFIX = "replica:"
START_SECONDS = 60
# A request waits so long for an isoplex that has died to be there again.
RESTART_SECONDS = 20
STREAM_CLAIM_SECONDS = 15
TRIES = 4
# As long as isoplex keeps a model that nobody uses.
KEY_IDLE_SECONDS = 300
KEY_BUSY_SECONDS = 10
# What a replica may have more to do than the next while a second copy of a model costs nothing but its load.
FEW_REQUESTS = 2
FEW_KEYS = 256
HIGH_WATER_BYTES = 1 << 18
# As many as isoplex asks for.
NODE_KEY_BYTES = 32


# ------------------------------------------------------------------------------------------------ routing


class KeyRouter(RequestRouter):
    """Sends requests of one model key to one replica, by rendezvous hashing with bounded loads (Mirrokni, Thorup and
    Zadimoghaddam, 2018): gates agree without asking each other, a replica that comes or goes moves its own share of the
    keys only, and no replica gets more than its share of few keys, which would be more models than it may hold. A key
    whose replica is full, or has so much more to do than the next that a second copy of the model is worth its load,
    spreads to the next in its order.

    It takes the place of Ray's own machinery of tasks by one loop for each request, which ends with the request: there
    is nothing for two requests to wait for in each other."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        routers().add(self)

    def initialize_state(self, max_models=0, **_):
        self._max_models = max_models
        # The keys asked for lately, the oldest first, with their times; and where each is at home.
        self._seen = collections.OrderedDict()
        self._homes = {}
        self._known_ids = frozenset()

    async def choose_replicas(self, candidate_replicas, pending_request=None):
        key = pending_request.metadata.multiplexed_model_id if pending_request else ""
        return [[replica] for replica in rank(key, candidate_replicas)]

    async def _choose_replica_for_request(self, pending_request, *, is_retry=False):
        tries = getattr(pending_request, "isoplex_tries", -1) + 1
        pending_request.isoplex_tries = tries
        if tries > 0:
            await asyncio.sleep(pause_seconds(tries))
        key = pending_request.metadata.multiplexed_model_id
        waits = 0
        while True:
            replica = self._pick(key, tries)
            if replica is not None:
                return replica
            waits += 1
            await asyncio.sleep(pause_seconds(waits))
            if waits % 8 == 0:
                # What is known of the replicas may be out of date: one that is full refuses, and tells how full it is.
                tries += 1

    def _pick(self, key, tries):
        replicas = list(self.curr_replicas.values())
        if key.startswith(REPLICA_PREFIX):
            wanted = key[len(REPLICA_PREFIX) :]
            found = [replica for replica in replicas if replica.replica_id.unique_id == wanted]
            # Where it has gone, any other can say that it has not what is asked for.
            return found[0] if found else next(iter(replicas), None)
        if tries > 0 and replicas:
            return rank(key, replicas)[tries % len(replicas)] if key else random.choice(replicas)
        free = [replica for replica in replicas if self._load(replica) < replica.max_ongoing_requests]
        if not free:
            return None
        if not key:
            return min(free, key=lambda replica: (self._load(replica), random.random()))
        home = self._home(key, replicas)
        first, *others = sorted(rank(key, free), key=lambda replica: replica.replica_id.unique_id != home)
        margin = FEW_REQUESTS if self._fit_anywhere() else max(4, first.max_ongoing_requests // 2)
        if others and self._load(first) - self._load(others[0]) > margin:
            return others[0]
        return first

    def _fit_anywhere(self):
        """Whether a replica may hold the models of all keys that are in use, so that a second copy drives none out."""
        since = time.monotonic() - KEY_BUSY_SECONDS
        times = itertools.islice(reversed(self._seen.values()), self._max_models, None)
        return next(times, -math.inf) < since

    def _home(self, key, replicas):
        """The id of the replica that a key is at home at."""
        now = time.monotonic()
        changed = key not in self._seen
        self._seen[key] = now
        self._seen.move_to_end(key)
        while now - next(iter(self._seen.values())) > KEY_IDLE_SECONDS:
            self._seen.popitem(last=False)
            changed = True
        ids = frozenset(replica.replica_id.unique_id for replica in replicas)
        if changed or ids != self._known_ids:
            self._known_ids = ids
            self._homes = homes_of(self._seen, replicas)
        return self._homes.get(key)

    def _load(self, replica):
        return self.replica_queue_len_cache.get(replica.replica_id) or 0


def rank(key, replicas):
    """The replicas in the order in which a key prefers them."""

    def weight(replica):
        text = f"{key}\n{replica.replica_id.unique_id}".encode()
        return hashlib.blake2b(text, digest_size=8).digest()

    return sorted(replicas, key=weight, reverse=True) if key else list(replicas)


def homes_of(keys, replicas):
    """By key, the id of the replica that it is at home at, none with more than a quarter above its equal share. The same
    for the same keys and replicas. Many keys spread evenly by themselves: for them there is no entry."""
    if len(keys) > FEW_KEYS:
        return {}
    share = math.ceil(1.25 * len(keys) / len(replicas))
    counts = collections.Counter()
    homes = {}
    for key in sorted(keys):
        for replica in rank(key, replicas):
            name = replica.replica_id.unique_id
            if counts[name] < share:
                counts[name] += 1
                homes[key] = name
                break
    return homes


def pause_seconds(tries):
    return min(0.01 * 2 ** min(tries, 8), 0.2)


def routers():
    """The routers of this process, which know its replicas and what these tell of themselves. Ray hands classes over by
    value, each with globals of its own: what all have in common is Ray itself."""
    return serve.__dict__.setdefault("isoplex_routers", weakref.WeakSet())


def router_fits():
    """Whether this version of Ray has what KeyRouter builds on, some of which is private to Ray."""
    choose = getattr(RequestRouter, "_choose_replica_for_request", None)
    needed = ("curr_replicas", "replica_queue_len_cache", "on_send_request", "on_new_queue_len_info")
    return (
        inspect.iscoroutinefunction(choose)
        and list(inspect.signature(choose).parameters) == ["self", "pending_request", "is_retry"]
        and all(hasattr(RequestRouter, name) for name in needed)
    )


# ------------------------------------------------------------------------------------------------ HTTP to isoplex


class Broken(Exception):
    """The connection ended before the reply did."""


class Reply:
    """Of a reply with `body` None the rest is still to come, by `chunks`."""

    __slots__ = ("status", "headers", "body", "connection")

    def __init__(self, status, headers, body, connection):
        self.status = status
        self.headers = headers
        self.body = body
        self.connection = connection


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, owner):
        self.owner = owner
        self.transport = None
        self.used_at = 0.0
        self._buffer = b""
        self._reply = None
        self._headless = False
        self._head = None
        self._left = None
        self._parts = []
        self._keep = True
        self._stream = None
        self._stream_bytes = 0
        self._stream_event = None
        self._over = False

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.transport = None
        self.owner.forget(self)
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Broken("isoplex closed the connection"))
        if self._stream is not None and not self._over:
            self._push(Broken("isoplex broke its answer off"))

    async def request(self, head, body, method):
        self._headless = method == b"HEAD"
        self._reply = asyncio.get_running_loop().create_future()
        if self.transport is None:
            raise Broken("isoplex closed the connection")
        self.transport.write(head + body if len(body) < HIGH_WATER_BYTES else head)
        if len(body) >= HIGH_WATER_BYTES:
            self.transport.write(body)
        try:
            return await self._reply
        except asyncio.CancelledError:
            # That is how isoplex hears that nobody waits any more.
            self.close()
            raise

    def data_received(self, data):
        try:
            self._take(data)
        except (ValueError, IndexError):
            self.close()

    def _take(self, data):
        if self._head is None:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            data = self._buffer[end + 4 :]
            self._begin(self._buffer[:end])
            self._buffer = b""
        if self._stream is not None:
            self._unchunk(data)
        elif self._left is not None:
            self._parts.append(data)
            self._left -= len(data)
            if self._left <= 0:
                self._finish_whole()

    def _begin(self, text):
        first, *lines = text.split(b"\r\n")
        status = int(first.split(b" ", 2)[1])
        headers = []
        length = 0
        chunked = False
        for line in lines:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip()
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = b"chunked" in value.lower()
                continue
            elif name == b"connection":
                self._keep = value.lower() != b"close"
                continue
            elif name in HOP_HEADERS:
                continue
            headers.append((name, value))
        self._head = (status, headers)
        if self._headless or status in (204, 304):
            self._left = 0
        elif chunked:
            self._stream = collections.deque()
            self._stream_event = asyncio.Event()
            self._reply.set_result(Reply(status, headers, None, self))
        else:
            self._left = length

    def _finish_whole(self):
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        status, headers = self._head
        if not self._reply.done():
            self._reply.set_result(Reply(status, headers, body, None))
        self._rest()

    def _unchunk(self, data):
        self._buffer += data
        while not self._over:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                return
            size = int(self._buffer[:end].split(b";")[0], 16)
            if len(self._buffer) < end + 4 + size:
                return
            if size == 0:
                self._over = True
                self._push(None)
                return
            self._push(self._buffer[end + 2 : end + 2 + size])
            self._buffer = self._buffer[end + 4 + size :]

    def _push(self, item):
        self._stream.append(item)
        self._stream_bytes += len(item) if isinstance(item, bytes) else 0
        if self._stream_bytes > HIGH_WATER_BYTES and self.transport is not None:
            self.transport.pause_reading()
        self._stream_event.set()

    async def chunks(self):
        """What is still to come of the answer. Whoever stops listening ends it."""
        whole = False
        try:
            while True:
                while not self._stream:
                    self._stream_event.clear()
                    await self._stream_event.wait()
                items, self._stream = self._stream, collections.deque()
                self._stream_bytes = 0
                if self.transport is not None:
                    self.transport.resume_reading()
                ended = items and not isinstance(items[-1], bytes)
                last = items.pop() if ended else None
                if items:
                    yield b"".join(items)
                if isinstance(last, Broken):
                    raise last
                if ended:
                    whole = True
                    self._rest()
                    return
        finally:
            if not whole:
                self.close()

    def _rest(self):
        """Ready for the next request."""
        self._head = self._left = self._stream = None
        self._buffer = b""
        self._parts = []
        self._over = False
        self.used_at = time.monotonic()
        if self._keep and self.transport is not None:
            self.owner.idle.append(self)
        else:
            self.close()

    def close(self):
        if self.transport is not None:
            self.transport.abort()


HOP_HEADERS = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"te", b"trailer", b"upgrade", b"expect")
)
# What the gate's isoplex needs of a request to tell its key: the token, the choice of a version, and the origin.
KEY_HEADERS = frozenset(
    (
        b"authorization",
        b"serve_multiplexed_model_id",
        b"serve-multiplexed-model-id",
        b"x-sticky-key",
        b"x-request-id",
        b"origin",
        b"access-control-request-method",
        b"access-control-request-headers",
    )
)


class Client:
    """HTTP over the unix socket of an isoplex."""

    # isoplex closes a connection on which nothing moves after a while.
    idle_seconds = 5.0

    def __init__(self, path):
        self.path = path
        self.idle = []

    def forget(self, connection):
        if connection in self.idle:
            self.idle.remove(connection)

    async def request(self, head, body, method, fresh=False):
        connection = None if fresh else self._take()
        if connection is None:
            loop = asyncio.get_running_loop()
            try:
                _, connection = await loop.create_unix_connection(lambda: Connection(self), self.path)
            except OSError as error:
                raise NotSent(str(error)) from error
        return await connection.request(head, body, method)

    def _take(self):
        while self.idle:
            connection = self.idle.pop()
            if connection.transport is not None and time.monotonic() - connection.used_at < self.idle_seconds:
                return connection
            connection.close()
        return None


class NotSent(Broken):
    """There was nobody to send the request to."""


def head_of(method, path, headers, length):
    """A request as it goes over the wire, less its body."""
    lines = [b"%b %b HTTP/1.1\r\n" % (method, path)]
    for name, value in headers:
        if name not in HOP_HEADERS and name != b"content-length":
            lines.append(b"%b: %b\r\n" % (name, value))
    if length > 0 or method not in (b"GET", b"HEAD", b"OPTIONS"):
        lines.append(b"content-length: %d\r\n" % length)
    lines.append(b"\r\n")
    return b"".join(lines)


# ------------------------------------------------------------------------------------------------ supervision


TOKEN = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){2,4}")


class Isoplex:
    """One isoplex process: started, watched, started again when it dies, and taken down."""

    def __init__(self, settings, replicas):
        self._settings = settings
        self._replicas = replicas
        self._loop = asyncio.get_running_loop()
        # The path of a socket must be short, and nobody else may open it.
        self._folder = tempfile.mkdtemp(prefix="isoplex-")
        self._tail = collections.deque(maxlen=40)
        self._process = None
        self._ready = asyncio.Event()
        self._stopping = False
        self._deaths = collections.deque(maxlen=6)
        self._started = None
        self.client = Client(os.path.join(self._folder, "http.sock"))
        # What it said when it began to listen.
        self.listening = {}

    async def start(self):
        """Returns when it answers, and raises with the end of its log where it does not."""
        self._started = self._loop.create_future()
        try:
            assert_key(self._settings, environment_of(self._settings, self._replicas))
            self._spawn()
            await asyncio.wait_for(asyncio.shield(self._started), START_SECONDS)
            await self._until_ready()
        except BaseException as error:
            await self.stop(0)
            if isinstance(error, asyncio.TimeoutError):
                raise RuntimeError(f"isoplex was not ready within {START_SECONDS} s; {self._end_of_log()}") from None
            raise
        self._ready.set()

    async def _until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        head = head_of(b"GET", b"/readyz", [(b"host", b"localhost")], 0)
        while True:
            try:
                if (await self.client.request(head, b"", b"GET")).status == 200:
                    return
            except Broken:
                if self._process.poll() is not None:
                    raise RuntimeError(f"isoplex ended before it was ready; {self._end_of_log()}") from None
            if time.monotonic() > deadline:
                raise RuntimeError(f"isoplex was not ready within {START_SECONDS} s; {self._end_of_log()}")
            await asyncio.sleep(0.02)

    def _spawn(self):
        settings = self._settings
        folder = folder_of(settings)
        main = os.path.join(folder, "node_modules", "isoplex", "runtime", "cli", "main.ts")
        command = settings.get("command") or [bun_of(folder), main]
        guard = shutil.which("setpriv")
        words = [
            *([guard, "--pdeathsig", "KILL", "--"] if guard else []),
            *command,
            *("serve", "--supervised", "--json", "--build", folder, "--replicas", str(self._replicas)),
            *("--socket", self.client.path, *settings.get("flags", [])),
        ]
        # From the thread of this loop, since the kernel tells a child of the death of the thread that started it.
        self._process = process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **environment_of(settings, self._replicas)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        reset_niceness(process.pid)
        readers = [
            threading.Thread(target=self._read, args=(stream, heard), daemon=True)
            for stream, heard in ((process.stdout, self._hear), (process.stderr, self._note))
        ]
        for thread in readers:
            thread.start()
        threading.Thread(target=self._watch, args=(process, readers), daemon=True).start()

    def _read(self, stream, heard):
        for line in stream:
            heard(line.decode(errors="replace").rstrip())

    def _hear(self, line):
        try:
            event = json.loads(line)
        except ValueError:
            return self._note(line)
        if event.get("event") == "listening":
            self.listening = event
            self._loop.call_soon_threadsafe(self._listens)

    def _note(self, line):
        text = TOKEN.sub("[token]", line)
        self._tail.append(text)
        log.info("isoplex: %s", text)

    def _watch(self, process, readers):
        process.wait()
        # Its last words come before the news of its end.
        for thread in readers:
            thread.join(1)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended, process)

    def _listens(self):
        if not self._started.done():
            self._started.set_result(None)
        elif not self._ready.is_set() and not self._stopping:
            self._loop.create_task(self._come_back())

    async def _come_back(self):
        try:
            await self._until_ready()
        except RuntimeError as error:
            log.warning("%s", error)
            return
        self._ready.set()

    def _ended(self, process):
        if process is not self._process or self._stopping:
            return
        if not self._started.done():
            code = process.returncode
            error = RuntimeError(f"isoplex ended with {code} before it was ready; {self._end_of_log()}")
            self._started.set_exception(error)
            return
        self._ready.clear()
        now = time.monotonic()
        self._deaths.append(now)
        recent = sum(1 for death in self._deaths if now - death < 10)
        log.error("isoplex ended with %s; it is started again", process.returncode)
        self._loop.call_later(0 if recent < 3 else 0.5 * recent, self._again)

    def _again(self):
        if not self._stopping:
            self._spawn()

    def check(self):
        """Raises where a fresh replica is the better choice: it dies again and again, or does not come back."""
        now = time.monotonic()
        deaths = len(self._deaths)
        if deaths == self._deaths.maxlen and now - self._deaths[0] < 60:
            raise RuntimeError(f"isoplex died {deaths} times within a minute; {self._end_of_log()}")
        if not self._ready.is_set() and deaths and now - self._deaths[-1] > START_SECONDS:
            raise RuntimeError(f"isoplex did not come back; {self._end_of_log()}")

    async def send(self, head, body, method, idempotent):
        """The reply to a request. It is sent again after a death where that does no harm."""
        for attempt in range(TRIES):
            if not self._ready.is_set():
                try:
                    await asyncio.wait_for(self._ready.wait(), RESTART_SECONDS)
                except asyncio.TimeoutError:
                    break
            try:
                # On a connection that was used before, a request and the end of the connection may cross.
                return await self.client.request(head, body, method, fresh=attempt > 0 or not idempotent)
            except NotSent:
                await asyncio.sleep(0.02 * (attempt + 1))
            except Broken:
                if not idempotent:
                    return crashed("It is not to be run twice.")
                await asyncio.sleep(0.02 * (attempt + 1))
        return crashed(f"It was tried {TRIES} times.")

    async def stop(self, seconds):
        """Lets it finish what it has, and ends it after the time given, with all that it has started."""
        self._stopping = True
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + seconds
            while process.poll() is None and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
        if process is not None:
            end_group(process.pid)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_of_log(self):
        return "the end of its log:\n" + "\n".join(self._tail)


def folder_of(settings):
    return settings.get("folder") or os.path.dirname(os.path.abspath(__file__))


def assert_key(settings, environment):
    """Without the key of the project isoplex would make one of its own, another on each machine, and refuse all tokens."""
    state = environment["ISOPLEX_STATE_DIRECTORY"]
    if os.path.exists(os.path.join(state, "key")):
        return
    folder = folder_of(settings)
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        needed = any(function["access"] == "token" for function in json.load(file)["functions"])
    with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
        configured = json.load(file).get("isoplex", {})
    others = ("tokenIssuers", "backendUrl")
    variables = ("ISOPLEX_TOKEN_ISSUERS", "ISOPLEX_BACKEND_URL")
    if needed and not any(configured.get(name) for name in others) and not any(map(environment.get, variables)):
        raise RuntimeError(
            f"{state} has no key: put the project's .isoplex/key there, or name the folder that has it by --cluster-state"
        )


def bun_of(folder):
    own = os.path.join(folder, "node_modules", "bun", "bin", "bun.exe")
    if not os.path.exists(own):
        return "bun"
    if not os.access(own, os.X_OK):
        # An archive does not keep that.
        os.chmod(own, 0o755)
    return own


def environment_of(settings, replicas):
    given = dict(settings.get("environment", {}))
    if "ISOPLEX_STATE_DIRECTORY" not in given:
        # It would be kept in the folder of the build, which may not be for writing.
        given["ISOPLEX_STATE_DIRECTORY"] = os.path.join(own_folder(), re.sub(r"[^\w.@-]", "_", settings["name"]))
    own = {"ISOPLEX_ROUTE_PREFIX": settings.get("routePrefix") or "/"}
    if replicas > 0 and settings.get("maxModelsPerReplica"):
        own["ISOPLEX_MAX_MODELS_PER_REPLICA"] = str(settings["maxModelsPerReplica"])
    if replicas == 0:
        own["ISOPLEX_MAX_CONCURRENT_JOBS"] = "0"
    return {**given, **own}


def own_folder():
    """A folder for keys and models, which nobody else can put anything into."""
    path = os.path.join(tempfile.gettempdir(), f"isoplex-{os.getuid()}")
    os.makedirs(path, mode=0o700, exist_ok=True)
    facts = os.lstat(path)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise RuntimeError(f"others can write to {path}: remove it, or name another folder by --cluster-state")
    return path


def reset_niceness(pid):
    """Ray's workers give way to everything else by 15 unasked, and their children would too."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, 0)
    except PermissionError:
        log.info("isoplex runs as nice as Ray's workers; start Ray with RAY_worker_niceness=0 for full speed")
    except ProcessLookupError:
        pass


def end_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def node_of(listening):
    """Where gateways reach an isoplex, by what it said when it began to listen; None where they cannot."""
    host, _, port = (listening.get("node") or "").rpartition(":")
    if host in ("0.0.0.0", "[::]"):
        host = ray.util.get_node_ip_address()
        host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if host else None


def node_key_of(settings):
    """The key that gateways share, out of the file that the configuration of the replicas names; None for none."""
    name = {**os.environ, **settings.get("environment", {})}.get("ISOPLEX_NODE_KEY_FILE")
    if not name:
        return None
    with open(os.path.join(folder_of(settings), name), "rb") as file:
        key = file.read().strip()
    if len(key) < NODE_KEY_BYTES:
        raise RuntimeError(f"the key that nodeKeyFile names has fewer than {NODE_KEY_BYTES} bytes")
    return key


def proves_key(proof, key):
    """Whether a proof, `MILLISECONDS.RANDOM.HMAC`, was made with the key, and lately."""
    stamp, _, mac = proof.rpartition(b".")
    expected = hmac.new(key, b"isoplex nodes " + stamp, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(mac, expected):
        return False
    return abs(time.time() - int(stamp.split(b".")[0]) / 1000) < 60


def problem(status, code, title, detail, retry_after=1):
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(data)),
        (b"retry-after", b"%d" % retry_after),
    ]
    return Reply(status, headers, data, None)


def crashed(detail):
    text = f"What worked on this request died. {detail}"
    return problem(503, "REPLICA_CRASHED", "The replica died while it worked on the request", text)


# ------------------------------------------------------------------------------------------------ deployments


class Replica:
    """Runs functions, in an isoplex of its own."""

    async def __init__(self, settings):
        self._streams = {}
        self._count = 0
        self._drain_seconds = settings.get("drainSeconds", 30)
        self._id = serve.get_replica_context().replica_id.unique_id
        cpus = settings.get("resources", {}).get("cpus", 1)
        self._isoplex = Isoplex(settings, max(1, int(cpus)))
        await self._isoplex.start()

    async def call(self, head, body, method, idempotent):
        """Sends a request. What streams is kept for whoever asks this very replica for it."""
        reply = await self._isoplex.send(head, body, method, idempotent)
        if reply.body is not None:
            return reply.status, reply.headers, reply.body, None
        self._count += 1
        name = str(self._count)
        timer = asyncio.get_running_loop().call_later(STREAM_CLAIM_SECONDS, self._abandon, name)
        self._streams[name] = (reply.connection, timer)
        return reply.status, reply.headers, None, (self._id, name)

    async def follow(self, name):
        """The rest of an answer that streams."""
        connection, timer = self._streams.pop(name, (None, None))
        if connection is None:
            raise Broken("the replica that had the answer is gone")
        timer.cancel()
        async for chunk in connection.chunks():
            yield chunk

    async def stream(self, head, body, method, idempotent):
        """Any answer, for whoever cannot ask this very replica twice: first its head, then its body."""
        reply = await self._isoplex.send(head, body, method, idempotent)
        yield reply.status, reply.headers
        if reply.body is not None:
            yield reply.body
        else:
            async for chunk in reply.connection.chunks():
                yield chunk

    def record_routing_stats(self):
        """Where gateways have replicas of their own here, beside Ray's: it reaches the gate with what Ray tells it."""
        node = node_of(self._isoplex.listening)
        return {"node": node} if node else {}

    async def node(self):
        return node_of(self._isoplex.listening)

    def _abandon(self, name):
        connection, _ = self._streams.pop(name, (None, None))
        if connection is not None:
            connection.close()

    async def check_health(self):
        self._isoplex.check()

    async def __del__(self):
        await self._isoplex.stop(self._drain_seconds)


class Gate:
    """Brings requests to replicas."""

    async def __init__(self, replica, settings):
        self._replica = replica
        self._prefix = (settings.get("routePrefix") or "/").rstrip("/").encode()
        self._handles = collections.OrderedDict()
        # Only KeyRouter finds a replica by its name.
        self._asks_twice = router_fits()
        self._node_key = node_key_of(settings)
        self._isoplex = Isoplex(settings, 0)
        await self._isoplex.start()

    def __serve_build_asgi_app__(self):
        # uvicorn takes a method for an application of an older kind.
        async def application(scope, receive, send):
            await self._asgi(scope, receive, send)

        return application

    async def check_health(self):
        self._isoplex.check()

    async def __del__(self):
        await self._isoplex.stop(5)

    async def _asgi(self, scope, receive, send):
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _answer(self, scope, receive, send):
        method = scope["method"].encode()
        path, query = path_of(scope)
        headers = scope["headers"]
        if path == b"/-/nodes":
            await relay(send, await self._nodes(headers))
            return
        if path.startswith(b"/-/") or path in (b"/healthz", b"/readyz", b"/metrics"):
            body = await read_body(receive, 1 << 26)
            if body is None:
                return
            with Following(receive):
                head = head_of(method, path + query, headers, len(body))
                reply = await self._isoplex.send(head, body, method, method in (b"GET", b"HEAD", b"OPTIONS"))
                await relay(send, reply)
            return
        target = self._prefix + path + query
        found = await self._key_of(method, target, headers)
        if isinstance(found, Reply):
            await relay(send, found)
            return
        # One byte more than is allowed is enough for isoplex to refuse it.
        body = await read_body(receive, found["maxBodyBytes"])
        if body is None:
            return
        with Following(receive):
            await self._call(found, head_of(method, target, headers, len(body)), body, method, send)

    async def _nodes(self, headers):
        """Where gateways find the replicas, for those who prove that they have the key."""
        if self._node_key is None:
            return problem(404, "ROUTE_NOT_FOUND", "No such route", "These replicas are no nodes for gateways.")
        if not proves_key(dict(headers).get(b"x-isoplex-proof", b""), self._node_key):
            return problem(401, "TOKEN_INVALID", "The token does not count", "It takes a proof of the shared key.")
        if not routers():
            # Before its first call a handle knows no replicas.
            await self._replica.node.remote()
        replicas = [replica for router in routers() for replica in router.curr_replicas.values()]
        nodes = {(getattr(replica, "routing_stats", None) or {}).get("node") for replica in replicas}
        body = json.dumps({"nodes": sorted(nodes - {None})}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        return Reply(200, headers, body, None)

    async def _key_of(self, method, target, headers):
        asked = [pair for pair in headers if pair[0] in KEY_HEADERS]
        asked.append((b"host", b"localhost"))
        asked.append((b"x-forwarded-method", b"GET" if method == b"HEAD" else method))
        asked.append((b"x-forwarded-uri", target))
        head = head_of(b"POST", b"/-/model-key", asked, 0)
        reply = await self._isoplex.send(head, b"", b"POST", True)
        if reply.status != 200 or reply.body is None:
            return reply
        return json.loads(reply.body)

    async def _call(self, found, head, body, method, send):
        idempotent = found["idempotent"]
        handle = self._handle(found["key"] or "")
        parts = (head, body, method, idempotent)
        for attempt in range(TRIES):
            began = Began(send)
            try:
                if self._asks_twice:
                    return await self._ask(handle, parts, began)
                return await self._stream(handle, parts, began)
            except BackPressureError:
                reply = problem(503, "QUEUE_FULL", "Too many requests wait", "Too many requests wait; try again soon.")
                return await relay(send, reply)
            except RayError as error:
                # Of an answer that has begun the client must see that it ends before its end.
                if began.began:
                    raise
                if not isinstance(error, RayActorError):
                    log.warning("a request failed: %s", type(error).__name__)
                    return await relay(send, crashed("What brings requests to it failed."))
                if not idempotent:
                    return await relay(send, crashed("It is not to be run twice."))
                await asyncio.sleep(pause_seconds(attempt))
        await relay(send, crashed(f"It was tried {TRIES} times."))

    async def _ask(self, handle, parts, send):
        """A whole answer comes in one piece, and one that streams is asked for by a second call."""
        response = handle.call.remote(*parts)
        try:
            status, headers, whole, rest = await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        if whole is not None:
            return await relay(send, Reply(status, headers, whole, None))
        replica, name = rest
        follow = self._handle(REPLICA_PREFIX + replica).options(method_name="follow", stream=True)
        await send(start_of(status, headers))
        await pass_on(send, follow.remote(name))

    async def _stream(self, handle, parts, send):
        chunks = handle.options(method_name="stream", stream=True).remote(*parts)
        status, headers = await chunks.__anext__()
        await send(start_of(status, headers))
        await pass_on(send, chunks)

    def _handle(self, key):
        handle = self._handles.get(key)
        if handle is None:
            handle = self._replica.options(multiplexed_model_id=key)
            self._handles[key] = handle
            if len(self._handles) > 1024:
                self._handles.popitem(last=False)
        return handle


class Began:
    """Sends, and knows whether anything was sent."""

    def __init__(self, send):
        self._send = send
        self.began = False

    async def __call__(self, message):
        self.began = True
        await self._send(message)


class Following:
    """Cancels what goes on in it when the client leaves. Most answers come before it is worth looking."""

    look_after_seconds = 0.05

    def __init__(self, receive):
        self._receive = receive
        self._task = asyncio.current_task()
        self._watch = None

    def __enter__(self):
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.look_after_seconds, self._begin)

    def _begin(self):
        self._watch = asyncio.ensure_future(self._follow())

    async def _follow(self):
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._task.cancel()

    def __exit__(self, *_):
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()


def path_of(scope):
    """The path below the application's own prefix and the query, as they were sent."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    root = quote(scope.get("root_path") or "").encode()
    raw = raw.partition(b"?")[0]
    if root and (raw == root or raw.startswith(root + b"/")):
        raw = raw[len(root) :]
    query = scope.get("query_string") or b""
    return raw or b"/", b"?" + query if query else b""


async def read_body(receive, limit):
    """The body, or a byte more of it than the limit; None where the client left meanwhile."""
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        if part:
            parts.append(part)
            size += len(part)
        if size > limit:
            return b"".join(parts)[: limit + 1]
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


# Ray's proxy sends its own, of which the second is the one that it has given the request.
PROXY_HEADERS = frozenset((b"date", b"server", b"x-request-id"))


def start_of(status, headers):
    shown = [pair for pair in headers if pair[0] not in PROXY_HEADERS]
    return {"type": "http.response.start", "status": status, "headers": shown}


async def relay(send, reply):
    await send(start_of(reply.status, reply.headers))
    if reply.body is None:
        async for chunk in reply.connection.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": reply.body or b"", "more_body": False})


async def pass_on(send, chunks):
    try:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except BaseException:
        chunks.cancel()
        raise
    await send({"type": "http.response.body", "body": b"", "more_body": False})


# ------------------------------------------------------------------------------------------------ application


def build(args):
    """The application of a deployed version; `args` is what the deployment target says of it.

    All is said here and nothing beside the arguments, in `deployments` of the application's configuration: of what
    stands there Ray makes a configuration anew, in its controller, which cannot import `KeyRouter`."""
    resources = args.get("resources", {})
    actor = {"num_cpus": resources.get("cpus", 1), "num_gpus": resources.get("gpus", 0)}
    if resources.get("memoryBytes"):
        actor["memory"] = resources["memoryBytes"]
    if resources.get("custom"):
        actor["resources"] = resources["custom"]
    shared = {
        "health_check_period_s": 2,
        "health_check_timeout_s": 20,
        "graceful_shutdown_wait_loop_s": 0.5,
        # Ray's proxy has a line for each request already.
        "logging_config": {"enable_access_log": False},
    }
    drain_seconds = args.get("drainSeconds", 30)
    replica = serve.deployment(Replica).options(
        name=REPLICA,
        max_ongoing_requests=args.get("maxOngoingRequests", 100),
        max_queued_requests=args.get("maxQueuedRequests", 4096),
        graceful_shutdown_timeout_s=drain_seconds + 30,
        ray_actor_options=actor,
        **shared,
        **scale_of(args.get("replicas", 1)),
        **routing(args.get("maxModelsPerReplica", 3)),
    )
    gate = serve.deployment(serve.ingress()(Gate)).options(
        name=GATE,
        num_replicas=args.get("gates", 1),
        max_ongoing_requests=10_000,
        graceful_shutdown_timeout_s=drain_seconds + 10,
        # It computes next to nothing, and must find a place where replicas have taken all cores.
        ray_actor_options={"num_cpus": 0},
        **shared,
    )
    return gate.bind(replica.bind(args), args)


def scale_of(replicas):
    if isinstance(replicas, int):
        return {"num_replicas": replicas}
    bounds = {"min_replicas": replicas["min"], "max_replicas": replicas["max"]}
    target = {"target_ongoing_requests": replicas.get("targetOngoing", 2)}
    # Left to itself Ray waits for half a minute before it believes in a load.
    return {"autoscaling_config": {**bounds, **target, "upscale_delay_s": 3, "metrics_interval_s": 1, "look_back_period_s": 4}}


# How often replicas tell where they are: a gateway finds a new one about so late.
STATS = {"request_routing_stats_period_s": 1.0, "request_routing_stats_timeout_s": 10.0}


def routing(max_models):
    if not router_fits():
        log.warning("KeyRouter does not fit this version of Ray: its own router places models, and less well")
        return {}
    name, kwargs = f"{__name__}:KeyRouter", {"max_models": max_models}
    return {"request_router_config": RequestRouterConfig(request_router_class=name, request_router_kwargs=kwargs, **STATS)}
