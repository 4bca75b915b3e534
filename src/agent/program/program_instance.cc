#include "agent/program/program_instance.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "agent/model_files.h"
#include "agent/program/http_backend.h"
#include "agent/program/shim_backend.h"
#include "agent/program/shim_files.h"
#include "base/bytes.h"

namespace argosy::agent {
namespace {

constexpr std::string_view kOptMl = "/opt/ml";
constexpr size_t kReasonLineBytesMax = 400;

// Read before the fork, in an agent, where nobody changes it.
std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string ValueOf(const std::map<std::string, std::string>& values, const std::string& name) {
  const auto it = values.find(name);
  return it == values.end() ? std::string() : it->second;
}

// As a shell would find it.
std::string FindInPath(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  while (!path.empty()) {
    const size_t colon = path.find(':');
    const std::string file = std::string(path.substr(0, colon)) + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return file;
    path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
  }
  return "";
}

// The model's own choice, the server's, the project's, the machine's.
Result<std::string> FindInterpreter(const catalog::ModelSpec& model, const std::string& configured,
                                    const std::map<std::string, std::string>& environment) {
  const std::string path = ValueOf(environment, "PATH");
  for (const auto& [whose, name] : {std::pair{"the model's Environment", ValueOf(model.environment, "ARGOSY_PYTHON")},
                                    std::pair{"the server's option --python", configured}}) {
    if (name.empty()) continue;
    std::string found = FindInPath(name, path);
    if (found.empty()) return Invalid(fmt::format("the Python interpreter '{}' of {} cannot be run", name, whose));
    return found;
  }
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = self.parent_path().parent_path().parent_path() / ".venv/bin/python3";
  if (!error && access(beside.c_str(), X_OK) == 0) return beside.string();
  std::string found = FindInPath("python3", path);
  if (!found.empty()) return found;
  return Invalid(
      "the model needs Python and there is no python3 on the server's PATH: install one, or name one by "
      "`argosy up --python FILE` or by ARGOSY_PYTHON in the model's Environment");
}

// Free at this moment; the program fails to bind, and the instance is replaced, when somebody takes it in between.
Result<uint16_t> FreePort() {
  const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!probe.valid() || bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoError("looking for a free port", errno);
  }
  return ntohs(address.sin_port);
}

uint64_t BytesBelow(const std::filesystem::path& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) bytes += it->file_size(ignored);
  }
  return bytes;
}

// Where the script is, below the instance's `ml`: relative, so that it can be said as the program sees it.
std::string CodeBelowMl(const catalog::ModelSpec& model, const InstanceDirectory& directory) {
  if (SubmitArchive(model)) return "code";
  std::error_code ignored;
  std::string_view told = {};
  const std::string value = ValueOf(model.environment, "SAGEMAKER_SUBMIT_DIRECTORY");
  if (value.starts_with(kOptMl)) told = std::string_view(value).substr(kOptMl.size());
  const bool plain = told.size() > 1 && told.find("..") == std::string_view::npos;
  if (plain && std::filesystem::is_directory(directory.ml() / told.substr(1), ignored)) {
    return std::string(told.substr(1));
  }
  return std::filesystem::is_directory(directory.model() / "code", ignored) ? "model/code" : "model";
}

ProgramPaths PathsFrom(const std::filesystem::path& ml, const std::string& code) {
  return {.model = ml / "model", .code = ml / code, .scratch = {}, .shim = {}};
}

// Of a script, "#!/usr/bin/python3 -u": /usr/bin/python3. Empty for any other file.
std::string InterpreterNamedIn(const std::filesystem::path& file) {
  constexpr size_t kFirstLineMax = 256;  // what the kernel looks at
  std::ifstream in(file, std::ios::binary);
  std::string text(kFirstLineMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (!text.starts_with("#!")) return "";
  const std::string_view line = Trim(std::string_view(text).substr(2, text.find('\n') - 2));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

Status CheckServe(const InstanceDirectory& directory, const catalog::ModelSpec& model) {
  const std::filesystem::path serve = directory.model() / "serve";
  if (access(serve.c_str(), X_OK) == 0) {
    const std::string interpreter = InterpreterNamedIn(serve);
    if (interpreter.empty() || access(interpreter.c_str(), F_OK) == 0) return {};
    return Invalid("the first line of the file serve in " + model.model_data_url + " names the interpreter '" +
                   interpreter + "', which is not on this machine");
  }
  std::error_code ignored;
  if (std::filesystem::exists(serve, ignored)) {
    return Invalid("the file serve in " + model.model_data_url +
                   " is not executable: chmod +x serve, and pack it again");
  }
  return Invalid("there is no executable serve at the top of " + model.model_data_url + ": the image " +
                 std::string(model::kProgramImage) +
                 " runs it to answer GET /ping and POST /invocations on port SAGEMAKER_BIND_TO_PORT");
}

}  // namespace

Result<PreparedProgram> ProgramInstance::Prepare(const protocol::Assignment& assignment,
                                                 const InstanceDirectory& directory, objectstore::ObjectReader& objects,
                                                 LogSpool& log) {
  const catalog::ModelSpec& model = *assignment.model;
  const std::filesystem::path& root = directory.root();
  for (const char* name : {"ml/model", "ml/output", "scratch", "root", "shim"}) {
    if (Status made = MakeDirectories(root / name); !made.ok()) return made.error();
  }
  if (!model.model_data_url.empty()) {
    const Result<uint64_t> got = FetchArchive(objects, model.model_data_url, kModelDataField, directory.model());
    if (!got.ok()) return got.error();
    log.Append(fmt::format("unpacked {} ({} bytes)", model.model_data_url, *got));
  }
  if (const std::optional<std::string> archive = SubmitArchive(model)) {
    const Result<uint64_t> got = FetchArchive(objects, *archive, "SAGEMAKER_SUBMIT_DIRECTORY", directory.ml() / "code");
    if (!got.ok()) return got.error();
    log.Append(fmt::format("unpacked {} ({} bytes)", *archive, *got));
  }

  ProgramContext context;
  context.model = &model;
  context.cpus = std::max(1U, assignment.cpus);
  context.memory_bytes = assignment.memory_bytes;
  context.model_bytes = BytesBelow(directory.model());
  context.region = assignment.region;
  context.session = assignment.session;
  context.own_environment = OwnEnvironment();
  const Result<std::string> interpreter = FindInterpreter(model, assignment.python, context.own_environment);
  if (ServerOfModel(model) == model::ImageServer::kProgram) {
    if (Status there = CheckServe(directory, model); !there.ok()) return there.error();
    const Result<uint16_t> port = FreePort();
    if (!port.ok()) return port.error();
    context.port = *port;
  } else {
    if (!interpreter.ok()) return interpreter.error();
    context.interpreter = *interpreter;
    if (Status written = WriteShimFiles(root / "shim"); !written.ok()) return written.error();
  }

  const std::string code = CodeBelowMl(model, directory);
  context.paths = PathsFrom(directory.ml(), code);
  context.paths.scratch = root / "scratch";
  context.paths.shim = root / "shim";
  Result<ProgramPlan> plain = PlanProgram(context);
  if (!plain.ok()) return plain.error();
  context.paths = PathsFrom(kOptMl, code);
  context.paths.scratch = kSandboxScratch;
  context.paths.shim = kSandboxShim;
  Result<ProgramPlan> sandboxed = PlanProgram(context);
  if (!sandboxed.ok()) return sandboxed.error();

  const Result<std::vector<Sandbox::Entry>> top = Sandbox::ReadTop();
  if (!top.ok()) return top.error();
  // Without links: those would lead out of the new root while it is being made.
  const auto real = [](const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::path found = std::filesystem::weakly_canonical(path, error);
    return error ? path : found;
  };
  SandboxPlaces places{
      real(root / "root"), directory.ml(), root / "scratch", root / "shim", {real(directory.data_dir())}};
  // Also of a program that names the interpreter in its first line.
  if (interpreter.ok()) {
    places.shown.push_back(
        std::filesystem::path(*interpreter).parent_path().parent_path());  // …/.venv of …/.venv/bin/python
  }
  const std::string home = ValueOf(context.own_environment, "HOME");
  if (!home.empty()) {
    for (const char* secret : {".aws", ".ssh"}) places.hidden.push_back(real(std::filesystem::path(home) / secret));
  }
  return PreparedProgram{Sandbox::Plan(places, *top), std::move(*sandboxed), std::move(*plain)};
}

ProgramInstance::ProgramInstance(EventLoop& loop, protocol::Hello identity, PreparedProgram program,
                                 InstanceDirectory directory, LogSpool& log, Events events)
    : loop_(loop),
      identity_(std::move(identity)),
      program_(std::move(program)),
      directory_(std::move(directory)),
      log_(log),
      events_(std::move(events)) {}

ProgramInstance::~ProgramInstance() {
  *alive_ = false;
}

void ProgramInstance::Start() {
  const auto launch = [this](int passed_fd, std::function<void(const std::string& how)> on_end) {
    return Launch(passed_fd, std::move(on_end));
  };
  const ProgramPlan& plan = program_.sandboxed;
  BackendEvents& events = *this;
  log_.Append(plan.server == model::ImageServer::kProgram
                  ? fmt::format("starting the program; it is given {} requests at a time on port {}",
                                plan.concurrent_max, plan.port)
                  : fmt::format("starting {} with {} worker{}", plan.arguments.front(), plan.processes,
                                plan.processes == 1 ? "" : "s"));
  if (plan.server == model::ImageServer::kProgram) {
    backend_ = std::make_unique<HttpBackend>(loop_, plan, launch, events);
  } else {
    backend_ = std::make_unique<ShimBackend>(loop_, plan, launch, events);
  }
  if (Status started = backend_->Start(); !started.ok()) {
    OnFailed(Error(ErrorCode::kInvalidArgument, "the program cannot be started: " + started.error().message()));
  }
}

Result<std::unique_ptr<ChildProcess>> ProgramInstance::Launch(int passed_fd,
                                                              std::function<void(const std::string& how)> on_end) {
  if (!sandbox_refused_) {
    auto process = LaunchAs(program_.sandboxed, &program_.sandbox, passed_fd, on_end);
    if (process.ok() || !SandboxRefused(process.error())) return process;
    sandbox_refused_ = true;
    log_.Append("the program runs without a sandbox, with the rights of the server's user: " +
                process.error().message());
  }
  return LaunchAs(program_.plain, nullptr, passed_fd, std::move(on_end));
}

Result<std::unique_ptr<ChildProcess>> ProgramInstance::LaunchAs(const ProgramPlan& plan, const Sandbox* sandbox,
                                                                int passed_fd,
                                                                std::function<void(const std::string& how)> on_end) {
  return ChildProcess::Start(loop_,
                             {.arguments = plan.arguments,
                              .environment = plan.environment,
                              .directory = plan.directory,
                              .passed_fd = passed_fd,
                              .sandbox = sandbox},
                             {.on_line =
                                  [this](std::string_view line) {
                                    log_.Append(line);
                                    if (!Trim(line).empty()) last_line_ = line.substr(0, kReasonLineBytesMax);
                                  },
                              .on_end = std::move(on_end)});
}

void ProgramInstance::OnReady() {
  host_ = std::make_unique<ProgramHost>(loop_, identity_, *backend_, log_);
  if (Status listening = host_->Listen(directory_.socket()); !listening.ok()) return OnFailed(listening.error());
  log_.Append("answering requests");
  events_.on_ready();
}

void ProgramInstance::OnStillStarting(const std::string& why) {
  log_.Append(fmt::format("not ready yet, on port {}: {}", program_.sandboxed.port, why));
}

void ProgramInstance::OnPart(uint64_t key, const protocol::AnswerView& part) {
  if (host_) host_->OnPart(key, part);
}

void ProgramInstance::OnAnswer(uint64_t key, const protocol::AnswerView& answer) {
  if (host_) host_->OnAnswer(key, answer);
}

void ProgramInstance::OnRoom() {
  if (host_) host_->OnRoom();
}

void ProgramInstance::OnFailed(const Error& why) {
  // What it said last tells more than its exit code; an error that the shim found says all by itself.
  const bool speaks = why.code() != ErrorCode::kInvalidArgument && host_ == nullptr && !last_line_.empty();
  const Error told(why.code(), speaks ? why.message() + ". Its last line: " + last_line_ : why.message());
  log_.Append(told.message());
  // The backend is on the stack.
  loop_.Post([this, alive = alive_, told] {
    if (*alive) events_.on_failed(told);
  });
}

void ProgramInstance::Stop(Duration patience, std::function<void()> done) {
  const auto end = [this, done = std::move(done)] { backend_ ? backend_->Stop(done) : done(); };
  host_ ? host_->Stop(patience, end) : end();
}

}  // namespace argosy::agent
