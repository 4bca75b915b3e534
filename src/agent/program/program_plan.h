// How a user's program is started: command, environment, how many requests it is given at a time. Pure.
//
// The contract with the program is that of SageMaker's containers (docs/guides/own-models.md): an executable `serve`
// that answers GET /ping and POST /invocations on SAGEMAKER_BIND_TO_PORT; or a Python script with model_fn, input_fn,
// predict_fn, output_fn or transform_fn, which the shim serves. It sees nothing of the agent's environment but what a
// program needs anywhere (PATH, language, time zone), the keys of its instance's session, and what CreateModel's
// Environment says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/endpoint.h"
#include "model/images.h"
#include "protocol/messages.h"

namespace argosy::agent {

inline constexpr unsigned kWorkersMax = 64;
inline constexpr unsigned kConcurrentRequestsMax = 1024;  // connections to one program

// Where things are, as the program sees them.
struct ProgramPaths {
  std::filesystem::path model;    // the unpacked artifact
  std::filesystem::path code;     // the unpacked SAGEMAKER_SUBMIT_DIRECTORY, or where the artifact has its script
  std::filesystem::path scratch;  // its home, and for temporary files
  std::filesystem::path shim;     // holds the package argosy_serving
};

struct ProgramContext {
  const catalog::ModelSpec* model = nullptr;
  ProgramPaths paths;
  unsigned cpus = 1;
  uint64_t memory_bytes = 0;  // granted; 0 = no limit
  uint64_t model_bytes = 0;   // on disk
  std::string interpreter;    // of the machine; CreateModel's ARGOSY_PYTHON goes first
  std::string region;
  std::optional<protocol::Session> session;            // the program's keys; nothing: it has none
  uint16_t port = 0;                                   // free at present
  std::map<std::string, std::string> own_environment;  // the agent's
};

struct ProgramPlan {
  model::ImageServer server = model::ImageServer::kNone;
  std::vector<std::string> arguments;  // of each process, the program itself first
  std::vector<std::string> environment;
  std::filesystem::path directory;  // it starts in
  unsigned processes = 1;
  unsigned concurrent_max = 1;  // kProgram: requests it is given at a time
  uint16_t port = 0;
};

model::ImageServer ServerOfModel(const catalog::ModelSpec& model);

// Where the script's archive is, when it is not in the artifact: an s3:// URI of SAGEMAKER_SUBMIT_DIRECTORY.
std::optional<std::string> SubmitArchive(const catalog::ModelSpec& model);

// kInvalidArgument names the variable whose value is no number, or out of range.
Result<ProgramPlan> PlanProgram(const ProgramContext& context);

// So many copies of a model as there are cores, fewer when they would take more than half of the memory: a model in
// memory is about twice its size on disk.
unsigned WorkersThatFit(unsigned cpus, uint64_t model_bytes, uint64_t memory_bytes);

}  // namespace argosy::agent
