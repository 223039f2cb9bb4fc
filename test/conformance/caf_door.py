"""Remote CAF actors, by way of the client library."""

import base64
import json

import raw_json
from caf_client import CafClient
from door import Refused, Subscription
from harness import DEADLINE
from json_dialect import JsonDoor, message_of, object_text


def data_of(line, request_id):
    """The text of an answer's `data`; Refused where it is an error."""
    answer = raw_json.members(line)
    assert json.loads(answer["id"]) == request_id, answer
    if answer["status"] == '"error"':
        assert answer.keys() == {"status", "id", "code", "error"}, answer
        raise Refused(json.loads(answer["code"]), json.loads(answer["error"]))
    return answer.get("data")


def one_line(fields):
    """The same without line breaks: a payload that has some goes in Base64."""
    if b"\n" in fields.get("payload", b"") or b"\r" in fields.get("payload", b""):
        fields = dict(fields)
        fields["payload_base64"] = base64.b64encode(fields.pop("payload")).decode()
    if "messages" in fields:
        fields = fields | {"messages": [one_line(message) for message in fields["messages"]]}
    return fields


def ask(client, action, fields):
    request_id = client.send(action, object_text(one_line(fields)))
    return data_of(client.answer(), request_id)


class ActorSubscription(Subscription):
    """In a program of its own."""

    def __init__(self, broker, fields):
        self._client = CafClient(broker.ports["caf"])
        self._fields = fields
        self._ended = False
        try:
            ask(self._client, "subscribe", fields)
        except Refused:
            self._client.close()
            raise

    def next(self, timeout=DEADLINE):
        line = None if self._ended else self._client.event(timeout)
        if line is None:
            return None
        event = raw_json.members(line)
        if event["event"] == '"closed"':
            self._ended = True
            return None
        return message_of(event["data"])

    @property
    def ended(self):
        return self._ended

    def unsubscribe(self):
        where = {name: self._fields[name] for name in ("namespace", "topic", "queue_id")}
        ask(self._client, "unsubscribe", where)
        self._client.close()

    def hang_up(self):
        self._client.kill()


class CafDoor(JsonDoor):
    def __init__(self, broker):
        self._broker = broker
        self._client = CafClient(broker.ports["caf"])

    def ask(self, action, fields):
        return ask(self._client, action, fields)

    def subscribe(self, namespace, topic, queue_id=0, **fields):
        return ActorSubscription(self._broker, {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields)

    def close(self):
        self._client.close()
