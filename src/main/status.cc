// argosy status
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/files.h"
#include "main/agents.h"
#include "main/api_client.h"
#include "main/data_directory.h"
#include "main/format.h"
#include "main/json_access.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr size_t kListedMax = 1000;          // more are counted as "1000 or more"
constexpr size_t kFilesCountedMax = 200000;  // a walk over more takes seconds
constexpr size_t kProcBytesMax = 64 * 1024;

// Resident memory of a process in bytes; 0 when it has ended.
uint64_t ResidentBytes(pid_t pid) {
  const Result<std::string> status = ReadFile(fmt::format("/proc/{}/status", pid), kProcBytesMax);
  if (!status.ok()) return 0;
  const size_t at = status->find("VmRSS:");
  if (at == std::string::npos) return 0;
  const std::string_view rest = Trim(std::string_view(*status).substr(at + 6));
  return static_cast<uint64_t>(ParseInt(rest.substr(0, rest.find(' '))).value_or(0)) * 1024;
}

struct Disk {
  uint64_t used = 0;
  uint64_t free = 0;
  bool all_counted = true;
};

Disk MeasureDisk(const std::filesystem::path& path) {
  Disk disk;
  struct statvfs info{};
  std::error_code error;
  std::filesystem::path there = path;  // or the nearest directory above: it is made at the first start
  while (!std::filesystem::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (statvfs(there.c_str(), &info) == 0) disk.free = info.f_bavail * info.f_frsize;
  size_t files = 0;
  std::filesystem::recursive_directory_iterator walk(path, error);
  for (; !error && walk != std::filesystem::recursive_directory_iterator(); walk.increment(error)) {
    if (++files > kFilesCountedMax) {
      disk.all_counted = false;
      break;
    }
    std::error_code gone;  // files come and go while a server works
    if (walk->is_regular_file(gone)) {
      const uint64_t size = walk->file_size(gone);
      if (!gone) disk.used += size;
    }
  }
  return disk;
}

// How many resources a List operation tells of, by status.
Result<std::map<std::string, size_t>> CountByStatus(ApiClient& client, const std::string& operation,
                                                    const std::string& list, const std::string& status_key) {
  std::map<std::string, size_t> counts;
  std::string token;
  size_t seen = 0;
  do {
    Json request = {{"MaxResults", 100}};
    if (!token.empty()) request["NextToken"] = token;
    const Result<Json> page = client.SageMaker(operation, request);
    if (!page.ok()) return page.error();
    for (const Json& one : ArrayAt(*page, list)) ++counts[TextAt(one, status_key)], ++seen;
    token = TextAt(*page, "NextToken");
  } while (!token.empty() && seen < kListedMax);
  return counts;
}

std::string CountsText(const std::map<std::string, size_t>& counts) {
  std::string text;
  size_t all = 0;
  for (const auto& [status, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, status);
    all += count;
  }
  if (all >= kListedMax) text += " among the newest " + std::to_string(kListedMax);
  return text.empty() ? "none" : text;
}

// What the server itself tells of its jobs and endpoints.
Status AddCounts(ApiClient& client, Table& facts, Json& json) {
  const auto jobs = CountByStatus(client, "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobStatus");
  if (!jobs.ok()) return jobs.error();
  const auto endpoints = CountByStatus(client, "ListEndpoints", "Endpoints", "EndpointStatus");
  if (!endpoints.ok()) return endpoints.error();
  facts.Add({"training jobs", CountsText(*jobs)});
  facts.Add({"endpoints", CountsText(*endpoints)});
  json["TrainingJobs"] = *jobs;
  json["Endpoints"] = *endpoints;
  return {};
}

// Of a server that is known by its address alone: its processes, disk and memory are its own machine's affair.
int ShowNamedServer(const Options& options, OutputForm form) {
  Result<ApiClient> client = ApiClient::Connect(options);
  if (!client.ok()) return Fail(client.error());
  Json json = {{"Server", {{"Endpoint", options.endpoint}}}};
  Table facts({{"SERVER"}, {"running"}});
  facts.Add({"endpoint", options.endpoint});
  if (Status counted = AddCounts(*client, facts, json); !counted.ok()) return Fail(counted.error());
  if (form == OutputForm::kJson) {
    PrintJson(json);
  } else {
    Print(facts.Render(OutputWidth()));
  }
  return kExitOk;
}

}  // namespace

int RunStatus(const Settings& settings, const StatusArgs& args) {
  const Options& options = settings.options;
  const std::optional<ServerRecord> server = FindServer(options.data_dir);
  if (!options.endpoint.empty() && (!server || server->endpoint != options.endpoint)) {
    return ShowNamedServer(options, args.form);
  }
  const std::vector<RunningAgent> agents = FindAgents(options.data_dir);
  const Disk disk = MeasureDisk(options.data_dir);
  Json json = {{"DataDirectory", options.data_dir.string()},
               {"Server", nullptr},
               {"Instances", Json::array()},
               {"DiskUsedBytes", disk.used},
               {"DiskFreeBytes", disk.free}};
  Table facts({{"SERVER"}, {server ? "running" : "not running"}});
  uint64_t agents_bytes = 0;
  for (const RunningAgent& agent : agents) {
    const uint64_t bytes = ResidentBytes(agent.process.pid);
    agents_bytes += bytes;
    json["Instances"].push_back({{"InstanceId", agent.instance_id},
                                 {"Kind", agent.role == protocol::Role::kTraining ? "training-job" : "endpoint"},
                                 {"For", agent.name},
                                 {"Process", agent.process.pid},
                                 {"MemoryBytes", bytes}});
  }

  Status answered;
  if (server) {
    const Time now = SystemClock().Now();
    const uint64_t bytes = ResidentBytes(server->process.pid);
    facts.Add({"endpoint", server->endpoint});
    facts.Add({"process", fmt::format("{}, version {}, started {}", server->process.pid, server->version,
                                      FormatAge(now - server->process.started))});
    facts.Add({"memory", fmt::format("{}, instances {}", FormatByteCount(bytes), FormatByteCount(agents_bytes))});
    json["Server"] = {{"Endpoint", server->endpoint},
                      {"Process", server->process.pid},
                      {"Version", server->version},
                      {"StartTime", FormatIso8601(server->process.started)},
                      {"MemoryBytes", bytes}};
    Result<ApiClient> client = ApiClient::Connect(options);
    answered = client.ok() ? AddCounts(*client, facts, json) : Status(client.error());
  }
  facts.Add({"instances", std::to_string(agents.size())});
  facts.Add({"directory", options.data_dir.string()});
  facts.Add({"disk", fmt::format("{}{} used, {} free", disk.all_counted ? "" : "more than ", FormatByteCount(disk.used),
                                 FormatByteCount(disk.free))});
  if (args.form == OutputForm::kJson) {
    PrintJson(json);
  } else {
    Print(facts.Render(OutputWidth()));
  }
  if (!answered.ok()) return Fail(answered.error());
  if (!server) return FailWith(kExitNoServer, "no server runs here; start it with `argosy up --detach`");
  return kExitOk;
}

}  // namespace argosy::main
