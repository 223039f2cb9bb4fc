#include "daemon/broker_process.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <csignal>
#include <future>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

#include "actors/broker/broker_actor.hpp"
#include "actors/log/persistence_actor.hpp"
#include "daemon/actor_scheduler.hpp"
#include "daemon/storage.hpp"
#include "protocols/grpc/grpc_server.hpp"
#include "protocols/http/http_server.hpp"
#include "protocols/remote/remote_server.hpp"
#include "protocols/tcp/tcp_server.hpp"

namespace mqlite {
namespace {

std::size_t thread_count(const settings& config) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  return config.scheduler.threads > 0 ? config.scheduler.threads : cores;
}

// Loops of HTTP, and of TCP. Between events they run actors as the workers do, and a connection's messages that go to another one on
// the same loop wake nobody: on two cores one loop takes 0.8 of the CPU of two for a publish (8 connections; as many a second), and three
// quarters of the time from end to end. The other cores have the disk, memory, and work that piles up.
std::size_t loop_count(const settings& config) { return std::min<std::size_t>((thread_count(config) + 1) / 2, 16); }

// Without a limit a busy actor would keep its worker for itself.
class actor_config : public caf::actor_system_config {
 public:
  explicit actor_config(const settings& config) {
    choose_scheduler(*this);
    set("caf.scheduler.max-threads", thread_count(config));
    set("caf.scheduler.max-throughput", std::size_t{300});
    set("caf.logger.console.verbosity", "quiet");
    if (config.server.caf.enabled) remote_server::configure(*this);
  }
};

environment_ptr make_environment(const settings& config, persistence_actor log, std::shared_ptr<const clock> time) {
  auto env = std::make_shared<environment>();
  std::random_device random;
  env->clock = std::move(time);
  env->log = std::move(log);
  env->seed = static_cast<std::uint64_t>(random()) << 32 | random();
  env->defaults.ack_timeout = config.ack_timeout;
  env->max_memory = config.limits.max_memory;
  env->drain_timeout = config.drain_timeout;
  return env;
}

// Each connection is a file: take what the system allows.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void wait_for_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int which = 0;
  sigwait(&signals, &which);
  spdlog::info("{}: stopping", which == SIGTERM ? "SIGTERM" : "SIGINT");
}

// Ends the tree behind everything that the front ends passed on to it.
void shut_down(const broker_actor& broker, std::chrono::milliseconds patience) {
  auto ended = std::make_shared<std::promise<outcome<done>>>();
  auto end = ended->get_future();
  tell(broker, command::shut_down{reply<done>([ended](outcome<done> how) { ended->set_value(std::move(how)); })});
  if (end.wait_for(patience) != std::future_status::ready) {
    spdlog::error("the log could not be closed within shutdown_timeout");
    stop(broker);
  } else if (const auto how = end.get(); !how) {
    spdlog::error("{}", how.why().text);
  }
}

}  // namespace

void run_broker(const settings& config, const std::string& version) {
  raise_file_limit();
  caf::core::init_global_meta_objects();
  remote_server::init_types();
  caf::init_global_meta_objects<caf::id_block::mqlite>();

  const auto time = std::make_shared<system_clock>();
  posix_file_system files;
  opened_storage storage;
  if (config.persistence.enabled) storage = open_storage(files, config.persistence.aof, *time);

  actor_config caf_config(config);
  caf::actor_system system(caf_config);
  persistence_actor log;
  if (storage.writer)
    log = spawn_state<persistence_actor, persistence_state>(
        system, std::move(storage.writer), config.persistence.aof.fsync, time,
        rewrite_rules{config.persistence.aof.rewrite_min_size, config.persistence.aof.rewrite_percentage},
        thread_sharing_for(system));
  auto broker = start_broker(system, make_environment(config, log, time), std::move(storage.birth));
  log = nullptr;

  try {
    const auto connections = std::make_shared<connection_counter>(config.limits.max_connections);
    const auto publish_times = std::make_shared<latency_histogram>();
    const auto help = help_for(system);
    const auto loops = loop_count(config);
    http_server http({config.server.http, config.limits, loops, version, {}, connections, publish_times, help}, broker);
    tcp_server tcp({config.server.tcp, config.limits, loops, version, {}, connections, publish_times, help}, broker);
    grpc_server grpc({config.server.grpc, config.limits, version, connections, publish_times, help}, broker);
    std::optional<remote_server> remote;
    if (config.server.http.enabled) {
      const auto port = http.start();
      if (!port) throw std::runtime_error(port.why().text);
      spdlog::info("http: listening on {}:{}", config.server.http.address, *port);
    }
    if (config.server.tcp.enabled) {
      const auto port = tcp.start();
      if (!port) throw std::runtime_error(port.why().text);
      spdlog::info("tcp: listening on {}:{}", config.server.tcp.address, *port);
    }
    if (config.server.grpc.enabled) {
      const auto port = grpc.start();
      if (!port) throw std::runtime_error(port.why().text);
      spdlog::info("grpc: listening on {}:{}", config.server.grpc.address, *port);
    }
    if (config.server.caf.enabled) {
      remote.emplace(remote_options{config.server.caf, config.limits, version, connections, publish_times}, system,
                     broker);
      const auto port = remote->start();
      if (!port) throw std::runtime_error(port.why().text);
      spdlog::info("caf: listening on {}:{}", config.server.caf.address, *port);
    }
    spdlog::info(
        "mqlite {} is ready (log: {})", version,
        config.persistence.enabled ? config.persistence.aof.dir : std::string("none, nothing survives a restart"));
    wait_for_signal();
    {
      // All at once: together they have shutdown_timeout.
      const auto patience = config.shutdown_timeout;
      const std::jthread stopping_http([&] { http.stop(patience); });
      const std::jthread stopping_tcp([&] { tcp.stop(patience); });
      const std::jthread stopping_grpc([&] { grpc.stop(patience); });
      if (remote) remote->stop(patience);
    }
    shut_down(broker, config.shutdown_timeout);
  } catch (...) {
    shut_down(broker, config.shutdown_timeout);
    throw;
  }
  spdlog::info("stopped");
}

}  // namespace mqlite
