// Tags as S3's clients send them: the x-amz-tagging header and the <Tagging> document.
// Source of the rules: Amazon S3 User Guide, "Categorizing your objects using tags".
#pragma once

#include <string_view>
#include <variant>

#include "api/s3/s3_error.h"
#include "objectstore/object_store.h"

namespace argosy::api::s3 {

inline constexpr size_t kObjectTagsMax = 10;
inline constexpr size_t kBucketTagsMax = 50;

// name=value&name=value, form-encoded; empty: no tags.
std::variant<objectstore::Tags, S3Error> ReadTagHeader(std::string_view header);
// <Tagging>, of an object or a bucket, whichever `count_max` says.
std::variant<objectstore::Tags, S3Error> ReadTagDocument(std::string_view body, size_t count_max);

}  // namespace argosy::api::s3
