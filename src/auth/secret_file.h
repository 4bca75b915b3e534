// A file that holds a secret and is its owner's alone.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace argosy::auth {

// Its text. When there is no such file, `make` gives the text and it is written, mode 0600 and durably, before this
// returns. One that others may read or write is kPermissionDenied. `what` names it in errors.
Result<std::string> ReadOrCreateSecretFile(const std::filesystem::path& file, const std::string& what,
                                           const std::function<std::string()>& make);

}  // namespace argosy::auth
