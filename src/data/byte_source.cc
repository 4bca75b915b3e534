#include "data/byte_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/files.h"
#include "data/parquet/parquet_source.h"

namespace argosy::data {
namespace {

constexpr size_t kInputBytes = 256 << 10;  // one read(2); larger gains nothing measurable

// read(2) until `into` is full or the file ends.
Result<size_t> ReadFully(int fd, std::span<char> into, const std::string& name) {
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::read(fd, into.data() + done, into.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading '" + name + "'", errno);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

class PlainSource final : public ByteSource {
 public:
  PlainSource(UniqueFd fd, std::string name, std::string head)
      : fd_(std::move(fd)), name_(std::move(name)), head_(std::move(head)) {}

  Result<size_t> Read(std::span<char> into) override {
    const size_t from_head = std::min(into.size(), head_.size());
    std::memcpy(into.data(), head_.data(), from_head);
    head_.erase(0, from_head);
    auto rest = ReadFully(fd_.get(), into.subspan(from_head), name_);
    if (!rest) return rest.error();
    return from_head + *rest;
  }

 private:
  UniqueFd fd_;
  std::string name_;
  std::string head_;  // read to look for the magic bytes, not yet handed out
};

class LinesSource final : public ByteSource {
 public:
  LinesSource(UniqueFd fd, std::string name, uint64_t begin, uint64_t end)
      : fd_(std::move(fd)), name_(std::move(name)), begin_(begin), end_(end), at_(begin == 0 ? 0 : begin - 1) {}

  Result<size_t> Read(std::span<char> into) override {
    if (!begun_) {
      if (Status s = SkipBegunLine(); !s) return s.error();
      begun_ = true;
    }
    size_t done = 0;
    while (done < into.size() && !ended_) {
      auto n = ReadOn(into.subspan(done));
      if (!n) return n.error();
      if (*n == 0) break;
      const uint64_t from = at_;
      at_ += *n;
      // The line with the last byte before `end_` is the last one.
      if (at_ >= end_) {
        const size_t search = from >= end_ ? 0 : static_cast<size_t>(end_ - 1 - from);
        const char* const bytes = into.data() + done;
        const void* const newline = std::memchr(bytes + search, '\n', *n - search);
        if (newline != nullptr) {
          ended_ = true;
          *n = static_cast<size_t>(static_cast<const char*>(newline) - bytes) + 1;
        }
      }
      done += *n;
    }
    return done;
  }

 private:
  // What stands before the first line end at or behind the byte before `begin_` is somebody else's.
  Status SkipBegunLine() {
    if (begin_ >= end_) ended_ = true;
    if (::lseek(fd_.get(), static_cast<off_t>(at_), SEEK_SET) < 0)
      return ErrnoError("seeking in '" + name_ + "'", errno);
    if (begin_ == 0) return {};
    rest_.resize(kInputBytes);
    while (true) {
      auto n = ReadFully(fd_.get(), std::span<char>(rest_.data(), rest_.size()), name_);
      if (!n) return n.error();
      const void* const newline = std::memchr(rest_.data(), '\n', *n);
      if (newline == nullptr) {
        at_ += *n;
        if (*n == rest_.size() && at_ < end_) continue;
        ended_ = true;
        rest_.clear();
        return {};
      }
      const auto line = static_cast<size_t>(static_cast<const char*>(newline) - rest_.data()) + 1;
      at_ += line;
      rest_ = rest_.substr(line, *n - line);
      ended_ = ended_ || at_ >= end_;
      return {};
    }
  }

  Result<size_t> ReadOn(std::span<char> into) {
    if (rest_.empty()) return ReadFully(fd_.get(), into, name_);
    const size_t n = std::min(into.size(), rest_.size());
    std::memcpy(into.data(), rest_.data(), n);
    rest_.erase(0, n);
    return n;
  }

  UniqueFd fd_;
  std::string name_;
  const uint64_t begin_;
  const uint64_t end_;
  uint64_t at_;  // place in the file of what comes next
  std::string rest_;
  bool begun_ = false;
  bool ended_ = false;
};

class GzipSource final : public ByteSource {
 public:
  GzipSource(UniqueFd fd, std::string name, std::string head)
      : fd_(std::move(fd)), name_(std::move(name)), input_(kInputBytes) {
    Check(head.size() <= input_.size());
    std::memcpy(input_.data(), head.data(), head.size());
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(head.size());
    // 16 + MAX_WBITS: the gzip wrapper and nothing else.
    Check(inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK, "inflateInit2");
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<size_t> Read(std::span<char> into) override {
    size_t done = 0;
    while (done < into.size() && !ended_) {
      if (stream_.avail_in == 0) {
        auto n = ReadFully(fd_.get(), input_, name_);
        if (!n) return n.error();
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(*n);
        if (*n == 0) {
          if (!between_members_) return Broken("it ends before its gzip stream does");
          ended_ = true;
          break;
        }
      }
      if (between_members_) {
        // What follows a member is another one or nothing; zero padding (as tape writers leave it) counts as nothing.
        if (*stream_.next_in == 0 && any_member_) {
          ended_ = true;
          break;
        }
        Check(inflateReset(&stream_) == Z_OK, "inflateReset");
        between_members_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(into.data() + done);
      stream_.avail_out = static_cast<uInt>(into.size() - done);
      const int code = inflate(&stream_, Z_NO_FLUSH);
      done = into.size() - stream_.avail_out;
      if (code == Z_STREAM_END) {
        between_members_ = any_member_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return Broken(stream_.msg != nullptr ? stream_.msg : "it is not gzip");
      }
    }
    return done;
  }

 private:
  Error Broken(std::string_view why) const {
    return Error(ErrorCode::kInvalidArgument, "cannot decompress '" + name_ + "' as gzip: " + std::string(why));
  }

  UniqueFd fd_;
  std::string name_;
  std::vector<char> input_;
  z_stream stream_{};
  bool between_members_ = true;
  bool any_member_ = false;
  bool ended_ = false;
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(UniqueFd fd, std::string name, std::string head)
      : fd_(std::move(fd)), name_(std::move(name)), input_(kInputBytes), stream_(ZSTD_createDStream()) {
    Check(stream_ != nullptr, "no memory for zstd");
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kWindowLogMax);
    std::memcpy(input_.data(), head.data(), head.size());
    in_ = {input_.data(), head.size(), 0};
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;

  Result<size_t> Read(std::span<char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos < out.size) {
      if (in_.pos == in_.size && !(full_ && in_frame_)) {
        auto n = ReadFully(fd_.get(), input_, name_);
        if (!n) return n.error();
        if (*n == 0) {
          if (in_frame_) return Broken("it ends before its last frame does");
          break;
        }
        in_ = {input_.data(), *n, 0};
      }
      const size_t left = ZSTD_decompressStream(stream_, &out, &in_);
      if (ZSTD_isError(left) != 0) return Broken(ZSTD_getErrorName(left));
      in_frame_ = left != 0;
      full_ = out.pos == out.size;  // then more may wait inside
    }
    return out.pos;
  }

 private:
  // A frame may ask for a window of any size: 128 MB is what zstd's own program allows.
  static constexpr int kWindowLogMax = 27;

  Error Broken(std::string_view why) const {
    return Error(ErrorCode::kInvalidArgument, "cannot decompress '" + name_ + "' as zstd: " + std::string(why));
  }

  UniqueFd fd_;
  std::string name_;
  std::vector<char> input_;
  ZSTD_DStream* const stream_;
  ZSTD_inBuffer in_{};
  bool in_frame_ = false;
  bool full_ = false;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  Result<size_t> Read(std::span<char> into) override {
    const size_t n = std::min(into.size(), bytes_.size());
    std::memcpy(into.data(), bytes_.data(), n);
    bytes_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view bytes_;
};

constexpr size_t kHeadBytes = 4;  // enough to tell gzip, zstd and Parquet
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

bool IsGzip(std::string_view head, Compression compression) {
  return !head.empty() && (compression == Compression::kGzip || head.starts_with("\x1f\x8b"));
}

// The first bytes of an open file, fewer when it is shorter.
Result<std::string> ReadHead(int fd, const InputFile& file) {
  std::string head(kHeadBytes, '\0');
  auto n = ReadFully(fd, std::span<char>(head.data(), head.size()), file.name);
  if (!n) return n.error();
  head.resize(*n);
  return head;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenByteSource(const InputFile& file, Compression compression) {
  auto fd = OpenFile(file.path, O_RDONLY);
  if (!fd) return fd.error();
  auto head = ReadHead(fd->get(), file);
  if (!head) return head.error();
  if (*head == kParquetMagic && compression != Compression::kGzip) return OpenParquet(file);
  if (compression == Compression::kParquet) {
    return Error(ErrorCode::kInvalidArgument,
                 "cannot read '" + file.name + "' as Parquet: it does not begin with PAR1");
  }
  if (IsGzip(*head, compression)) {
    return std::unique_ptr<ByteSource>(new GzipSource(std::move(*fd), file.name, std::move(*head)));
  }
  if (*head == kZstdMagic) {
    return std::unique_ptr<ByteSource>(new ZstdSource(std::move(*fd), file.name, std::move(*head)));
  }
  return std::unique_ptr<ByteSource>(new PlainSource(std::move(*fd), file.name, std::move(*head)));
}

bool IsParquet(const std::filesystem::path& path) {
  const auto fd = OpenFile(path, O_RDONLY);
  if (!fd) return false;
  const auto head = ReadHead(fd->get(), path);
  return head && *head == kParquetMagic;
}

Result<bool> IsCompressed(const InputFile& file, Compression compression) {
  auto fd = OpenFile(file.path, O_RDONLY);
  if (!fd) return fd.error();
  auto head = ReadHead(fd->get(), file);
  if (!head) return head.error();
  return IsGzip(*head, compression) || *head == kZstdMagic || *head == kParquetMagic;
}

Result<std::unique_ptr<ByteSource>> OpenLines(const InputFile& file, uint64_t begin, uint64_t end) {
  auto fd = OpenFile(file.path, O_RDONLY);
  if (!fd) return fd.error();
  return std::unique_ptr<ByteSource>(new LinesSource(std::move(*fd), file.name, begin, end));
}

std::unique_ptr<ByteSource> MakeMemoryByteSource(std::string_view bytes) {
  return std::make_unique<MemorySource>(bytes);
}

}  // namespace argosy::data
