#include "agent/program/program_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace argosy::agent {
namespace {

constexpr std::string_view kWorkersVariable = "SAGEMAKER_MODEL_SERVER_WORKERS";
constexpr std::string_view kConcurrentVariable = "ARGOSY_MAX_CONCURRENT_REQUESTS";
constexpr std::string_view kPythonVariable = "ARGOSY_PYTHON";
constexpr std::string_view kProgramVariable = "SAGEMAKER_PROGRAM";
constexpr std::string_view kSubmitVariable = "SAGEMAKER_SUBMIT_DIRECTORY";
constexpr const char* kServeName = "serve";

std::string_view Value(const catalog::ModelSpec& model, std::string_view name) {
  const auto it = model.environment.find(std::string(name));
  return it == model.environment.end() ? std::string_view() : std::string_view(it->second);
}

Result<std::optional<unsigned>> Count(const catalog::ModelSpec& model, std::string_view name, unsigned most) {
  const std::string_view text = Value(model, name);
  if (text.empty()) return std::optional<unsigned>();
  const std::optional<int64_t> number = ParseInt(text);
  if (!number || *number < 1 || *number > most) {
    return Invalid(
        fmt::format("{} in the model's Environment is '{}'; it must be a number from 1 to {}", name, text, most));
  }
  return std::optional<unsigned>(static_cast<unsigned>(*number));
}

// What the program gets, later entries over earlier ones.
class Environment {
 public:
  void Set(const std::string& name, std::string value) { values_[name] = std::move(value); }
  void SetIfAbsent(const std::string& name, const std::string& value) { values_.try_emplace(name, value); }
  const std::string& Of(const std::string& name) { return values_[name]; }
  std::vector<std::string> Lines() const {
    std::vector<std::string> out;
    for (const auto& [name, value] : values_) out.push_back(name + "=" + value);
    return out;
  }

 private:
  std::map<std::string, std::string> values_;
};

Environment BaseEnvironment(const ProgramContext& context) {
  Environment out;
  out.Set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  for (const char* inherited : {"PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"}) {
    const auto it = context.own_environment.find(inherited);
    if (it != context.own_environment.end()) out.Set(inherited, it->second);
  }
  out.Set("HOME", context.paths.scratch);
  out.Set("TMPDIR", context.paths.scratch);
  out.Set("AWS_REGION", context.region);
  out.Set("SM_MODEL_DIR", context.paths.model);
  // Keys of the user's own go with no token of ours.
  if (context.session && !context.model->environment.contains("AWS_ACCESS_KEY_ID")) {
    out.Set("AWS_DEFAULT_REGION", context.region);
    out.Set("AWS_ACCESS_KEY_ID", context.session->access_key_id);
    out.Set("AWS_SECRET_ACCESS_KEY", context.session->secret_access_key);
    out.Set("AWS_SESSION_TOKEN", context.session->token);
    out.Set("AWS_ENDPOINT_URL", context.session->endpoint);
  }
  for (const auto& [name, value] : context.model->environment) out.Set(name, value);
  return out;
}

}  // namespace

model::ImageServer ServerOfModel(const catalog::ModelSpec& model) {
  return model::ServerOfImage(model.image,
                              Value(model, kProgramVariable).empty() ? model::Script::kNone : model::Script::kGiven);
}

std::optional<std::string> SubmitArchive(const catalog::ModelSpec& model) {
  const std::string_view value = Value(model, kSubmitVariable);
  if (!value.starts_with("s3://")) return std::nullopt;
  return std::string(value);
}

unsigned WorkersThatFit(unsigned cpus, uint64_t model_bytes, uint64_t memory_bytes) {
  const unsigned wanted = std::clamp(cpus, 1U, kWorkersMax);
  if (memory_bytes == 0 || model_bytes == 0) return wanted;
  const uint64_t fit = memory_bytes / 2 / (2 * model_bytes);
  return static_cast<unsigned>(std::clamp<uint64_t>(fit, 1, wanted));
}

Result<ProgramPlan> PlanProgram(const ProgramContext& context) {
  const catalog::ModelSpec& model = *context.model;
  ProgramPlan plan;
  plan.server = ServerOfModel(model);
  Environment environment = BaseEnvironment(context);
  if (plan.server == model::ImageServer::kProgram) {
    const Result<std::optional<unsigned>> concurrent = Count(model, kConcurrentVariable, kConcurrentRequestsMax);
    if (!concurrent.ok()) return concurrent.error();
    plan.concurrent_max = concurrent->value_or(std::max(1U, context.cpus));
    plan.port = context.port;
    environment.Set("SAGEMAKER_BIND_TO_PORT", std::to_string(context.port));
    plan.arguments = {context.paths.model / kServeName, kServeName};
    // As `docker run IMAGE serve`: the program's own path, then the word.
    plan.directory = context.paths.model;
  } else {
    const Result<std::optional<unsigned>> workers = Count(model, kWorkersVariable, kWorkersMax);
    if (!workers.ok()) return workers.error();
    plan.processes = workers->value_or(WorkersThatFit(context.cpus, context.model_bytes, context.memory_bytes));
    const std::string_view chosen = Value(model, kPythonVariable);
    plan.arguments = {chosen.empty() ? context.interpreter : std::string(chosen),
                      "-u",
                      "-m",
                      "argosy_serving",
                      "--model-dir",
                      context.paths.model,
                      "--code-dir",
                      context.paths.code,
                      "--image",
                      std::string(model::RepositoryOfImage(model.image))};
    const std::string_view script = Value(model, kProgramVariable);
    if (!script.empty()) {
      plan.arguments.emplace_back("--program");
      plan.arguments.emplace_back(script);
    }
    std::string path = context.paths.shim.string() + ":" + context.paths.code.string();
    const std::string& users = environment.Of("PYTHONPATH");
    if (!users.empty()) path += ":" + users;
    environment.Set("PYTHONPATH", std::move(path));
    environment.SetIfAbsent("PYTHONUNBUFFERED", "1");
    // The shim's files are new in each instance; what is compiled of them is of no further use.
    environment.SetIfAbsent("PYTHONDONTWRITEBYTECODE", "1");
    // Each worker would start a thread for each core.
    const std::string threads = std::to_string(std::max(1U, context.cpus / plan.processes));
    for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
      environment.SetIfAbsent(name, threads);
    }
    plan.directory = context.paths.code;
  }
  plan.environment = environment.Lines();
  return plan;
}

}  // namespace argosy::agent
