#include "main/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/bytes.h"
#include "base/json.h"
#include "main/json_access.h"

namespace argosy::main {
namespace {

// A server killed a moment ago may not have let go of the lock yet (its memory is being torn down).
constexpr auto kLockWait = std::chrono::milliseconds(500);
constexpr auto kLockPause = std::chrono::milliseconds(20);
constexpr size_t kRecordBytesMax = 64 * 1024;

Error InUse(const std::filesystem::path& path) {
  const Result<std::string> holder = ReadFile(path / "lock", kRecordBytesMax);
  const std::string pid = holder.ok() ? std::string(Trim(*holder)) : "";
  return Error(ErrorCode::kAlreadyExists,
               fmt::format("the data directory {} is in use by {}; stop it with `argosy down`, or give another "
                           "directory by --data-dir",
                           path.string(), pid.empty() ? "another process" : "process " + pid));
}

// Empty when it is not there: SQLite takes that for a new database, and gives its log the same mode. A log that a
// killed server left has the mode of that day.
Status CloseDatabase(const std::filesystem::path& path) {
  if (const Result<UniqueFd> file = OpenFile(path, O_RDWR | O_CREAT, 0600); !file.ok()) return file.error();
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    const std::string file = path.string() + suffix;
    if (chmod(file.c_str(), 0600) != 0 && errno != ENOENT) return ErrnoError("setting the mode of " + file, errno);
  }
  return {};
}

}  // namespace

Status DataDirectory::MakeFolder(const std::filesystem::path& path) {
  if (Status made = MakeDirectories(path); !made.ok()) return made;
  if (chmod(path.c_str(), 0700) != 0) return ErrnoError("setting the mode of " + path.string(), errno);
  return {};
}

Status DataDirectory::Make(const std::filesystem::path& path) {
  const auto wrap = [&](const Error& error) { return error.Wrap("the data directory cannot be used"); };
  std::error_code existing;
  const bool fresh = !std::filesystem::exists(path, existing);
  if (Status made = MakeDirectories(path); !made.ok()) return wrap(made.error());
  // What is in it is guarded by keys over HTTP: other users of the machine get no way around them. Somebody else's
  // directory keeps its mode; Open closes what is ours in it.
  if (fresh && chmod(path.c_str(), 0700) != 0) return wrap(ErrnoError("setting the mode of " + path.string(), errno));
  return {};
}

Result<DataDirectory> DataDirectory::Open(const std::filesystem::path& path) {
  const auto wrap = [&](const Error& error) { return error.Wrap("the data directory cannot be used"); };
  if (Status made = Make(path); !made.ok()) return made.error();

  const SystemClock clock;
  const Duration give_up = clock.Monotonic() + kLockWait;
  std::optional<UniqueFd> lock;
  for (;;) {
    Result<std::optional<UniqueFd>> attempt = TryLockFile(path / "lock");
    if (!attempt.ok()) return wrap(attempt.error());
    lock = std::move(*attempt);
    if (lock) break;
    if (clock.Monotonic() >= give_up) return InUse(path);
    std::this_thread::sleep_for(kLockPause);
  }

  // Whatever the mode of a directory that was there before.
  for (const char* const name : {"catalog", "instances", "logs", "objects"}) {
    if (Status made = MakeFolder(path / name); !made.ok()) return wrap(made.error());
  }
  for (const char* const name : {"catalog/catalog.db", "metrics.db"}) {
    if (Status closed = CloseDatabase(path / name); !closed.ok()) return wrap(closed.error());
  }

  // The pid, padded to one size and synced: this is also the proof that the disk takes bytes.
  const std::string text = fmt::format("{:<20}\n", getpid());
  if (ftruncate(lock->get(), 0) != 0) return wrap(ErrnoError("writing " + (path / "lock").string(), errno));
  if (Status written = WriteAll(lock->get(), text); !written.ok()) {
    return wrap(written.error().Wrap((path / "lock").string()));
  }
  if (Status synced = SyncFile(lock->get()); !synced.ok()) return wrap(synced.error());
  return DataDirectory(path, std::move(*lock));
}

Status DataDirectory::WriteRecord(const ServerRecord& record) const {
  const Json json = {{"process", record.process.ToJson()},
                     {"endpoint", record.endpoint},
                     {"version", record.version},
                     {"region", record.region},
                     {"keys_given", record.keys_given}};
  return WriteFileAtomically(path_ / "server.json", DumpJsonPretty(json) + "\n", 0600);
}

Status DataDirectory::WriteSdkDefaults(const std::string& bucket) const {
  const std::string text = fmt::format(
      "SchemaVersion: \"1.0\"\n"
      "SageMaker:\n"
      "  PythonSDK:\n"
      "    Modules:\n"
      "      TelemetryOptOut: true\n"
      "      Session:\n"
      "        DefaultS3Bucket: {}\n",
      bucket);
  return WriteFileAtomically(SdkDefaultsFile(path_), text);
}

void DataDirectory::RemoveRecord() const {
  unlink((path_ / "server.json").c_str());
}

std::optional<ServerRecord> FindServer(const std::filesystem::path& path) {
  const Result<std::string> text = ReadFile(path / "server.json", kRecordBytesMax);
  if (!text.ok()) return std::nullopt;
  const Result<Json> json = ParseJson(*text);
  if (!json.ok()) return std::nullopt;
  const Result<agent::AgentIdentity> process = agent::AgentIdentity::FromJson(TextAt(*json, "process"));
  if (!process.ok() || !process->IsRunning()) return std::nullopt;
  if (!HasOpen(process->pid, path / "lock")) return std::nullopt;  // a copy of the directory that it serves
  return ServerRecord{*process, TextAt(*json, "endpoint"), TextAt(*json, "version"), TextAt(*json, "region"),
                      json->value("keys_given", Json()) == Json(true)};
}

}  // namespace argosy::main
