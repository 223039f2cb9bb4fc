#include "actors/broker/namespace_actor.hpp"

#include <algorithm>

#include "actors/broker/gather.hpp"
#include "actors/log/records.hpp"
#include "actors/rules.hpp"

namespace mqlite {
namespace_state::namespace_state(namespace_actor::pointer self, environment_ptr env, std::string name,
                                 std::vector<topic_birth> topics)
    : self_(self),
      env_(std::move(env)),
      name_(std::move(name)),
      log_(env_->log, caf::actor_cast<journal_client>(self)) {
  end_process_on_exception(self);
  for (auto& birth : topics) add(std::move(birth));
}

namespace_state::~namespace_state() {
  for (const auto& [name, entry] : topics_) {
    *entry.alive = false;
    if (entry.actor) stop(entry.actor);
  }
}

namespace_actor::behavior_type namespace_state::make_behavior() {
  return {
      [this](command::create_topic& command) { on_create(command); },
      [this](command::delete_topic& command) { on_delete(command); },
      [this](command::list_topics& command) { on_list(command); },
      [this](const command::resolve_topic& command) { on_resolve(command); },
      [this](command::stats& command) { on_stats(command); },
      [this](begin_snapshot) { return on_begin_snapshot(); },
      [this](const command::shut_down& command) { on_shut_down(command); },
      [this](const event::appended& report) { log_.appended(report); },
  };
}

void namespace_state::on_shut_down(const command::shut_down& command) {
  for (const auto& [name, entry] : topics_) *entry.alive = false;
  command.answer(done{});
  self_->quit();
}

void namespace_state::add(topic_birth birth) {
  auto& entry = topics_[birth.name];
  entry.id = birth.id;
  if (!entry.alive) entry.alive = std::make_shared<std::atomic<bool>>(true);
  entry.actor = spawn_state<topic_actor, topic_state>(self_->home_system(), env_, std::move(birth));
}

namespace_state::topic_entry* namespace_state::find(const std::string& topic) {
  const auto found = topics_.find(topic);
  return found == topics_.end() || !found->second.actor ? nullptr : &found->second;
}

failure namespace_state::no_topic(const std::string& topic) const {
  return {error_code::not_found, "topic " + topic + " not found in namespace " + name_};
}

void namespace_state::on_create(command::create_topic& command) {
  auto problem = bad_name("topic", command.name);
  auto settings = env_->defaults;
  command.settings.apply_to(settings);
  if (!problem) problem = bad_settings(settings);
  if (!problem && (command.queue_count < 1 || command.queue_count > most_queues))
    problem = failure{error_code::invalid_argument, "`queue_count` must be from 1 to " + std::to_string(most_queues)};
  if (!problem && topics_.contains(command.name))
    problem = failure{error_code::already_exists, "topic " + command.name + " exists already in namespace " + name_};
  if (problem) return command.answer(std::move(*problem));

  topic_birth birth;
  birth.id = command.id;
  birth.name_space = name_;
  birth.name = command.name;
  birth.queue_count = static_cast<std::int32_t>(command.queue_count);
  birth.settings = settings;
  topics_[birth.name].alive = std::make_shared<std::atomic<bool>>(true);
  auto record = records::topic_created(birth.id, name_, birth.name, static_cast<std::uint32_t>(birth.queue_count),
                                       settings, birth.version);
  log_.append(std::move(record), durability::promised,
              [this, birth, answer = std::move(command.answer)](const failure* refused) {
                if (refused != nullptr) {
                  topics_.erase(birth.name);
                  return answer(*refused);
                }
                add(birth);
                answer(done{});
              });
}

void namespace_state::on_delete(command::delete_topic& command) {
  const auto* entry = find(command.name);
  if (entry == nullptr) return command.answer(no_topic(command.name));
  log_.append(records::topic_deleted(entry->id), durability::promised,
              [this, topic = command.name, id = entry->id, answer = std::move(command.answer)](const failure* refused) {
                if (refused != nullptr) return answer(*refused);
                const auto* gone = find(topic);
                if (gone == nullptr || gone->id != id) return answer(no_topic(topic));
                *gone->alive = false;
                stop(gone->actor);
                topics_.erase(topic);
                answer(done{});
              });
}

void namespace_state::on_list(command::list_topics& command) {
  struct listing {
    std::vector<topic_info> infos;
    std::size_t outstanding = 1;
    reply<std::vector<topic_info>> answer;

    void one_less() {
      if (--outstanding > 0) return;
      std::sort(infos.begin(), infos.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
      answer(std::move(infos));
    }
  };
  auto list = std::make_shared<listing>();
  list->answer = std::move(command.answer);
  for (const auto& [name, entry] : topics_) {
    if (!entry.actor) continue;
    ++list->outstanding;
    ask(self_, entry.actor, describe{})
        .then(
            [list](const described& d) {
              list->infos.push_back(d.info);
              list->one_less();
            },
            [list](const caf::error&) { list->one_less(); });
  }
  list->one_less();
}

void namespace_state::on_resolve(const command::resolve_topic& command) {
  const auto* entry = find(command.name);
  if (entry == nullptr) return command.answer(no_topic(command.name));
  command.answer(topic_link{entry->actor, entry->alive});
}

// An append of nothing comes behind the records of everything that was done here.
caf::result<namespace_snapshot> namespace_state::on_begin_snapshot() {
  auto promise = self_->make_response_promise<namespace_snapshot>();
  log_.append({}, durability::promised, [this, promise](const failure* problem) mutable {
    namespace_snapshot snapshot;
    if (problem != nullptr) snapshot.problem = *problem;
    for (const auto& [name, entry] : topics_)
      if (entry.actor) snapshot.topics.push_back(entry.actor);
    promise.deliver(std::move(snapshot));
  });
  return promise;
}

void namespace_state::on_stats(command::stats& command) {
  std::vector<topic_actor> topics;
  for (const auto& [name, entry] : topics_)
    if (entry.actor) topics.push_back(entry.actor);
  const auto all = gather<topic_details>::of(topics.size(),
                                             [answer = std::move(command.answer)](std::vector<topic_details> details) {
                                               broker_stats stats;
                                               stats.topics = std::move(details);
                                               answer(std::move(stats));
                                             });
  for (std::size_t i = 0; i < topics.size(); ++i) tell(topics[i], command::get_topic{all->slot(i)});
}

}  // namespace mqlite
