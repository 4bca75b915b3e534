// The verbs of the program: what each is given, and the function that does it (one file each: up.cc, train.cc, …).
//
// Exit codes, the same for all verbs: see ExitCode. Results go to standard output, everything else (progress, errors,
// what was guessed) to standard error, so that `--json` output can be piped.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "main/options.h"

namespace argosy::main {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,         // what was asked for did not come about: a job failed, the server refused
  kExitUsage = 2,          // the command line or the configuration is wrong
  kExitNoServer = 3,       // no server answers
  kExitInterrupted = 130,  // Ctrl-C while waiting; what was started goes on
};

enum class OutputForm { kTable, kJson };
enum class Waiting { kWait, kNoWait };
enum class Follow { kOnce, kFollow };
enum class DownReach { kServer, kEverything };
enum class ModelFate { kDelete, kKeep };

struct UpArgs {};
struct DownArgs {
  DownReach reach = DownReach::kServer;
};
struct StatusArgs {
  OutputForm form = OutputForm::kTable;
};
struct EnvArgs {};
struct ConfigArgs {
  OutputForm form = OutputForm::kTable;
  bool page = false;
};
struct AgentArgs {
  std::filesystem::path instance_dir;
};

struct TrainArgs {
  std::vector<std::string> sources;  // paths, folders, globs, s3://
  std::vector<std::string> validation;
  std::vector<std::string> test;
  std::string algorithm = "linear-learner";
  std::string label;             // name or index
  std::string positive;          // the label's value that counts as 1, all others as 0
  std::string negative;          // the label's value that counts as 0, all others as 1
  std::string type;              // binary, multiclass, regressor
  std::vector<std::string> set;  // hyperparameters: key=value
  std::string content_type;
  std::string name;
  std::string instance_type = "ml.m5.large";
  uint32_t instance_count = 1;
  int64_t max_runtime_seconds = 86400;
  Waiting waiting = Waiting::kWait;
  Follow logs = Follow::kOnce;
  OutputForm form = OutputForm::kTable;
};
struct DeployArgs {
  std::string source;                    // a job, a local model (model_source.h), or s3://…/model.tar.gz
  std::string name;                      // endpoint; empty = the job's or file's name
  std::string algorithm;                 // or an image; empty: the artifact tells
  std::vector<std::string> environment;  // NAME=VALUE, for the model
  std::string instance_type = "ml.m5.large";
  uint32_t instance_count = 1;
  Waiting waiting = Waiting::kWait;
  OutputForm form = OutputForm::kTable;
};
struct PredictArgs {
  std::string target;             // an endpoint's name or a local model.tar.gz; empty when there is a model
  std::string model;              // an artifact's path or s3:// URI, or a training job
  std::vector<std::string> rows;  // rows, CSV files or "-"
  std::string content_type = "text/csv";
  OutputForm form = OutputForm::kTable;
};
struct JobsArgs {
  std::string name;  // empty = list
  std::string status;
  uint32_t max = 20;
  OutputForm form = OutputForm::kTable;
};
struct LogsArgs {
  std::string name;
  std::string of;  // job or endpoint; empty = the job of that name, else the endpoint
  Follow follow = Follow::kOnce;
  uint32_t tail = 0;  // 0 = all
  OutputForm form = OutputForm::kTable;
};
struct StopArgs {
  std::string name;
  Waiting waiting = Waiting::kWait;
  OutputForm form = OutputForm::kTable;
};
struct EndpointsArgs {
  std::string name;  // empty = list
  OutputForm form = OutputForm::kTable;
};
struct DeleteArgs {
  std::string name;
  ModelFate model = ModelFate::kDelete;
  Waiting waiting = Waiting::kWait;
  OutputForm form = OutputForm::kTable;
};

enum class UserAction { kAdd, kList, kRemove, kKeyAdd, kKeyList, kKeyDisable, kKeyEnable, kKeyRemove };
enum class UserRights { kMember, kReader };
struct UserArgs {
  UserAction action = UserAction::kList;
  std::string name;
  std::string team;
  UserRights rights = UserRights::kMember;
  std::string key_id;  // of the key verbs; empty: all of the user's
  OutputForm form = OutputForm::kTable;
};

int RunUp(const Settings& settings, const UpArgs& args);
int RunDown(const Settings& settings, const DownArgs& args);
int RunStatus(const Settings& settings, const StatusArgs& args);
int RunEnv(const Settings& settings, const EnvArgs& args);
int RunConfig(const Settings& settings, const ConfigArgs& args);
int RunTrain(const Settings& settings, const TrainArgs& args);
int RunDeploy(const Settings& settings, const DeployArgs& args);
int RunPredict(const Settings& settings, const PredictArgs& args);
int RunJobs(const Settings& settings, const JobsArgs& args);
int RunLogs(const Settings& settings, const LogsArgs& args);
int RunStop(const Settings& settings, const StopArgs& args);
int RunEndpoints(const Settings& settings, const EndpointsArgs& args);
int RunDelete(const Settings& settings, const DeleteArgs& args);
int RunUser(const Settings& settings, const UserArgs& args);
int RunAgentVerb(const AgentArgs& args);

}  // namespace argosy::main
