#include "objectstore/outside/unfinished_uploads.h"

#include <unistd.h>

#include <vector>

#include "base/bytes.h"
#include "base/files.h"
#include "base/log.h"
#include "objectstore/json_texts.h"
#include "objectstore/outside/object_transfer.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kNoteBytesMax = 64 * 1024;  // a key and an upload's id

}  // namespace

Result<std::unique_ptr<UnfinishedUploads>> UnfinishedUploads::Open(std::filesystem::path dir, S3Client* client) {
  if (Status made = MakeDirectories(dir); !made.ok()) return made.error();
  return std::unique_ptr<UnfinishedUploads>(new UnfinishedUploads(std::move(dir), client));
}

std::filesystem::path UnfinishedUploads::NoteOf(const std::string& upload_id) const {
  return dir_ / Sha256Hex(upload_id);
}

Status UnfinishedUploads::Note(const std::string& key, const std::string& upload_id) {
  const std::filesystem::path note = NoteOf(upload_id);
  {
    const std::lock_guard lock(mutex_);
    under_way_.insert(note);
  }
  return WriteFileAtomically(note, DumpTexts({{"key", key}, {"upload_id", upload_id}}), 0600);
}

void UnfinishedUploads::Forget(const std::string& upload_id) {
  unlink(NoteOf(upload_id).c_str());
  End(upload_id);
}

void UnfinishedUploads::End(const std::string& upload_id) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(NoteOf(upload_id));
}

void UnfinishedUploads::Abort(const std::string& key, const std::string& upload_id) {
  const Status aborted = AbortUploadOutside(*client_, key, upload_id);
  if (aborted.ok()) return Forget(upload_id);
  End(upload_id);
  Log(LogLevel::kWarning, "an upload in parts is left unfinished outside for now",
      {{"key", key}, {"upload", upload_id}, {"error", aborted.error().message()}});
}

void UnfinishedUploads::Sweep() {
  std::vector<std::filesystem::path> left;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir_, error)) {
    const std::lock_guard lock(mutex_);
    if (!under_way_.contains(entry.path())) left.push_back(entry.path());
  }
  for (const std::filesystem::path& note : left) {
    const Result<std::string> text = ReadFile(note, kNoteBytesMax);
    const Result<std::map<std::string, std::string>> told =
        text.ok() ? ParseTexts(*text) : Result<std::map<std::string, std::string>>(text.error());
    if (!told.ok() || !told->contains("key") || !told->contains("upload_id")) {
      unlink(note.c_str());  // torn: it was written when the process ended
      continue;
    }
    Abort(told->at("key"), told->at("upload_id"));
  }
}

}  // namespace argosy::objectstore
