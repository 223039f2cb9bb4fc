"""TCP frames with encoding 0."""

import json

import raw_json
from door import Refused, Subscription
from harness import DEADLINE
from hostile import reset
from json_dialect import JsonDoor, message_of, object_text
from tcp_clients import JSON, Connection


def command(connection, action, fields, request_id):
    text = f'{{"action":{json.dumps(action)},"id":{request_id},"data":{object_text(fields)}}}'
    return connection.frame(text.encode(), JSON)


def receive(connection):
    """The members of the next answer, as text."""
    encoding, payload = connection.receive_frame()
    assert encoding == JSON, payload
    return raw_json.members(payload.decode())


def data_of(answer, request_id):
    """The text of an answer's `data`; Refused where it is an error."""
    assert json.loads(answer["id"]) == request_id, answer
    if answer["status"] == '"error"':
        assert answer.keys() == {"status", "id", "code", "error"}, answer
        raise Refused(json.loads(answer["code"]), json.loads(answer["error"]))
    assert answer["status"] == '"ok"' and answer.keys() <= {"status", "id", "data"}, answer
    return answer.get("data")


class FrameSubscription(Subscription):
    def __init__(self, broker, fields):
        self._connection = Connection(broker)
        self._fields = fields
        self._ended = False
        try:
            self._connection.send_raw(command(self._connection, "subscribe", fields, 1))
            data_of(receive(self._connection), 1)
        except Refused:
            self._connection.close()
            raise

    def next(self, timeout=DEADLINE):
        if self._ended or not self._connection.has_frame(timeout):
            return None
        event = receive(self._connection)
        if event["status"] == '"error"':
            assert event["event"] == '"closed"', event
            self._ended = True
            return None
        assert event.keys() == {"status", "event", "data"} and event["event"] == '"message"', event
        return message_of(event["data"])

    @property
    def ended(self):
        return self._ended

    def unsubscribe(self):
        """What was pushed until then is passed over."""
        where = {name: self._fields[name] for name in ("namespace", "topic", "queue_id")}
        self._connection.send_raw(command(self._connection, "unsubscribe", where, 2))
        while "id" not in (answer := receive(self._connection)):
            pass
        data_of(answer, 2)
        self._connection.close()

    def hang_up(self):
        reset(self._connection)


class TcpJsonDoor(JsonDoor):
    def __init__(self, broker):
        self._broker = broker
        self._connection = Connection(broker)
        self._last_id = 0

    def ask(self, action, fields):
        self._last_id += 1
        self._connection.send_raw(command(self._connection, action, fields, self._last_id))
        return data_of(receive(self._connection), self._last_id)

    def subscribe(self, namespace, topic, queue_id=0, **fields):
        return FrameSubscription(self._broker, {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields)

    def close(self):
        self._connection.close()
