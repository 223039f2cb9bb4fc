#pragma once

#include <string>

#include "actors/gateway.hpp"
#include "protocols/translate/answers.hpp"
#include "protocols/translate/operation_requests.hpp"
#include "protocols/translate/proto_answers.hpp"

/// What a request asks of the gateway and how its result is written, one struct for each operation that needs no more of its
/// connection than an answer:
///   result                         what the gateway answers
///   start(gateway, request, then)  asks; the request stays until the answer
///   json(out, request, result)     writes `data`
///   proto(response, request, result)
namespace mqlite::tcp {

template <class Request>
struct operation;

/// Operations whose answer only says that they were done.
template <class Request>
struct simple_operation {
  using result = done;
  static void json(std::string& out, const Request& r, const done&) {
    out += "{\"success\":true,\"message\":\"" + operation<Request>::text(r) + "\"}";
  }
  static void proto(v1::TCPResponse& out, const Request& r, const done&) {
    fill_success(*operation<Request>::field(out), operation<Request>::text(r));
  }
};

template <>
struct operation<request::create_namespace> : simple_operation<request::create_namespace> {
  static void start(gateway& g, const request::create_namespace& r, completion<done> then) {
    g.create_namespace(r.name, std::move(then));
  }
  static std::string text(const request::create_namespace& r) { return "namespace " + r.name + " was created"; }
  static auto* field(v1::TCPResponse& out) { return out.mutable_create_namespace(); }
};

template <>
struct operation<request::delete_namespace> : simple_operation<request::delete_namespace> {
  static void start(gateway& g, const request::delete_namespace& r, completion<done> then) {
    g.delete_namespace(r.name, std::move(then));
  }
  static std::string text(const request::delete_namespace& r) { return "namespace " + r.name + " was deleted"; }
  static auto* field(v1::TCPResponse& out) { return out.mutable_delete_namespace(); }
};

template <>
struct operation<request::list_namespaces> {
  using result = std::vector<std::string>;
  static void start(gateway& g, const request::list_namespaces&, completion<result> then) {
    g.list_namespaces(std::move(then));
  }
  static void json(std::string& out, const request::list_namespaces&, const result& names) { append_names(out, names); }
  static void proto(v1::TCPResponse& out, const request::list_namespaces&, const result& names) {
    fill(*out.mutable_list_namespaces(), names);
  }
};

template <>
struct operation<request::create_topic> : simple_operation<request::create_topic> {
  static void start(gateway& g, const request::create_topic& r, completion<done> then) {
    g.create_topic(r.name_space, r.topic, r.queue_count, r.settings, std::move(then));
  }
  static std::string text(const request::create_topic& r) { return "topic " + r.topic + " was created"; }
  static auto* field(v1::TCPResponse& out) { return out.mutable_create_topic(); }
};

template <>
struct operation<request::delete_topic> : simple_operation<request::delete_topic> {
  static void start(gateway& g, const request::delete_topic& r, completion<done> then) {
    g.delete_topic(r.name_space, r.topic, std::move(then));
  }
  static std::string text(const request::delete_topic& r) { return "topic " + r.topic + " was deleted"; }
  static auto* field(v1::TCPResponse& out) { return out.mutable_delete_topic(); }
};

template <>
struct operation<request::list_topics> {
  using result = std::vector<topic_info>;
  static void start(gateway& g, const request::list_topics& r, completion<result> then) {
    g.list_topics(r.name_space, std::move(then));
  }
  static void json(std::string& out, const request::list_topics&, const result& topics) { append_topics(out, topics); }
  static void proto(v1::TCPResponse& out, const request::list_topics&, const result& topics) {
    fill(*out.mutable_list_topics(), topics);
  }
};

template <>
struct operation<request::get_topic> {
  using result = topic_details;
  static void start(gateway& g, const request::get_topic& r, completion<result> then) {
    g.get_topic(r.name_space, r.topic, std::move(then));
  }
  static void json(std::string& out, const request::get_topic&, const result& details) {
    append_topic_details(out, details);
  }
  static void proto(v1::TCPResponse& out, const request::get_topic&, const result& details) {
    fill(*out.mutable_get_topic(), details);
  }
};

template <>
struct operation<request::update_topic> : simple_operation<request::update_topic> {
  static void start(gateway& g, const request::update_topic& r, completion<done> then) {
    g.update_topic(r.name_space, r.topic, r.settings, std::move(then));
  }
  static std::string text(const request::update_topic& r) { return "topic " + r.topic + " was updated"; }
  static auto* field(v1::TCPResponse& out) { return out.mutable_update_topic(); }
};

template <>
struct operation<request::resize_topic> {
  using result = resized;
  static void start(gateway& g, const request::resize_topic& r, completion<result> then) {
    g.resize_topic(r.name_space, r.topic, r.queue_count, std::move(then));
  }
  static void json(std::string& out, const request::resize_topic&, const result& how) { append_resized(out, how); }
  static void proto(v1::TCPResponse& out, const request::resize_topic&, const result& how) {
    fill(*out.mutable_resize_topic(), how);
  }
};

template <>
struct operation<request::rebalance_topic> : simple_operation<request::rebalance_topic> {
  static void start(gateway& g, const request::rebalance_topic& r, completion<done> then) {
    g.rebalance_topic(r.name_space, r.topic, std::move(then));
  }
  static std::string text(const request::rebalance_topic& r) { return "topic " + r.topic + " was rebalanced"; }
  static auto* field(v1::TCPResponse& out) { return out.mutable_rebalance_topic(); }
};

template <>
struct operation<request::settle> {
  using result = settled;
  static void start(gateway& g, request::settle& r, completion<result> then) {
    g.settle(r.name_space, r.topic, r.queue, r.what, std::move(r.messages.targets), r.value, std::move(then));
  }
  static void json(std::string& out, const request::settle& r, const result& how) {
    append_settled(out, r.what, how, r.messages);
  }
  static void proto(v1::TCPResponse& out, const request::settle& r, const result& how) {
    switch (r.what) {
      case settlement::ack:
        return fill(*out.mutable_ack(), how, r.messages);
      case settlement::nack:
        return fill(*out.mutable_nack(), how, r.messages);
      case settlement::extend:
        return fill(*out.mutable_extend(), how, r.messages);
    }
  }
};

template <>
struct operation<request::peek> {
  using result = std::vector<peeked>;
  static void start(gateway& g, const request::peek& r, completion<result> then) {
    g.peek(r.name_space, r.topic, r.queue, r.state, r.limit, std::move(then));
  }
  static void json(std::string& out, const request::peek& r, const result& seen) {
    append_messages(out, {r.name_space, r.topic}, seen);
  }
  static void proto(v1::TCPResponse& out, const request::peek& r, const result& seen) {
    fill(*out.mutable_peek(), {r.name_space, r.topic}, seen);
  }
};

template <>
struct operation<request::purge> {
  using result = std::uint64_t;
  static void start(gateway& g, const request::purge& r, completion<result> then) {
    g.purge(r.name_space, r.topic, r.queue, std::move(then));
  }
  static void json(std::string& out, const request::purge&, result count) { append_count(out, "purged", count); }
  static void proto(v1::TCPResponse& out, const request::purge&, result count) { fill(*out.mutable_purge(), count); }
};

template <>
struct operation<request::list_dead> {
  using result = std::vector<peeked>;
  static void start(gateway& g, const request::list_dead& r, completion<result> then) {
    g.list_dead(r.name_space, r.topic, r.limit, std::move(then));
  }
  static void json(std::string& out, const request::list_dead& r, const result& seen) {
    append_messages(out, {r.name_space, r.topic}, seen);
  }
  static void proto(v1::TCPResponse& out, const request::list_dead& r, const result& seen) {
    fill(*out.mutable_list_dead(), {r.name_space, r.topic}, seen);
  }
};

template <>
struct operation<request::redrive_dead> {
  using result = std::uint64_t;
  static void start(gateway& g, request::redrive_dead& r, completion<result> then) {
    g.redrive_dead(r.name_space, r.topic, std::move(r.ids), std::move(then));
  }
  static void json(std::string& out, const request::redrive_dead&, result count) {
    append_count(out, "redriven", count);
  }
  static void proto(v1::TCPResponse& out, const request::redrive_dead&, result count) {
    fill(*out.mutable_redrive_dead(), count);
  }
};

template <>
struct operation<request::purge_dead> {
  using result = std::uint64_t;
  static void start(gateway& g, const request::purge_dead& r, completion<result> then) {
    g.purge_dead(r.name_space, r.topic, std::move(then));
  }
  static void json(std::string& out, const request::purge_dead&, result count) { append_count(out, "purged", count); }
  static void proto(v1::TCPResponse& out, const request::purge_dead&, result count) {
    fill(*out.mutable_purge_dead(), count);
  }
};

}  // namespace mqlite::tcp
