#include "protocols/http/handlers/handlers.hpp"

namespace mqlite {

std::span<const http_route> all_routes() {
  using enum http_method;
  static constexpr http_route table[] = {
      {post, "/v1/namespaces/{ns}/topics/{t}/publish", publish},
      {post, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/consume", consume_from_queue},
      {post, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/ack", ack},
      {post, "/v1/namespaces/{ns}/topics/{t}/consume", consume_from_topic},
      {post, "/v1/namespaces/{ns}/topics/{t}/publish_batch", publish_batch},
      {post, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/nack", nack},
      {post, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/extend", extend},
      {get, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/subscribe", subscribe_to_queue, true},
      {get, "/v1/namespaces/{ns}/topics/{t}/subscribe", subscribe_to_topic, true},
      {get, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/messages", peek_messages},
      {del, "/v1/namespaces/{ns}/topics/{t}/queues/{q}/messages", purge_messages},
      {get, "/v1/namespaces", list_namespaces},
      {post, "/v1/namespaces", create_namespace},
      {del, "/v1/namespaces/{ns}", delete_namespace},
      {get, "/v1/namespaces/{ns}/topics", list_topics},
      {post, "/v1/namespaces/{ns}/topics", create_topic},
      {get, "/v1/namespaces/{ns}/topics/{t}", get_topic},
      {patch, "/v1/namespaces/{ns}/topics/{t}", update_topic},
      {del, "/v1/namespaces/{ns}/topics/{t}", delete_topic},
      {put, "/v1/namespaces/{ns}/topics/{t}/resize", resize_topic},
      {post, "/v1/namespaces/{ns}/topics/{t}/rebalance", rebalance_topic},
      {get, "/v1/namespaces/{ns}/topics/{t}/dead", list_dead},
      {del, "/v1/namespaces/{ns}/topics/{t}/dead", purge_dead},
      {post, "/v1/namespaces/{ns}/topics/{t}/dead/redrive", redrive_dead},
      {get, "/health", health},
      {get, "/health/live", health},
      {get, "/health/ready", ready},
      {get, "/metrics", show_metrics},
      {get, "/v1/stats", show_stats},
      {post, "/v1/admin/rewrite", rewrite_log},
      {post, "/v1/admin/backup", back_up_log},
      {get, "/openapi.json", show_openapi},
      {get, "/", show_dashboard},
  };
  return table;
}

}  // namespace mqlite
