"""gRPC."""

import queue
import threading

from door import Refused, Subscription
from grpc_api import Client, grpc
from harness import DEADLINE
from proto_dialect import ProtoDoor, message_of

NO_MORE = object()


def refusal_of(error):
    return Refused(error.code().name, error.details())


class StreamSubscription(Subscription):
    """A thread reads the stream."""

    def __init__(self, port, fields):
        self._client = Client(port)
        self._stream = self._client.api.stream("Subscribe", **fields)
        self._arrived = queue.Queue()
        self._ended = False
        self._stream.initial_metadata()  # come when the subscription stands, or with the status of a refusal, which is known
        self._client.api.future("ListNamespaces").result()  # before the answer to a call that was made later
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._stream.is_active() and self._stream.code() is not grpc.StatusCode.OK:
            why = refusal_of(self._stream)
            self._client.close()
            raise why

    def _read(self):
        try:
            for message in self._stream:
                self._arrived.put(message)
        except grpc.RpcError:
            pass
        self._arrived.put(NO_MORE)

    def next(self, timeout=DEADLINE):
        try:
            message = None if self._ended else self._arrived.get(timeout=timeout)
        except queue.Empty:
            return None
        if message is NO_MORE:
            self._ended = True
        return None if self._ended else message_of(message)

    @property
    def ended(self):
        return self._ended

    def unsubscribe(self):
        self._stream.cancel()
        self._reader.join()
        self._client.close()

    def hang_up(self):
        self._client.close()
        self._reader.join()


class GrpcDoor(ProtoDoor):
    def __init__(self, broker):
        self._port = broker.ports["grpc"]
        self._client = Client(self._port)

    def spelling(self, code):
        return {"TOO_LARGE": "RESOURCE_EXHAUSTED"}.get(code, code)

    def ask(self, action, fields):
        name = "GetStats" if action == "stats" else action.title().replace("_", "")
        try:
            return self._client.api.call(name, **fields)
        except grpc.RpcError as error:
            raise refusal_of(error) from None

    def subscribe(self, namespace, topic, queue_id=0, **fields):
        return StreamSubscription(self._port, {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields)

    def close(self):
        self._client.close()
