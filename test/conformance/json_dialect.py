"""The operations in JSON: requests with the field names of the contract, answers read without loss."""

import base64
import json

import raw_json
from door import Door, Message, Published, Queue, Refused, Resized, Settled, TopicDetails

MESSAGE_FIELDS = {"id", "namespace", "topic", "queue_id", "timestamp", "headers", "routing_key", "delivery_count", "receipt",
                  "reason", "dead_at"}
COUNTS = {"ack": "acknowledged", "nack": "returned", "extend": "extended"}


def message_of(text):
    found = raw_json.members(text)
    if "payload" in found:
        payload = found.pop("payload").encode()
        assert "payload_base64" not in found, text
    else:
        payload = base64.b64decode(json.loads(found.pop("payload_base64")), validate=True)
    assert found.keys() <= MESSAGE_FIELDS, text
    fields = {"routing_key": None} | {name: json.loads(value) for name, value in found.items()}
    assert fields["routing_key"] != "", text
    return Message(payload=payload, **fields)


def messages_of(text):
    return [message_of(element) for element in raw_json.elements(text)]


def object_text(fields):
    """An object of values; `payload` is bytes, and goes as it is where it is JSON, else in Base64."""
    parts = []
    for name, value in fields.items():
        if name == "payload":
            text = raw_json.exact(value)
            if text is None:
                name, text = "payload_base64", json.dumps(base64.b64encode(value).decode())
        elif name == "messages":
            text = "[" + ",".join(object_text(message) for message in value) + "]"
        else:
            text = json.dumps(value)
        parts.append(f"{json.dumps(name)}:{text}")
    return "{" + ",".join(parts) + "}"


def outcome_of(answer):
    return Refused(answer["code"], answer["message"]) if "code" in answer else Published(**answer)


class JsonDoor(Door):
    """ask(action, fields) sends an action with the fields of its data, and returns the text of the answer's data."""

    def ask(self, action, fields):
        raise NotImplementedError

    def _value(self, action, **fields):
        text = self.ask(action, fields)
        return None if text is None else json.loads(text)

    def create_namespace(self, name):
        self.ask("create_namespace", {"name": name})

    def delete_namespace(self, name):
        self.ask("delete_namespace", {"name": name})

    def list_namespaces(self):
        return self._value("list_namespaces")

    def create_topic(self, namespace, name, queue_count=None, **settings):
        count = {} if queue_count is None else {"queue_count": queue_count}
        self.ask("create_topic", {"namespace": namespace, "name": name} | count | settings)

    def delete_topic(self, namespace, name):
        self.ask("delete_topic", {"namespace": namespace, "name": name})

    def list_topics(self, namespace):
        return [(t["name"], t["queue_count"], t["version"]) for t in self._value("list_topics", namespace=namespace)]

    def get_topic(self, namespace, name):
        found = self._value("get_topic", namespace=namespace, name=name)
        fields = {field: found[field] for field in ("name", "queue_count", "version", "settings", "dead")}
        return TopicDetails(**fields, queues=[Queue(**queue) for queue in found["queues"]])

    def update_topic(self, namespace, name, **settings):
        self.ask("update_topic", {"namespace": namespace, "name": name} | settings)

    def resize_topic(self, namespace, name, new_queue_count):
        return Resized(**self._value("resize_topic", namespace=namespace, name=name, new_queue_count=new_queue_count))

    def rebalance_topic(self, namespace, name):
        self.ask("rebalance_topic", {"namespace": namespace, "name": name})

    def publish(self, namespace, topic, payload, **fields):
        return Published(**self._value("publish", namespace=namespace, topic=topic, payload=payload, **fields))

    def publish_batch(self, namespace, topic, messages):
        answers = self._value("publish_batch", namespace=namespace, topic=topic, messages=messages)
        return [outcome_of(answer) for answer in answers]

    def consume(self, namespace, topic, queue_id=0, **fields):
        return messages_of(self.ask("consume", {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields))

    def _settle(self, action, namespace, topic, message_ids, queue_id, fields):
        answer = self._value(action, namespace=namespace, topic=topic, queue_id=queue_id, message_ids=message_ids, **fields)
        return Settled(answer.pop(COUNTS[action]), **answer)

    def ack(self, namespace, topic, message_ids, queue_id=0):
        return self._settle("ack", namespace, topic, message_ids, queue_id, {})

    def nack(self, namespace, topic, message_ids, queue_id=0, **fields):
        return self._settle("nack", namespace, topic, message_ids, queue_id, fields)

    def extend(self, namespace, topic, message_ids, queue_id=0, **fields):
        return self._settle("extend", namespace, topic, message_ids, queue_id, fields)

    def peek(self, namespace, topic, queue_id=0, **fields):
        return messages_of(self.ask("peek", {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields))

    def purge(self, namespace, topic, queue_id=0):
        return self._value("purge", namespace=namespace, topic=topic, queue_id=queue_id)["purged"]

    def list_dead(self, namespace, topic, **fields):
        return messages_of(self.ask("list_dead", {"namespace": namespace, "topic": topic} | fields))

    def redrive_dead(self, namespace, topic, message_ids=None):
        which = {} if message_ids is None else {"message_ids": message_ids}
        return self._value("redrive_dead", namespace=namespace, topic=topic, **which)["redriven"]

    def purge_dead(self, namespace, topic):
        return self._value("purge_dead", namespace=namespace, topic=topic)["purged"]

    def stats(self):
        return self._value("stats")
