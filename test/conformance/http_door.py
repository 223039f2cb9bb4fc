"""HTTP: an operation is a method and a path; subscriptions are server-sent events."""

import json
from urllib.parse import quote, urlencode

import delivery
import raw_json
from door import Refused, Subscription
from harness import DEADLINE, STATUS_OF
from hostile import reset
from http_clients import Client
from json_dialect import JsonDoor, message_of, object_text

NAMESPACE = "/v1/namespaces/{namespace}"
TOPIC = NAMESPACE + "/topics/{topic}"
QUEUE = TOPIC + "/queues/{queue_id}"
ROUTES = {
    "create_namespace": ("POST", "/v1/namespaces", 201),
    "delete_namespace": ("DELETE", "/v1/namespaces/{name}", 200),
    "list_namespaces": ("GET", "/v1/namespaces", 200),
    "create_topic": ("POST", NAMESPACE + "/topics", 201),
    "delete_topic": ("DELETE", NAMESPACE + "/topics/{name}", 200),
    "list_topics": ("GET", NAMESPACE + "/topics", 200),
    "get_topic": ("GET", NAMESPACE + "/topics/{name}", 200),
    "update_topic": ("PATCH", NAMESPACE + "/topics/{name}", 200),
    "resize_topic": ("PUT", NAMESPACE + "/topics/{name}/resize", 200),
    "rebalance_topic": ("POST", NAMESPACE + "/topics/{name}/rebalance", 200),
    "publish": ("POST", TOPIC + "/publish", 200),
    "publish_batch": ("POST", TOPIC + "/publish_batch", 200),
    "consume": ("POST", QUEUE + "/consume", 200),
    "ack": ("POST", QUEUE + "/ack", 200),
    "nack": ("POST", QUEUE + "/nack", 200),
    "extend": ("POST", QUEUE + "/extend", 200),
    "subscribe": ("GET", QUEUE + "/subscribe", 200),
    "peek": ("GET", QUEUE + "/messages", 200),
    "purge": ("DELETE", QUEUE + "/messages", 200),
    "list_dead": ("GET", TOPIC + "/dead", 200),
    "redrive_dead": ("POST", TOPIC + "/dead/redrive", 200),
    "purge_dead": ("DELETE", TOPIC + "/dead", 200),
    "stats": ("GET", "/v1/stats", 200),
}


def target_of(action, fields):
    """(method, path with query, the fields that are left for the body, the status of success)"""
    method, path, status = ROUTES[action]
    if fields.get("queue_id") == -1 and action in ("consume", "subscribe"):
        path = path.replace("/queues/{queue_id}", "")
        fields = {name: value for name, value in fields.items() if name != "queue_id"}
    rest = dict(fields)
    for name, value in fields.items():
        if "{" + name + "}" in path:
            path = path.replace("{" + name + "}", quote(str(value), safe=""))
            del rest[name]
    if method == "GET" and rest:
        path += "?" + urlencode({name: json.dumps(value) if isinstance(value, bool) else value for name, value in rest.items()})
    return method, path, rest, status


def refusal_of(status, body):
    assert body["success"] is False and status == STATUS_OF[body["code"]], (status, body)
    return Refused(body["code"], body["message"])


class EventSubscription(Subscription):
    def __init__(self, port, path):
        self._events = delivery.Subscription(port, path)
        if self._events.status != 200:
            why = refusal_of(self._events.status, self._events.read_error())
            self._events.close()
            raise why

    def next(self, timeout=DEADLINE):
        event = self._events.next(timeout)
        if event is None or event.name == "closed":
            return None
        assert event.name == "message", event
        message = message_of(event.text)
        assert event.id == message.id, event
        return message

    @property
    def ended(self):
        return self._events.ended

    def unsubscribe(self):
        self._events.close()

    def hang_up(self):
        reset(self._events)


class HttpDoor(JsonDoor):
    settles_at_any_queue = False

    def __init__(self, broker):
        self._port = broker.ports["http"]
        self._client = Client(self._port)

    def ask(self, action, fields):
        method, path, rest, status = target_of(action, fields)
        body = object_text(rest) if method != "GET" and rest else None
        answer = self._client.request(method, path, body)
        if answer.status >= 400:
            raise refusal_of(answer.status, answer.json)
        envelope = raw_json.members(answer.body.decode())
        assert answer.status == status and envelope["success"] == "true", answer
        assert envelope.keys() <= {"success", "message", "data"}, answer
        return envelope.get("data")

    def subscribe(self, namespace, topic, queue_id=0, **fields):
        fields = {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields
        return EventSubscription(self._port, target_of("subscribe", fields)[1])

    def close(self):
        self._client.close()
