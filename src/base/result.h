// Errors as values.
//
// A function that can fail for a reason outside the program returns Result<T> (or Status, for no value). An Error
// carries a code that a caller can act on and a sentence a person can act on: which value, which rule, what to do. What
// must be true inside the program is a Check(), which stays on in release builds.
#pragma once

#include <cstdlib>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace argosy {

enum class ErrorCode {
  kInvalidArgument,    // the asker must change the request
  kNotFound,           // the named thing is not there
  kAlreadyExists,      // the name is taken
  kConflict,           // the thing has changed since it was read: read again, decide again
  kPermissionDenied,   // the asker may not
  kResourceExhausted,  // a bound is reached (queue, memory, descriptors): later it may work
  kNoSpace,            // the disk is full: somebody must make room
  kUnavailable,        // a peer does not answer: later it may work
  kDeadlineExceeded,   // the time allowed is over
  kCancelled,          // somebody asked for it to stop
  kCorrupt,            // bytes that break their own format
  kIo,                 // the operating system said no
  kInternal,           // a fault of this program
};

std::string_view ErrorCodeName(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error seen from one level up: "reading channel 'train': <message>".
  Error Wrap(std::string_view context) const { return Error(code_, std::string(context) + ": " + message_); }

 private:
  ErrorCode code_;
  std::string message_;
};

inline Error Invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

// An Error of code kIo that ends in the text of errno; ENOSPC and EDQUOT give kNoSpace, ENOENT kNotFound,
// EACCES and EPERM kPermissionDenied, EEXIST kAlreadyExists.
Error ErrnoError(std::string_view what, int errno_value);

[[noreturn]] void CheckFailed(std::string_view what, std::source_location where);

// Ends the process with `what` and the place when `condition` does not hold.
inline void Check(bool condition, std::string_view what = "invariant broken",
                  std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    CheckFailed(what, where);
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : value_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return Checked(), std::get<0>(value_); }
  const T& value() const& { return Checked(), std::get<0>(value_); }
  T&& value() && { return Checked(), std::get<0>(std::move(value_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(value_); }

 private:
  void Checked() const {
    if (!ok()) [[unlikely]]
      CheckFailed(std::get<1>(value_).message(), std::source_location::current());
  }
  std::variant<T, Error> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

// What an asynchronous call gives its outcome to. Called exactly once; the interface says on which thread.
template <class T>
using Callback = std::function<void(Result<T>)>;

}  // namespace argosy
