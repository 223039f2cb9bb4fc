#pragma once

#include <span>

#include "protocols/http/router.hpp"

/// The routes, by subject. Each handler answers its request once, now or later.
namespace mqlite {

void list_namespaces(exchange& x);
void create_namespace(exchange& x);
void delete_namespace(exchange& x);

void list_topics(exchange& x);
void create_topic(exchange& x);
void get_topic(exchange& x);
void update_topic(exchange& x);
void delete_topic(exchange& x);
void resize_topic(exchange& x);
void rebalance_topic(exchange& x);

void publish(exchange& x);
void publish_batch(exchange& x);

void consume_from_queue(exchange& x);
void consume_from_topic(exchange& x);
void ack(exchange& x);
void nack(exchange& x);
void extend(exchange& x);

void subscribe_to_queue(exchange& x);
void subscribe_to_topic(exchange& x);

void peek_messages(exchange& x);
void purge_messages(exchange& x);
void list_dead(exchange& x);
void redrive_dead(exchange& x);
void purge_dead(exchange& x);

void health(exchange& x);
void ready(exchange& x);
void show_stats(exchange& x);
void show_metrics(exchange& x);
void show_openapi(exchange& x);
void show_dashboard(exchange& x);

void rewrite_log(exchange& x);
void back_up_log(exchange& x);

/// The table of all routes.
std::span<const http_route> all_routes();

}  // namespace mqlite
