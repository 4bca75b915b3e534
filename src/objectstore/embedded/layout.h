// What the store's directory holds, by name (docs/formats/object_store.md).
#pragma once

namespace argosy::objectstore {

inline constexpr char kIndexName[] = "index.db";
inline constexpr char kBucketsName[] = "buckets";
inline constexpr char kBucketTagsName[] = "bucket_tags";

}  // namespace argosy::objectstore
