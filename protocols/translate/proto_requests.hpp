#pragma once

#include "proto/mqlite.pb.h"
#include "protocols/translate/operation_requests.hpp"

/// What clients ask for, read from Protobuf, the same over gRPC and TCP. The rules and the texts of refusals are those of JSON;
/// 0 and empty mean the default.
namespace mqlite {

outcome<request::create_namespace> read_request(const v1::CreateNamespaceRequest& in);
outcome<request::delete_namespace> read_request(const v1::DeleteNamespaceRequest& in);
outcome<request::list_namespaces> read_request(const v1::ListNamespacesRequest& in);
outcome<request::create_topic> read_request(const v1::CreateTopicRequest& in);
outcome<request::delete_topic> read_request(const v1::DeleteTopicRequest& in);
outcome<request::list_topics> read_request(const v1::ListTopicsRequest& in);
outcome<request::get_topic> read_request(const v1::GetTopicRequest& in);
outcome<request::update_topic> read_request(const v1::UpdateTopicRequest& in);
outcome<request::resize_topic> read_request(const v1::ResizeTopicRequest& in);
outcome<request::rebalance_topic> read_request(const v1::RebalanceTopicRequest& in);

outcome<request::publish> read_request(const v1::PublishRequest& in, const publish_terms& terms);
outcome<request::publish_batch> read_request(const v1::PublishBatchRequest& in, const publish_terms& terms);
/// The message alone; the names of its topic are not looked at.
outcome<draft> read_draft(const v1::PublishRequest& in, const publish_terms& terms);

outcome<request::consume> read_request(const v1::ConsumeRequest& in);
outcome<request::subscribe> read_request(const v1::SubscribeRequest& in);
outcome<request::unsubscribe> read_request(const v1::UnsubscribeRequest& in);
outcome<request::settle> read_request(const v1::AckRequest& in);
outcome<request::settle> read_request(const v1::NackRequest& in);
outcome<request::settle> read_request(const v1::ExtendRequest& in);
outcome<request::peek> read_request(const v1::PeekRequest& in);
outcome<request::purge> read_request(const v1::PurgeRequest& in);
outcome<request::list_dead> read_request(const v1::ListDeadRequest& in);
outcome<request::redrive_dead> read_request(const v1::RedriveDeadRequest& in);
outcome<request::purge_dead> read_request(const v1::PurgeDeadRequest& in);

outcome<request::stats> read_request(const v1::GetStatsRequest& in);
outcome<request::rewrite> read_request(const v1::RewriteRequest& in);
outcome<request::backup> read_request(const v1::BackupRequest& in);
outcome<request::ping> read_request(const v1::PingRequest& in);
outcome<request::auth> read_request(const v1::AuthRequest& in);

}  // namespace mqlite
