// argosy jobs [JOB]
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "main/api_client.h"
#include "main/format.h"
#include "main/job_view.h"
#include "main/json_access.h"
#include "main/sources.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

int DescribeOne(ApiClient& client, const JobsArgs& args) {
  const Result<Json> described = client.SageMaker("DescribeTrainingJob", {{"TrainingJobName", args.name}});
  if (!described.ok()) return Fail(described.error().Wrap(args.name));
  if (args.form == OutputForm::kJson) {
    PrintJson(JobJson(*described));
    return kExitOk;
  }
  JobView job = ReadJob(*described);
  // One that was stopped may have had nothing to leave.
  if (const Result<bool> there = IsThere(client, job.artifact); there.ok() && !*there) job.artifact.clear();
  Print(RenderJobEnd(job, OutputWidth()));
  Table steps({{"STEP"}, {"STARTED"}, {"TOOK", Align::kRight}, {"MESSAGE", Align::kLeft, TooLong::kWrap}});
  for (const Json& transition : ArrayAt(*described, "SecondaryStatusTransitions")) {
    const std::optional<Time> start = TimeAt(transition, "StartTime");
    const std::optional<Time> end = TimeAt(transition, "EndTime");
    steps.Add({TextAt(transition, "Status"), start ? FormatLocalTime(*start) : "",
               start && end ? FormatDuration(*end - *start) : "", TextAt(transition, "StatusMessage")});
  }
  Print("\n" + steps.Render(OutputWidth()));
  return kExitOk;
}

}  // namespace

int RunJobs(const Settings& settings, const JobsArgs& args) {
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  if (!args.name.empty()) return DescribeOne(*client, args);

  constexpr size_t kPageMax = 100;  // what the service gives at once
  Json summaries = Json::array();
  std::string token;
  do {
    Json request = {{"SortBy", "CreationTime"}, {"SortOrder", "Descending"}};
    request["MaxResults"] = std::min(kPageMax, args.max - summaries.size());
    if (!args.status.empty()) request["StatusEquals"] = args.status;
    if (!token.empty()) request["NextToken"] = token;
    const Result<Json> page = client->SageMaker("ListTrainingJobs", request);
    if (!page.ok()) return Fail(page.error());
    for (const Json& summary : ArrayAt(*page, "TrainingJobSummaries")) summaries.push_back(summary);
    token = TextAt(*page, "NextToken");
  } while (!token.empty() && summaries.size() < args.max);

  if (args.form == OutputForm::kJson) {
    PrintJson(summaries);
    return kExitOk;
  }
  if (summaries.empty()) {
    Note("no training jobs; start one with `argosy train my.csv`");
    return kExitOk;
  }
  const Time now = SystemClock().Now();
  Table table({{"JOB"}, {"STATUS"}, {"MADE BY"}, {"CREATED"}, {"TOOK", Align::kRight}});
  for (const Json& summary : summaries) {
    const std::optional<Time> created = TimeAt(summary, "CreationTime");
    const std::optional<Time> ended = TimeAt(summary, "TrainingEndTime");
    const std::string status = TextAt(summary, "TrainingJobStatus");
    const std::string step = TextAt(summary, "SecondaryStatus");
    table.Add({TextAt(summary, "TrainingJobName"),
               status == "InProgress" && !step.empty() ? status + ", " + step : status, MakerAt(summary),
               created ? FormatAge(now - *created) : "", created && ended ? FormatDuration(*ended - *created) : ""});
  }
  Print(table.Render(OutputWidth()));
  return kExitOk;
}

}  // namespace argosy::main
