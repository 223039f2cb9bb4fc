#include "actors/broker/broker_actor.hpp"

#include "actors/broker/gather.hpp"
#include "actors/log/records.hpp"
#include "actors/rules.hpp"

namespace mqlite {

broker_state::broker_state(broker_actor::pointer self, environment_ptr env, broker_birth birth)
    : self_(self),
      env_(std::move(env)),
      last_topic_id_(birth.last_topic_id),
      log_(env_->log, caf::actor_cast<journal_client>(self)) {
  end_process_on_exception(self);
  for (auto& [name, topics] : birth.namespaces) add(name, std::move(topics));
  if (env_->log) tell(env_->log, event::tree_started{caf::actor_cast<broker_actor>(self)});
}

broker_state::~broker_state() {
  for (const auto& [name, actor] : namespaces_)
    if (actor) stop(actor);
  for (const auto& [name, actor] : leaving_) stop(actor);
  if (env_->log) stop(env_->log);
}

broker_actor::behavior_type broker_state::make_behavior() {
  return {
      [this](command::create_namespace& command) { on_create(command); },
      [this](command::delete_namespace& command) { on_delete(command); },
      [this](command::list_namespaces& command) { on_list(command); },
      [this](command::create_topic& command) { on_create_topic(command); },
      [this](command::delete_topic& command) { pass_on(command); },
      [this](command::list_topics& command) { pass_on(command); },
      [this](command::resolve_topic& command) { pass_on(command); },
      [this](command::stats& command) { on_stats(command); },
      [this](command::log& command) { on_log(command); },
      [this](command::rewrite& command) { on_rewrite(command); },
      [this](command::backup& command) { on_backup(command); },
      [this](begin_snapshot) { return on_begin_snapshot(); },
      [this](command::shut_down& command) { on_shut_down(command); },
      [this](const event::appended& report) { log_.appended(report); },
  };
}

void broker_state::add(const std::string& name, std::vector<topic_birth> topics) {
  namespaces_[name] =
      spawn_state<namespace_actor, namespace_state>(self_->home_system(), env_, name, std::move(topics));
}

template <class Command>
void broker_state::pass_on(Command& command) {
  const auto found = namespaces_.find(command.name_space);
  if (found == namespaces_.end() || !found->second)
    return command.answer(failure{error_code::not_found, "namespace " + command.name_space + " not found"});
  tell(found->second, std::move(command));
}

void broker_state::on_create(command::create_namespace& command) {
  if (auto problem = bad_name("namespace", command.name)) return command.answer(std::move(*problem));
  if (namespaces_.contains(command.name))
    return command.answer(failure{error_code::already_exists, "namespace " + command.name + " exists already"});
  namespaces_[command.name] = nullptr;
  log_.append(records::namespace_created(command.name), durability::promised,
              [this, name = command.name, answer = std::move(command.answer)](const failure* refused) {
                if (refused != nullptr) {
                  namespaces_.erase(name);
                  return answer(*refused);
                }
                add(name, {});
                answer(done{});
              });
}

void broker_state::on_delete(command::delete_namespace& command) {
  const auto found = namespaces_.find(command.name);
  if (found == namespaces_.end() || !found->second)
    return command.answer(failure{error_code::not_found, "namespace " + command.name + " not found"});
  // It leaves the map at once, so that no topic can be created in it behind the record of its end.
  auto leaving = std::exchange(found->second, nullptr);
  leaving_[command.name] = leaving;
  log_.append(records::namespace_deleted(command.name), durability::promised,
              [this, name = command.name, leaving, answer = std::move(command.answer)](const failure* refused) {
                leaving_.erase(name);
                if (refused != nullptr) {
                  namespaces_[name] = leaving;
                  return answer(*refused);
                }
                namespaces_.erase(name);
                close_namespace(leaving, answer);
              });
}

// Its topics must be known to be gone before the deletion is answered: it says so through a command that it answers last.
void broker_state::close_namespace(const namespace_actor& leaving, const reply<done>& answer) {
  tell(leaving, command::shut_down{answer});
}

void broker_state::on_list(command::list_namespaces& command) {
  std::vector<std::string> names;
  for (const auto& [name, actor] : namespaces_)
    if (actor) names.push_back(name);
  command.answer(std::move(names));
}

void broker_state::on_create_topic(command::create_topic& command) {
  command.id = ++last_topic_id_;
  pass_on(command);
}

void broker_state::on_stats(command::stats& command) {
  std::vector<namespace_actor> all;
  for (const auto& [name, actor] : namespaces_)
    if (actor) all.push_back(actor);
  auto sum = [log = env_->log, answer = std::move(command.answer)](std::vector<broker_stats> parts) {
    broker_stats stats;
    stats.namespaces = parts.size();
    for (auto& part : parts) std::move(part.topics.begin(), part.topics.end(), std::back_inserter(stats.topics));
    if (!log) return answer(std::move(stats));
    tell(log, command::log{reply<log_status>([answer, stats = std::move(stats)](outcome<log_status> status) mutable {
           if (status) stats.log = std::move(*status);
           answer(std::move(stats));
         })});
  };
  const auto gathered = gather<broker_stats>::of(all.size(), std::move(sum));
  for (std::size_t i = 0; i < all.size(); ++i) tell(all[i], command::stats{gathered->slot(i)});
}

void broker_state::on_log(command::log& command) {
  if (!env_->log) return command.answer(log_status{});
  tell(env_->log, std::move(command));
}

// -- the log ------------------------------------------------------------------------------------------------------------------

namespace {

failure no_log() { return {error_code::failed_precondition, "there is no log: persistence.enabled is false"}; }

}  // namespace

void broker_state::on_rewrite(command::rewrite& command) {
  if (!env_->log) return command.answer(no_log());
  tell(env_->log, std::move(command));
}

void broker_state::on_backup(command::backup& command) {
  if (!env_->log) return command.answer(no_log());
  tell(env_->log, std::move(command));
}

// An append of nothing comes behind the records of everything that was done here. A namespace whose deletion is being recorded
// is there until it is.
caf::result<broker_snapshot> broker_state::on_begin_snapshot() {
  auto promise = self_->make_response_promise<broker_snapshot>();
  log_.append({}, durability::promised, [this, promise](const failure* problem) mutable {
    broker_snapshot snapshot;
    if (problem != nullptr) snapshot.problem = *problem;
    snapshot.last_topic_id = last_topic_id_;
    for (const auto* all : {&namespaces_, &leaving_})
      for (const auto& [name, actor] : *all) {
        if (!actor) continue;
        snapshot.names.push_back(name);
        snapshot.namespaces.push_back(actor);
      }
    promise.deliver(std::move(snapshot));
  });
  return promise;
}

// The front ends are closed by now. A question that passes through every queue comes behind everything that was still on its way
// there, and so comes the log's end behind every record.
void broker_state::on_shut_down(command::shut_down& command) {
  command::stats barrier{reply<broker_stats>([log = env_->log, me = caf::actor_cast<broker_actor>(self_),
                                              answer = std::move(command.answer)](const outcome<broker_stats>&) {
    const auto end = [me, answer](outcome<done> how) {
      answer(std::move(how));
      stop(me);
    };
    log ? tell(log, command::shut_down{reply<done>(end)}) : end(done{});
  })};
  on_stats(barrier);
}

broker_actor start_broker(caf::actor_system& system, environment_ptr env, broker_birth birth) {
  return spawn_state<broker_actor, broker_state>(system, std::move(env), std::move(birth));
}

}  // namespace mqlite
