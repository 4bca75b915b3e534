#include "observe/file_log_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "base/bytes.h"
#include "observe/line_file.h"
#include "observe/spool_line.h"

namespace argosy::observe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".log";
constexpr size_t kFileNameMax = 255;

Time FileTime(const struct stat& info) {
  return Time(std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec));
}

std::optional<std::string> Unescape(const std::string& file_name) {
  return PercentDecode(file_name);
}

Result<std::optional<LogEvent>> EventAt(int fd, uint64_t position) {
  LineScanner scanner(fd, position);
  const Result<std::optional<Line>> line = scanner.Next();
  if (!line.ok()) return line.error();
  if (!*line) return std::optional<LogEvent>();
  return std::optional<LogEvent>(ParseSpoolLine((*line)->text, Time{}));
}

// Reads [position, end): `events_max` and `bytes_max` as for ReadForward.
Result<LogStore::Read> ReadEvents(int fd, uint64_t position, uint64_t end, size_t events_max, size_t bytes_max) {
  LogStore::Read read{{}, position, false};
  LineScanner scanner(fd, position);
  size_t bytes = 0;
  Time last{};
  while (read.events.size() < events_max && read.next < end) {
    const Result<std::optional<Line>> line = scanner.Next();
    if (!line.ok()) return line.error();
    if (!*line) break;
    LogEvent event = ParseSpoolLine((*line)->text, last);
    if (!read.events.empty() && bytes + event.message.size() > bytes_max) return read;
    bytes += event.message.size();
    last = event.timestamp;
    read.events.push_back(std::move(event));
    read.next = (*line)->end;
  }
  read.at_end = read.next >= end;
  return read;
}

Status CheckPosition(int fd, uint64_t position) {
  const Result<uint64_t> start = LineStart(fd, position);
  if (!start.ok()) return start.error();
  if (*start != position) return Error(ErrorCode::kInvalidArgument, "the position is within an event");
  return {};
}

}  // namespace

Result<std::string> EscapeLogName(std::string_view name) {
  std::string escaped = PercentEncode(name);
  if (escaped.starts_with('.')) escaped.replace(0, 1, "%2E");
  if (escaped.empty() || escaped.size() + kSuffix.size() > kFileNameMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "the log name '" + std::string(name.substr(0, 64)) + "…' is empty or too long");
  }
  return escaped;
}

Result<std::unique_ptr<FileLogStore>> FileLogStore::Open(const fs::path& directory, Sync sync) {
  if (Status made = MakeDirectories(directory); !made.ok()) return made.error();
  return std::unique_ptr<FileLogStore>(new FileLogStore(directory, std::move(sync)));
}

Result<fs::path> FileLogStore::GroupPath(const std::string& group) const {
  Result<std::string> name = EscapeLogName(group);
  if (!name.ok()) return name.error();
  return directory_ / *name;
}

Result<fs::path> FileLogStore::StreamPath(const std::string& group, const std::string& stream) const {
  Result<fs::path> folder = GroupPath(group);
  if (!folder.ok()) return folder;
  Result<std::string> name = EscapeLogName(stream);
  if (!name.ok()) return name.error();
  return *folder / (*name + std::string(kSuffix));
}

Result<UniqueFd> FileLogStore::OpenStream(const std::string& group, const std::string& stream) const {
  const Result<fs::path> path = StreamPath(group, stream);
  if (!path.ok()) return Error(ErrorCode::kNotFound, path.error().message());
  return OpenFile(*path, O_RDONLY);
}

Status FileLogStore::AppendSpool(const std::string& group, const std::string& stream, uint64_t offset,
                                 std::string_view spool) {
  if (!spool.empty() && spool.back() != '\n') {
    return Error(ErrorCode::kInvalidArgument, "a spool is whole lines; this one ends within a line");
  }
  const Result<fs::path> path = StreamPath(group, stream);
  if (!path.ok()) return path.error();
  std::lock_guard lock(append_mutexes_[std::hash<std::string>()(path->native()) % append_mutexes_.size()]);
  bool created = false;
  Result<UniqueFd> fd = OpenFile(*path, O_RDWR | O_APPEND);
  if (!fd.ok() && fd.error().code() == ErrorCode::kNotFound) {
    if (Status made = MakeDirectories(path->parent_path()); !made.ok()) return made;
    created = true;
    fd = OpenFile(*path, O_RDWR | O_APPEND | O_CREAT);
  }
  if (!fd.ok()) return fd.error();
  const Result<uint64_t> complete = CompleteSize(fd->get());
  if (!complete.ok()) return complete.error();
  struct stat info{};
  if (fstat(fd->get(), &info) != 0) return ErrnoError("looking at " + path->string(), errno);
  // What a power cut or a full disk left of a last line goes: the agent still has it whole.
  if (static_cast<uint64_t>(info.st_size) != *complete && ftruncate(fd->get(), static_cast<off_t>(*complete)) != 0) {
    return ErrnoError("mending " + path->string(), errno);
  }
  if (offset > *complete) {
    return Error(ErrorCode::kInvalidArgument, "the spool continues at " + std::to_string(offset) +
                                                  " but the log ends at " + std::to_string(*complete));
  }
  const uint64_t known = *complete - offset;
  Status durable = known < spool.size() ? WriteAll(fd->get(), spool.substr(known)) : Status();
  if (durable.ok()) durable = sync_ ? sync_(fd->get()) : SyncFile(fd->get());
  if (created && durable.ok()) durable = SyncDirectory(path->parent_path());
  if (created && durable.ok()) durable = SyncDirectory(directory_);
  if (durable.ok()) return {};
  // After a failed sync the system takes the bytes for written, and the next sync would say so: they are taken back, so
  // that what comes again is written again. A file of which only the name may be lost is made again.
  if (created) {
    unlink(path->c_str());
  } else if (ftruncate(fd->get(), static_cast<off_t>(*complete)) != 0) {
    return ErrnoError("taking back what could not be written to " + path->string(), errno);
  }
  return durable.error().Wrap("writing " + path->string());
}

uint64_t FileLogStore::SpoolOffset(const std::string& group, const std::string& stream) {
  const Result<UniqueFd> fd = OpenStream(group, stream);
  if (!fd.ok()) return 0;
  const Result<uint64_t> size = CompleteSize(fd->get());
  return size.ok() ? *size : 0;
}

std::vector<LogGroupInfo> FileLogStore::Groups(std::string_view prefix) {
  std::vector<LogGroupInfo> groups;
  std::error_code error;
  for (const fs::directory_entry& folder : fs::directory_iterator(directory_, error)) {
    std::optional<std::string> name = Unescape(folder.path().filename().native());
    if (!name || !name->starts_with(prefix)) continue;
    struct stat info{};
    if (stat(folder.path().c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    LogGroupInfo group{std::move(*name), FileTime(info), 0};
    std::error_code folder_error;
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path(), folder_error)) {
      if (stat(file.path().c_str(), &info) != 0) continue;
      group.stored_bytes += static_cast<uint64_t>(info.st_size);
      group.created = std::min(group.created, FileTime(info));
    }
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return groups;
}

Result<std::vector<std::string>> FileLogStore::StreamNames(const std::string& group, std::string_view prefix) {
  const Result<fs::path> path = GroupPath(group);
  std::error_code error;
  if (!path.ok() || !fs::is_directory(*path, error)) {
    return Error(ErrorCode::kNotFound, "there is no log group '" + group + "'");
  }
  std::vector<std::string> names;
  for (const fs::directory_entry& file : fs::directory_iterator(*path, error)) {
    std::string file_name = file.path().filename().native();
    if (!file_name.ends_with(kSuffix)) continue;
    file_name.resize(file_name.size() - kSuffix.size());
    std::optional<std::string> name = Unescape(file_name);
    if (name && name->starts_with(prefix)) names.push_back(std::move(*name));
  }
  if (error) return Error(ErrorCode::kIo, "reading " + path->string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

Result<LogStreamInfo> FileLogStore::Describe(const std::string& group, const std::string& stream) {
  const Result<UniqueFd> fd = OpenStream(group, stream);
  if (!fd.ok()) return fd.error();
  const Result<uint64_t> size = CompleteSize(fd->get());
  if (!size.ok()) return size.error();
  struct stat info{};
  if (fstat(fd->get(), &info) != 0) return ErrnoError("looking at a log", errno);
  LogStreamInfo description{.name = stream, .created = FileTime(info), .stored_bytes = *size};
  if (*size == 0) return description;
  const Result<uint64_t> last_start = LineStart(fd->get(), *size - 1);
  if (!last_start.ok()) return last_start.error();
  const Result<std::optional<LogEvent>> first = EventAt(fd->get(), 0);
  if (!first.ok()) return first.error();
  const Result<std::optional<LogEvent>> last = EventAt(fd->get(), *last_start);
  if (!last.ok()) return last.error();
  if (*first) description.created = *(description.first_event = (*first)->timestamp);
  if (*last) description.last_event = (*last)->timestamp;
  return description;
}

Result<uint64_t> FileLogStore::Seek(const std::string& group, const std::string& stream, Time time) {
  const Result<UniqueFd> fd = OpenStream(group, stream);
  if (!fd.ok()) return fd.error();
  const Result<uint64_t> size = CompleteSize(fd->get());
  if (!size.ok()) return size.error();
  // Both ends are starts of lines: what begins before `low` is earlier than `time`, what begins at `high` or later is
  // not.
  uint64_t low = 0;
  uint64_t high = *size;
  while (low < high) {
    const Result<uint64_t> start = LineStart(fd->get(), low + (high - low) / 2);
    if (!start.ok()) return start.error();
    LineScanner scanner(fd->get(), *start);
    const Result<std::optional<Line>> line = scanner.Next();
    if (!line.ok()) return line.error();
    if (!*line) return *start;
    if (ParseSpoolLine((*line)->text.substr(0, 32), Time{}).timestamp < time) {
      low = (*line)->end;
    } else {
      high = *start;
    }
  }
  return low;
}

Result<LogStore::Read> FileLogStore::ReadForward(const std::string& group, const std::string& stream, uint64_t position,
                                                 size_t events_max, size_t bytes_max) {
  const Result<UniqueFd> fd = OpenStream(group, stream);
  if (!fd.ok()) return fd.error();
  const Result<uint64_t> size = CompleteSize(fd->get());
  if (!size.ok()) return size.error();
  position = std::min(position, *size);
  if (Status checked = CheckPosition(fd->get(), position); !checked.ok()) return checked.error();
  return ReadEvents(fd->get(), position, *size, events_max, bytes_max);
}

Result<LogStore::Read> FileLogStore::ReadBackward(const std::string& group, const std::string& stream,
                                                  uint64_t position, size_t events_max, size_t bytes_max) {
  const Result<UniqueFd> fd = OpenStream(group, stream);
  if (!fd.ok()) return fd.error();
  const Result<uint64_t> size = CompleteSize(fd->get());
  if (!size.ok()) return size.error();
  position = std::min(position, *size);
  if (Status checked = CheckPosition(fd->get(), position); !checked.ok()) return checked.error();
  const Result<uint64_t> start = LinesBefore(fd->get(), position, events_max, bytes_max);
  if (!start.ok()) return start.error();
  Result<Read> read = ReadEvents(fd->get(), *start, position, events_max, std::max(bytes_max, kLineShownMax));
  if (!read.ok()) return read;
  read->next = *start;
  read->at_end = *start == 0;
  return read;
}

}  // namespace argosy::observe
