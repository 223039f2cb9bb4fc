"""The operations in Protobuf: requests and answers are the messages of proto/mqlite.proto."""

import json

from door import Door, Message, Published, Queue, Refused, Resized, Settled, TopicDetails
from grpc_api import pb

SETTINGS = [field.name for field in pb.TopicSettings.DESCRIPTOR.fields]


def message_of(m, **more):
    return Message(m.id, m.namespace, m.topic, m.queue_id, m.payload, m.timestamp, dict(m.headers), m.routing_key or None,
                   m.delivery_count, m.receipt, **more)


def messages_of(messages):
    return [message_of(m) for m in messages]


class ProtoDoor(Door):
    """ask(action, fields) sends the request of an action, and returns its response. Actions are named as over TCP."""

    zero_is_default = True

    def ask(self, action, fields):
        raise NotImplementedError

    def create_namespace(self, name):
        assert self.ask("create_namespace", {"name": name}).success

    def delete_namespace(self, name):
        assert self.ask("delete_namespace", {"name": name}).success

    def list_namespaces(self):
        return list(self.ask("list_namespaces", {}).namespaces)

    def create_topic(self, namespace, name, queue_count=None, **settings):
        fields = {"namespace": namespace, "name": name, "settings": pb.TopicSettings(**settings)}
        assert self.ask("create_topic", fields if queue_count is None else fields | {"queue_count": queue_count}).success

    def delete_topic(self, namespace, name):
        assert self.ask("delete_topic", {"namespace": namespace, "name": name}).success

    def list_topics(self, namespace):
        return [(t.name, t.queue_count, t.version) for t in self.ask("list_topics", {"namespace": namespace}).topics]

    def get_topic(self, namespace, name):
        found = self.ask("get_topic", {"namespace": namespace, "name": name})
        queues = [Queue(*(getattr(queue, field) for field in Queue._fields)) for queue in found.queues]
        settings = {field: getattr(found.settings, field) for field in SETTINGS}
        return TopicDetails(found.name, found.queue_count, found.version, settings, found.dead, queues)

    def update_topic(self, namespace, name, **settings):
        assert self.ask("update_topic", {"namespace": namespace, "name": name, "settings": pb.TopicSettings(**settings)}).success

    def resize_topic(self, namespace, name, new_queue_count):
        answer = self.ask("resize_topic", {"namespace": namespace, "name": name, "new_queue_count": new_queue_count})
        assert answer.success
        return Resized(answer.new_queue_count, answer.version, answer.draining)

    def rebalance_topic(self, namespace, name):
        assert self.ask("rebalance_topic", {"namespace": namespace, "name": name}).success

    def publish(self, namespace, topic, payload, **fields):
        answer = self.ask("publish", {"namespace": namespace, "topic": topic, "payload": payload} | fields)
        return Published(answer.message_id, answer.queue_id)

    def publish_batch(self, namespace, topic, messages):
        requests = [pb.PublishRequest(**message) for message in messages]
        answer = self.ask("publish_batch", {"namespace": namespace, "topic": topic, "messages": requests})
        return [Refused(r.code, r.error) if r.code else Published(r.message_id, r.queue_id) for r in answer.results]

    def consume(self, namespace, topic, queue_id=0, **fields):
        answer = self.ask("consume", {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields)
        return messages_of(answer.messages)

    def _settle(self, action, count, namespace, topic, message_ids, queue_id, fields):
        where = {"namespace": namespace, "topic": topic, "queue_id": queue_id, "message_ids": message_ids}
        answer = self.ask(action, where | fields)
        assert answer.success
        return Settled(getattr(answer, count), list(answer.unknown), list(answer.stale), getattr(answer, "dead_lettered", 0))

    def ack(self, namespace, topic, message_ids, queue_id=0):
        return self._settle("ack", "acknowledged", namespace, topic, message_ids, queue_id, {})

    def nack(self, namespace, topic, message_ids, queue_id=0, **fields):
        return self._settle("nack", "returned", namespace, topic, message_ids, queue_id, fields)

    def extend(self, namespace, topic, message_ids, queue_id=0, **fields):
        return self._settle("extend", "extended", namespace, topic, message_ids, queue_id, fields)

    def peek(self, namespace, topic, queue_id=0, **fields):
        return messages_of(self.ask("peek", {"namespace": namespace, "topic": topic, "queue_id": queue_id} | fields).messages)

    def _count(self, action, field, **fields):
        answer = self.ask(action, fields)
        assert answer.success
        return getattr(answer, field)

    def purge(self, namespace, topic, queue_id=0):
        return self._count("purge", "purged", namespace=namespace, topic=topic, queue_id=queue_id)

    def list_dead(self, namespace, topic, **fields):
        answer = self.ask("list_dead", {"namespace": namespace, "topic": topic} | fields)
        return [message_of(dead.message, reason=dead.reason, dead_at=dead.dead_at) for dead in answer.messages]

    def redrive_dead(self, namespace, topic, message_ids=None):
        return self._count("redrive_dead", "redriven", namespace=namespace, topic=topic, message_ids=message_ids or [])

    def purge_dead(self, namespace, topic):
        return self._count("purge_dead", "purged", namespace=namespace, topic=topic)

    def stats(self):
        return json.loads(self.ask("stats", {}).json)
