// What S3's clients ask of every bucket and object, and what S3 says of one for which nothing was ever set: access
// lists, policies, life cycles, …. They cannot be set here, so these answers are always true.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace argosy::api::s3 {

struct Setting {
  std::string_view sub_resource;  // ?acl, ?policy, …
  int status;                     // 200: `root` is answered; else it is an error
  std::string_view root_or_code;  // the document's element, or the error's code
  std::string_view message;       // the error's
};

// The one that the parameters name, when they name nothing else; null when they do not.
const Setting* FindSetting(bool of_bucket, const std::map<std::string, std::string>& parameters);

}  // namespace argosy::api::s3
