#include "main/server.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <future>
#include <optional>
#include <string_view>
#include <thread>

#include "algorithms/algorithm.h"
#include "api/autoscaling/autoscaling_service.h"
#include "api/cloudwatch/cloudwatch_service.h"
#include "api/front_door.h"
#include "api/iam/iam_service.h"
#include "api/iam/key_feed.h"
#include "api/logs/logs_service.h"
#include "api/runtime/runtime_service.h"
#include "api/s3/s3_service.h"
#include "api/sagemaker/sagemaker_service.h"
#include "api/sts/sts_service.h"
#include "auth/credentials.h"
#include "auth/key_ring.h"
#include "auth/session_store.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "catalog/sqlite_catalog.h"
#include "compute/local/local_compute.h"
#include "control/alarms_executor.h"
#include "control/controller.h"
#include "control/live_counters.h"
#include "control/metrics_feed.h"
#include "control/session_feed.h"
#include "cost/instance_types.h"
#include "http/server.h"
#include "main/metrics_page.h"
#include "main/object_publisher.h"
#include "main/objects.h"
#include "objectstore/mounted/mounts.h"
#include "observe/file_log_store.h"
#include "observe/metric_store.h"
#include "serving/capture_writer.h"
#include "serving/router.h"

namespace argosy::main {
namespace {

// Requests that block (disk, SQLite) run on one pool, the control plane's work on another, so that no flood of requests
// keeps jobs from starting.
constexpr size_t kRequestThreads = 8;
constexpr size_t kRequestQueueMax = 4096;  // as many as connections by default: each has one request under way
constexpr size_t kOutsideThreads = 32;     // each waits for the outside most of its time
constexpr size_t kFileThreads = 2;         // each sends a few megabytes of an object at a time
constexpr size_t kControlThreads = 4;
constexpr size_t kControlQueueMax = 65536;            // a task or two for each instance and job that changes at once
constexpr auto kPoolRetry = std::chrono::seconds(1);  // when too much waits for the control pool
constexpr auto kEndpointsWaitMax = std::chrono::seconds(5);  // for endpoints' instances to answer a new server
constexpr auto kExpiryPeriodMax = std::chrono::hours(1);     // between two looks for uploads that nobody goes on with
constexpr auto kStopBound = std::chrono::seconds(5);         // for requests under way when the server is told to stop

std::string UrlOf(const ListenAddress& listen, uint16_t port) {
  std::string host = listen.host;
  if (host == "0.0.0.0") host = "127.0.0.1";  // all addresses: the one that is reached from here
  if (host == "::") host = "::1";
  return host.find(':') == std::string::npos ? fmt::format("http://{}:{}", host, port)
                                             : fmt::format("http://[{}]:{}", host, port);
}

// Connections, objects being read and instances each take descriptors; the soft limit is often 1024.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// An event loop on a thread of its own.
class LoopThread {
 public:
  ~LoopThread() { Stop(); }
  EventLoop& loop() { return loop_; }
  void Start() {
    thread_ = std::thread([this] { loop_.Run(); });
  }
  // Somebody else has told, or will tell, the loop to stop.
  void WaitForEnd() {
    if (thread_.joinable()) thread_.join();
  }
  void Stop() {
    if (!thread_.joinable()) return;
    loop_.Stop();
    thread_.join();
  }

 private:
  EventLoop loop_;
  std::thread thread_;
};

}  // namespace

// In the order of construction; torn down by ~Server, which says why in which order.
struct Server::Parts {
  SystemClock clock;
  SystemRandom random;
  std::string endpoint;
  bool credentials_made = false;

  std::unique_ptr<LoopThread> control = std::make_unique<LoopThread>();
  std::vector<std::unique_ptr<LoopThread>> fronts;  // serve connections

  std::unique_ptr<ThreadPool> request_pool;
  std::unique_ptr<ThreadPool> file_pool;     // sends objects to clients
  std::unique_ptr<ThreadPool> outside_pool;  // S3's, when objects lie outside: who waits for them holds up nobody else
  std::unique_ptr<ThreadPool> control_pool;

  std::unique_ptr<auth::KeyRing> keys;
  std::unique_ptr<api::iam::KeyFeed> key_feed;
  std::optional<auth::SessionKey> session_key;
  std::unique_ptr<auth::SessionStore> sessions;
  std::unique_ptr<control::SessionFeed> session_feed;
  std::unique_ptr<objectstore::ObjectStore> objects;
  std::unique_ptr<observe::FileLogStore> logs;
  std::unique_ptr<observe::MetricStore> metrics;
  std::unique_ptr<catalog::SqliteCatalog> catalog;
  std::unique_ptr<serving::CaptureWriter> capture;
  std::unique_ptr<serving::Router> router;
  std::unique_ptr<compute::LocalCompute> compute;
  control::LiveCounters counters;
  std::unique_ptr<control::MetricsFeed> feed;
  std::unique_ptr<ObjectPublisher> publisher;
  std::unique_ptr<control::Controller> controller;
  std::unique_ptr<control::AlarmsExecutor> alarms;

  std::unique_ptr<api::Service> sagemaker, log_service, cloudwatch, autoscaling, sts, iam, runtime;
  std::unique_ptr<api::Service> s3;
  api::FrontDoorTable table;
  std::vector<std::unique_ptr<api::FrontDoor>> doors;
  std::vector<std::unique_ptr<http::Server>> servers;

  // Runs `work` on the pool, and on the control thread what it returns.
  void OnControlPool(std::function<Task()> work);
  Status OpenStores(const Options& options, const DataDirectory& directory);
  Status StartControl(const Options& options, const DataDirectory& directory);
  void MakeServices(const Options& options);
  Status Listen(const Options& options, UniqueFd listener);
  // Asks the services, once they are made.
  api::MayDo MayDoAnything() const;
  void AwaitEndpoints();
  // Now, and then again and again: aborts uploads of which nothing has been heard for `age`.
  void ExpireUploads(std::chrono::seconds age);
};

Status Server::Parts::OpenStores(const Options& options, const DataDirectory& directory) {
  std::optional<auth::GivenKey> given;
  if (!options.access_key_id.empty()) given = auth::GivenKey{options.access_key_id, options.secret_access_key};
  std::error_code error;
  const bool had_file = std::filesystem::exists(directory.credentials_file(), error);
  Result<auth::Credential> owner = auth::LoadOrCreateCredentials(directory.credentials_file(), random, given);
  if (!owner.ok()) return owner.error().Wrap("the credentials cannot be used");
  credentials_made = !given && !had_file;
  keys = std::make_unique<auth::KeyRing>(std::move(*owner));

  Result<std::unique_ptr<objectstore::ObjectStore>> store = OpenObjects(options, directory.path(), &clock, &random);
  if (!store.ok()) return store.error().Wrap("the object store cannot be opened");
  store = objectstore::MountFolders(std::move(*store), options.mounts, ObjectsDirectory(options, directory.path()),
                                    directory.path());
  if (!store.ok()) return store.error().Wrap("--mount");
  objects = std::move(*store);

  Result<std::unique_ptr<observe::FileLogStore>> log_store = observe::FileLogStore::Open(directory.path() / "logs");
  if (!log_store.ok()) return log_store.error().Wrap("the log store cannot be opened");
  logs = std::move(*log_store);

  Result<std::unique_ptr<observe::MetricStore>> metric_store =
      observe::MetricStore::Open(directory.path() / "metrics.db", &clock);
  if (!metric_store.ok()) return metric_store.error().Wrap("the file of metrics cannot be opened");
  metrics = std::move(*metric_store);

  if (Status made = MakeDirectories(directory.path() / "catalog"); !made.ok()) return made;
  Result<std::unique_ptr<catalog::SqliteCatalog>> opened =
      catalog::SqliteCatalog::Open((directory.path() / "catalog").string());
  if (!opened.ok()) return opened.error().Wrap("the catalog cannot be opened");
  catalog = std::move(*opened);
  key_feed = std::make_unique<api::iam::KeyFeed>(keys.get());
  if (Status read = key_feed->Load(*catalog); !read.ok()) return read.error().Wrap("reading users' keys");
  Result<auth::SessionKey> made = auth::LoadOrCreateSessionKey(directory.session_key_file(), random);
  if (!made.ok()) return made.error();
  session_key = *made;
  sessions = std::make_unique<auth::SessionStore>(keys.get(), *session_key, &clock);
  session_feed = std::make_unique<control::SessionFeed>(sessions.get());
  if (Status read = session_feed->Load(*catalog); !read.ok()) return read.error().Wrap("reading the open sessions");
  return {};
}

void Server::Parts::OnControlPool(std::function<Task()> work) {
  const Status queued = control_pool->Submit([this, work] { control->loop().Post(work()); });
  if (queued.ok()) return;
  control->loop().After(kPoolRetry, [this, work = std::move(work)] { OnControlPool(work); });
}

Status Server::Parts::StartControl(const Options& options, const DataDirectory& directory) {
  compute::LocalOptions local;
  local.data_dir = directory.path();
  local.hosts_max = options.hosts_max;
  local.python = options.python;
  local.memory_limit_bytes = options.memory_bytes;
  compute = std::make_unique<compute::LocalCompute>(control->loop(), *control_pool, *logs, local);
  feed = std::make_unique<control::MetricsFeed>(
      metrics.get(), compute.get(), &control->loop(), &clock,
      [this](const serving::VariantName& name) { return router->InstanceCount(name); });
  router->load().Listen([this](const serving::VariantName& name, int64_t second, const serving::VariantCounts& counts) {
    feed->OnLoad(name, second, counts);
    counters.OnLoad(name, counts);
  });
  feed->OnLook([this](const std::vector<compute::InstanceUse>& uses) { counters.OnUses(uses); });
  publisher = std::make_unique<ObjectPublisher>(objects.get(), control_pool.get(), &control->loop());

  control::ControlOptions control_options;
  control_options.region = options.region;
  control_options.account = std::string(auth::kAccountId);
  control_options.type_policy = options.strict_types;
  control_options.objects_dir = ObjectsDirectory(options, directory.path()).string();
  control_options.sign_in = [this](const protocol::Assignment& assignment) {
    return control::SignIn(*session_key, assignment, endpoint, clock.Now());
  };
  controller = std::make_unique<control::Controller>(
      catalog.get(), compute.get(), publisher.get(), router.get(), &control->loop(), &clock, &random, control_options,
      control::ScalingSources{.load = &router->load(), .metrics = metrics.get(), .pool = control_pool.get()});
  alarms = std::make_unique<control::AlarmsExecutor>(
      catalog.get(), metrics.get(), [this](std::function<Task()> work) { OnControlPool(std::move(work)); },
      &control->loop(), &clock, options.region, std::string(auth::kAccountId));
  alarms->OnInAlarm([this](std::set<std::string, std::less<>> names) { controller->OnAlarms(std::move(names)); });
  alarms->AddListener(controller.get());
  catalog->SetChangeListener([this](const catalog::Change& change) {
    key_feed->OnChange(change);
    session_feed->OnChange(change);
    controller->OnChange(change);
    alarms->OnChange(change);
    counters.OnChange(change);
  });
  if (Status read = counters.Load(*catalog); !read.ok()) return read.error().Wrap("counting what the catalog has");
  controller->Feed(feed.get());
  if (Status started = controller->Start(); !started.ok())
    return started.error().Wrap("taking up what the catalog has");
  if (Status started = alarms->Start(); !started.ok()) return started.error().Wrap("taking up the alarms");
  feed->Start();
  metrics->Start();
  return {};
}

void Server::Parts::MakeServices(const Options& options) {
  api::SageMakerOptions sagemaker_options;
  sagemaker_options.region = options.region;
  sagemaker_options.instance_types = cost::InstanceTypeNames();
  sagemaker_options.instances_max = options.hosts_max;
  sagemaker_options.is_builtin_image = [](std::string_view image) {
    return algorithms::FindAlgorithm(image) != nullptr;
  };
  sagemaker_options.builtin_metrics = [](const std::string& image, const algorithms::Hyperparameters& hyperparameters) {
    std::vector<catalog::MetricDefinition> definitions;
    const algorithms::Algorithm* const algorithm = algorithms::FindAlgorithm(image);
    if (algorithm == nullptr) return definitions;
    for (algorithms::LoggedMetric& metric : algorithm->Metrics(hyperparameters)) {
      definitions.push_back({std::move(metric.name), std::move(metric.regex)});
    }
    return definitions;
  };
  for (const algorithms::Algorithm* algorithm : algorithms::AllAlgorithms()) {
    sagemaker_options.builtin_names.emplace_back(algorithm->name());
  }
  sagemaker =
      api::MakeSageMakerService(std::move(sagemaker_options), {catalog.get(), request_pool.get(), &clock, &random});
  log_service = api::MakeLogsService(logs.get(), request_pool.get(), options.region);
  cloudwatch = api::MakeCloudWatchService(
      {metrics.get(), metrics.get(), metrics.get(), catalog.get(), request_pool.get(), &clock, &random},
      options.region);
  autoscaling = api::MakeAutoscalingService({catalog.get(), request_pool.get(), &clock, &random}, options.region);
  s3 = std::make_unique<api::s3::S3Service>(objects.get(), outside_pool ? outside_pool.get() : request_pool.get(),
                                            options.region);
  sts = api::MakeStsService();
  iam = api::MakeIamService({catalog.get(), request_pool.get(), &clock, &random, MayDoAnything()});
  runtime = api::MakeRuntimeService(router.get(), &clock, {options.region, std::string(auth::kAccountId)});
  table.sagemaker = sagemaker.get();
  table.logs = log_service.get();
  table.cloudwatch = cloudwatch.get();
  table.autoscaling = autoscaling.get();
  table.s3 = s3.get();
  table.sts = sts.get();
  table.iam = iam.get();
  table.runtime = runtime.get();
  table.pages["/-/health"] = api::HealthPage;
  if (options.metrics_access != MetricsAccess::kNone) {
    table.pages["/-/metrics"] = MetricsPage(options.metrics_access, clock.Now(), [this](observe::PrometheusText& page) {
      counters.Write(page, router->InstanceCounts());
      metrics->Write(page);
    });
  }
}

api::MayDo Server::Parts::MayDoAnything() const {
  return [this](const auth::Principal& principal, std::string_view action,
                std::string_view resource) -> std::optional<bool> {
    for (const auto* service : {&sagemaker, &runtime, &s3, &log_service, &cloudwatch, &autoscaling, &sts, &iam}) {
      if (const std::optional<bool> may = (*service)->MayDo(principal, action, resource)) return may;
    }
    return std::nullopt;
  };
}

Status Server::Parts::Listen(const Options& options, UniqueFd listener) {
  http::ServerLimits limits;
  limits.connections_max = options.connections_max;
  for (uint32_t i = 0; i < options.event_loops; ++i) {
    EventLoop& loop = fronts[i]->loop();
    doors.push_back(std::make_unique<api::FrontDoor>(&table, sessions.get(), &clock, random.Next()));
    servers.push_back(std::make_unique<http::Server>(&loop, doors.back().get(), limits, &clock, file_pool.get()));
    Result<UniqueFd> own = http::DuplicateListener(listener);
    if (!own.ok()) return own.error();
    std::promise<Status> begun;
    loop.Post([&] { begun.set_value(servers.back()->Listen(std::move(*own))); });
    if (Status listening = begun.get_future().get(); !listening.ok()) return listening;
  }
  return {};
}

void Server::Parts::ExpireUploads(std::chrono::seconds age) {
  OnControlPool([this, age] {
    const Result<size_t> expired = objects->ExpireUploads(clock.Now() - age);
    if (!expired.ok()) {
      Log(LogLevel::kWarning, "unfinished uploads were not looked through", {{"reason", expired.error().message()}});
    } else if (*expired > 0) {
      Log(LogLevel::kInfo, "unfinished uploads have expired", {{"count", std::to_string(*expired)}});
    }
    return [this, age] {
      control->loop().After(std::min<Duration>(age, kExpiryPeriodMax), [this, age] { ExpireUploads(age); });
    };
  });
}

// Endpoints whose instances outlived the last server answer before this one says that it is ready.
void Server::Parts::AwaitEndpoints() {
  auto answering = std::make_shared<std::promise<void>>();
  std::future<void> all = answering->get_future();
  control->loop().Post([this, answering] { controller->WhenAllAnswer([answering] { answering->set_value(); }); });
  if (all.wait_for(kEndpointsWaitMax) != std::future_status::ready) {
    Log(LogLevel::kWarning, "not all instances of endpoints answer yet");
  }
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Server>> Server::Start(const Options& options, const DataDirectory& directory) {
  // Each thread would otherwise keep freed memory of its own; two arenas are enough for what is not on the hot path.
  mallopt(M_ARENA_MAX, 2);
  RaiseDescriptorLimit();
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>()));
  Parts& parts = *server->parts_;
  // First what fails most: a port that is taken is known before anything is opened.
  Result<UniqueFd> listener = http::OpenListener(options.listen.host, options.listen.port);
  if (!listener.ok()) return listener.error();
  Result<uint16_t> port = http::PortOf(*listener);
  if (!port.ok()) return port.error();
  parts.endpoint = UrlOf(options.listen, *port);
  parts.request_pool = std::make_unique<ThreadPool>("request", kRequestThreads, kRequestQueueMax);
  parts.file_pool = std::make_unique<ThreadPool>("files", kFileThreads, kRequestQueueMax);
  if (!options.object_store.empty()) {
    parts.outside_pool = std::make_unique<ThreadPool>("objects", kOutsideThreads, kRequestQueueMax);
  }
  parts.control_pool = std::make_unique<ThreadPool>("control", kControlThreads, kControlQueueMax);
  for (uint32_t i = 0; i < options.event_loops; ++i) parts.fronts.push_back(std::make_unique<LoopThread>());
  if (Status opened = parts.OpenStores(options, directory); !opened.ok()) return opened.error();
  parts.capture = std::make_unique<serving::CaptureWriter>(parts.objects.get(), &parts.clock, &parts.random);
  std::vector<EventLoop*> loops;
  for (auto& front : parts.fronts) loops.push_back(&front->loop());
  parts.router = std::make_unique<serving::Router>(parts.control->loop(), loops, parts.clock, parts.capture.get(),
                                                   parts.random.Next());
  if (Status started = parts.StartControl(options, directory); !started.ok()) return started.error();
  parts.MakeServices(options);
  if (options.upload_expiry.count() > 0) parts.ExpireUploads(options.upload_expiry);
  parts.control->Start();
  for (auto& front : parts.fronts) front->Start();
  // Connections wait in the listener's queue: nobody is told that an endpoint is not there only because it is not yet.
  parts.AwaitEndpoints();
  if (Status listening = parts.Listen(options, std::move(*listener)); !listening.ok()) return listening.error();
  return server;
}

// First the port: requests under way are answered. Then the threads, so that nothing calls anything any more; the pools
// and the catalog's writer finish what they have, but for what waits for an outside object store. Only then the parts,
// before the loops that they post to.
Server::~Server() {
  Parts& p = *parts_;
  for (size_t i = 0; i < p.servers.size(); ++i) {
    p.fronts[i]->loop().Post([&p, i] { p.servers[i]->Stop(kStopBound, [&p, i] { p.fronts[i]->loop().Stop(); }); });
  }
  for (size_t i = p.servers.size(); i < p.fronts.size(); ++i) p.fronts[i]->loop().Stop();  // it did not come so far
  for (auto& front : p.fronts) front->WaitForEnd();
  p.control->Stop();
  if (p.objects != nullptr) p.objects->Stop();
  p.request_pool.reset();
  p.file_pool.reset();
  p.outside_pool.reset();
  p.control_pool.reset();
  p.catalog.reset();
  p.servers.clear();
  p.doors.clear();
  p.alarms.reset();
  p.controller.reset();
  p.publisher.reset();
  p.feed.reset();
  p.compute.reset();
  p.router.reset();
  p.capture.reset();
}

const std::string& Server::endpoint() const {
  return parts_->endpoint;
}
bool Server::credentials_made() const {
  return parts_->credentials_made;
}

}  // namespace argosy::main
