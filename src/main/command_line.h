// The command line: which verb was asked for, with what.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "main/options.h"
#include "main/verbs.h"

namespace argosy::main {

using VerbArgs = std::variant<UpArgs, DownArgs, StatusArgs, EnvArgs, ConfigArgs, AgentArgs, TrainArgs, DeployArgs,
                              PredictArgs, JobsArgs, LogsArgs, StopArgs, EndpointsArgs, DeleteArgs, UserArgs>;

struct Invocation {
  Flags flags;
  VerbArgs args;
};

// There is nothing to run: print `text` and leave with `exit_code` (help and version to standard output, a mistake to
// standard error).
struct Message {
  int exit_code;
  std::string text;
};

// `words` without the program's name.
std::variant<Invocation, Message> ParseCommandLine(const std::vector<std::string>& words);

// The verbs that people use, in the order of the help.
std::vector<std::string> VerbNames();

}  // namespace argosy::main
