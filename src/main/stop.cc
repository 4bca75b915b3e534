// argosy stop JOB
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "main/api_client.h"
#include "main/job_view.h"
#include "main/sources.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {

int RunStop(const Settings& settings, const StopArgs& args) {
  constexpr auto kPause = std::chrono::milliseconds(200);
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Json request = {{"TrainingJobName", args.name}};
  const Result<Json> stopped = client->SageMaker("StopTrainingJob", request);
  if (!stopped.ok()) return Fail(stopped.error().Wrap(args.name));
  InterruptGuard interrupt;
  ProgressLine progress;
  for (;;) {
    const Result<Json> described = client->SageMaker("DescribeTrainingJob", request);
    if (!described.ok()) return Fail(described.error());
    const JobView job = ReadJob(*described);
    if (job.ended() || args.waiting == Waiting::kNoWait) {
      progress.Clear();
      if (args.form == OutputForm::kJson) {
        PrintJson(JobJson(*described));
      } else {
        Print(fmt::format("{} is {}\n", job.name, job.status));
        const Result<bool> left = IsThere(*client, job.artifact);
        if (left.ok() && *left) Print(fmt::format("what it had learnt: {}\n", job.artifact));
      }
      return kExitOk;
    }
    progress.Show(fmt::format("{}: {}  {}", job.name, job.secondary_status, job.message));
    interrupt.Sleep(kPause);
    if (interrupt.interrupted()) {
      progress.Clear();
      Note(fmt::format("{} goes on stopping; `argosy jobs {}` shows it", args.name, args.name));
      return kExitInterrupted;
    }
  }
}

}  // namespace argosy::main
