"""TCP frames with encoding 1."""

from door import Refused, Subscription
from grpc_api import pb
from harness import DEADLINE
from hostile import reset
from proto_dialect import ProtoDoor, message_of
from tcp_clients import PROTOBUF, Connection


def command(connection, action, fields, request_id):
    out = pb.TCPCommand(action=action, request_id=request_id)
    request = getattr(out, action)
    request.SetInParent()
    request.MergeFrom(type(request)(**fields))
    return connection.frame(out.SerializeToString(), PROTOBUF)


def receive(connection):
    encoding, payload = connection.receive_frame()
    assert encoding == PROTOBUF, payload
    return pb.TCPResponse.FromString(payload)


def checked(answer, request_id):
    """The answer to a command; Refused where it is an error."""
    assert answer.request_id == request_id, answer
    if answer.status == "error":
        assert answer.WhichOneof("data") is None, answer
        raise Refused(answer.code, answer.error)
    assert answer.status == "ok" and not answer.code and not answer.error, answer
    return answer


class ProtoFrameSubscription(Subscription):
    def __init__(self, broker, fields):
        self._connection = Connection(broker)
        self._fields = fields
        self._ended = False
        try:
            self._connection.send_raw(command(self._connection, "subscribe", fields, 1))
            assert checked(receive(self._connection), 1).WhichOneof("data") is None
        except Refused:
            self._connection.close()
            raise

    def next(self, timeout=DEADLINE):
        if self._ended or not self._connection.has_frame(timeout):
            return None
        event = receive(self._connection)
        if event.status == "error":
            self._ended = True
            return None
        assert event.status == "ok" and event.WhichOneof("data") == "subscribe_message", event
        return message_of(event.subscribe_message)

    @property
    def ended(self):
        return self._ended

    def unsubscribe(self):
        """What was pushed until then is passed over."""
        where = {name: self._fields[name] for name in ("namespace", "topic", "queue_id")}
        self._connection.send_raw(command(self._connection, "unsubscribe", where, 2))
        while (answer := receive(self._connection)).request_id == 0:
            pass
        checked(answer, 2)
        self._connection.close()

    def hang_up(self):
        reset(self._connection)


class TcpProtoDoor(ProtoDoor):
    def __init__(self, broker):
        self._broker = broker
        self._connection = Connection(broker)
        self._last_id = 0

    def ask(self, action, fields):
        self._last_id += 1
        self._connection.send_raw(command(self._connection, action, fields, self._last_id))
        answer = checked(receive(self._connection), self._last_id)
        assert answer.WhichOneof("data") == action, answer
        return getattr(answer, action)

    def subscribe(self, namespace, topic, queue_id=0, **fields):
        return ProtoFrameSubscription(self._broker, {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields)

    def close(self):
        self._connection.close()
