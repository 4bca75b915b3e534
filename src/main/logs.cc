// argosy logs NAME [-f]
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "main/api_client.h"
#include "main/format.h"
#include "main/job_view.h"
#include "main/log_reader.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr auto kFollowPause = std::chrono::milliseconds(300);

enum class Subject { kJob, kEndpoint };

Result<bool> IsThere(ApiClient& client, std::string_view operation, const Json& request) {
  const Result<Json> described = client.SageMaker(operation, request);
  if (described.ok()) return true;
  if (described.error().code() == ErrorCode::kNotFound) return false;
  return described.error();
}

// A job and the endpoint that serves its model often share a name: `deploy` calls it so.
Result<Subject> FindSubject(ApiClient& client, const LogsArgs& args) {
  const std::string& name = args.name;
  const Result<bool> job =
      args.of == "endpoint" ? false : IsThere(client, "DescribeTrainingJob", {{"TrainingJobName", name}});
  if (!job.ok()) return job.error();
  const Result<bool> endpoint =
      args.of == "job" ? false : IsThere(client, "DescribeEndpoint", {{"EndpointName", name}});
  if (!endpoint.ok()) return endpoint.error();
  if (*job && *endpoint) {
    Note(fmt::format("this is the training job's log; an endpoint is called so too: `argosy logs {} --of endpoint`",
                     name));
  }
  if (*job) return Subject::kJob;
  if (*endpoint) return Subject::kEndpoint;
  const std::string what = args.of.empty() ? "job or endpoint" : args.of;
  return Error(ErrorCode::kNotFound,
               fmt::format("there is no {} '{}'; `argosy jobs` and `argosy endpoints` list them", what, name));
}

bool JobEnded(ApiClient& client, const std::string& name) {
  const Result<Json> job = client.SageMaker("DescribeTrainingJob", {{"TrainingJobName", name}});
  return !job.ok() || ReadJob(*job).ended();
}

void PrintLines(const std::vector<LogLine>& lines, OutputForm form, std::set<std::string>& streams) {
  for (const LogLine& line : lines) streams.insert(line.stream);
  std::string out;
  for (const LogLine& line : lines) {
    if (form == OutputForm::kJson) {
      out +=
          DumpJson({{"timestamp", ToUnixMillis(line.timestamp)}, {"stream", line.stream}, {"message", line.message}});
    } else {
      if (streams.size() > 1) out += line.stream.substr(line.stream.rfind('/') + 1) + "  ";
      out += line.message;
    }
    out += "\n";
  }
  Print(out);
}

}  // namespace

int RunLogs(const Settings& settings, const LogsArgs& args) {
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Result<Subject> subject = FindSubject(*client, args);
  if (!subject.ok()) return Fail(subject.error());
  LogReader reader = *subject == Subject::kJob ? LogReader(&*client, std::string(kTrainingLogGroup), args.name + "/")
                                               : LogReader(&*client, EndpointLogGroup(args.name), "");
  InterruptGuard interrupt;
  std::set<std::string> streams;
  for (bool first = true;; first = false) {
    // Asked before reading: what was written until the job's end is then read once more.
    const bool last = args.follow == Follow::kOnce || (*subject == Subject::kJob && JobEnded(*client, args.name));
    Result<std::vector<LogLine>> lines = reader.Next();
    if (!lines.ok()) return Fail(lines.error());
    if (first && args.tail > 0 && lines->size() > args.tail) {
      lines->erase(lines->begin(), lines->end() - static_cast<std::ptrdiff_t>(args.tail));
    }
    PrintLines(*lines, args.form, streams);
    if (last) return kExitOk;
    interrupt.Sleep(kFollowPause);
    if (interrupt.interrupted()) return kExitInterrupted;
  }
}

}  // namespace argosy::main
