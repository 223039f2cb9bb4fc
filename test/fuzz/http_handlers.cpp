#include "protocols/http/handlers/handlers.hpp"

/// Handlers as names alone: the table of routes leads to them, and nobody calls them. Without them the targets need no actors.
namespace mqlite {

void list_namespaces(exchange&) {}
void create_namespace(exchange&) {}
void delete_namespace(exchange&) {}
void list_topics(exchange&) {}
void create_topic(exchange&) {}
void get_topic(exchange&) {}
void update_topic(exchange&) {}
void delete_topic(exchange&) {}
void resize_topic(exchange&) {}
void rebalance_topic(exchange&) {}
void publish(exchange&) {}
void publish_batch(exchange&) {}
void consume_from_queue(exchange&) {}
void consume_from_topic(exchange&) {}
void ack(exchange&) {}
void nack(exchange&) {}
void extend(exchange&) {}
void subscribe_to_queue(exchange&) {}
void subscribe_to_topic(exchange&) {}
void peek_messages(exchange&) {}
void purge_messages(exchange&) {}
void list_dead(exchange&) {}
void redrive_dead(exchange&) {}
void purge_dead(exchange&) {}
void health(exchange&) {}
void ready(exchange&) {}
void show_stats(exchange&) {}
void show_metrics(exchange&) {}
void show_openapi(exchange&) {}

}  // namespace mqlite
