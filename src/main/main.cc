#include "main/main.h"

#include <signal.h>

#include <filesystem>
#include <type_traits>

#include "main/command_line.h"
#include "main/data_directory.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

int Run(const Settings& settings, const VerbArgs& args) {
  return std::visit(
      [&](const auto& verb) {
        using Args = std::decay_t<decltype(verb)>;
        if constexpr (std::is_same_v<Args, UpArgs>) return RunUp(settings, verb);
        if constexpr (std::is_same_v<Args, DownArgs>) return RunDown(settings, verb);
        if constexpr (std::is_same_v<Args, StatusArgs>) return RunStatus(settings, verb);
        if constexpr (std::is_same_v<Args, EnvArgs>) return RunEnv(settings, verb);
        if constexpr (std::is_same_v<Args, ConfigArgs>) return RunConfig(settings, verb);
        if constexpr (std::is_same_v<Args, AgentArgs>) return RunAgentVerb(verb);
        if constexpr (std::is_same_v<Args, TrainArgs>) return RunTrain(settings, verb);
        if constexpr (std::is_same_v<Args, DeployArgs>) return RunDeploy(settings, verb);
        if constexpr (std::is_same_v<Args, PredictArgs>) return RunPredict(settings, verb);
        if constexpr (std::is_same_v<Args, JobsArgs>) return RunJobs(settings, verb);
        if constexpr (std::is_same_v<Args, LogsArgs>) return RunLogs(settings, verb);
        if constexpr (std::is_same_v<Args, StopArgs>) return RunStop(settings, verb);
        if constexpr (std::is_same_v<Args, EndpointsArgs>) return RunEndpoints(settings, verb);
        if constexpr (std::is_same_v<Args, DeleteArgs>) return RunDelete(settings, verb);
        if constexpr (std::is_same_v<Args, UserArgs>) return RunUser(settings, verb);
      },
      args);
}

// A region that nobody names is the running server's: it may have been started with a flag.
void TakeServersRegion(Settings& settings) {
  for (const OptionInForce& one : settings.in_force) {
    if (one.option->name != "region" || one.origin != Origin::kDefault) continue;
    const std::optional<ServerRecord> server = FindServer(settings.options.data_dir);
    if (server && !server->region.empty()) settings.options.region = server->region;
  }
}

}  // namespace

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error of write(2), not the end of the program
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::variant<Invocation, Message> parsed = ParseCommandLine(words);
  if (const auto* message = std::get_if<Message>(&parsed)) {
    if (message->exit_code == kExitOk) {
      Print(message->text);
    } else {
      Note(message->text.substr(0, message->text.find_last_not_of('\n') + 1));
    }
    return message->exit_code;
  }
  const auto& invocation = std::get<Invocation>(parsed);
  // An agent is told all it needs by its assignment; the owner's configuration is none of its business.
  if (const auto* agent = std::get_if<AgentArgs>(&invocation.args)) return RunAgentVerb(*agent);
  std::error_code error;
  const std::filesystem::path working_dir = std::filesystem::current_path(error);
  Result<Settings> settings =
      ResolveOptions(invocation.flags, ProcessEnvironment, error ? std::filesystem::path("/") : working_dir);
  if (!settings.ok()) return FailWith(kExitUsage, settings.error().message());
  if (!std::holds_alternative<ConfigArgs>(invocation.args)) {
    if (Status whole = CheckKeyIsWhole(settings->options); !whole.ok())
      return FailWith(kExitUsage, whole.error().message());
    if (!std::holds_alternative<UpArgs>(invocation.args)) TakeServersRegion(*settings);
  }
  return Run(*settings, invocation.args);
}

}  // namespace argosy::main
