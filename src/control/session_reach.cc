#include "control/session_reach.h"

#include <string>
#include <string_view>

#include "control/jobs_planner.h"
#include "objectstore/object_store.h"

namespace argosy::control {
namespace {

using auth::DataGrant;

// A URI that names nothing grants nothing: the job fails by it in its own words.
void Grant(catalog::Reach& reach, std::string_view uri, DataGrant::Use use) {
  const Result<objectstore::S3Uri> place = objectstore::ParseS3Uri(uri);
  if (place.ok()) reach.push_back({place->bucket, place->key, use});
}

}  // namespace

catalog::Reach ReachOf(const catalog::TrainingJobSpec& job) {
  catalog::Reach reach;
  for (const catalog::ChannelSpec& channel : job.channels) Grant(reach, channel.s3_uri, DataGrant::Use::kRead);
  // Not the whole output path: other jobs may have theirs below the same one.
  const std::string folder = OutputUri(job, "");
  constexpr std::string_view kOutput = "output/";
  Grant(reach, std::string_view(folder).substr(0, folder.size() - kOutput.size()), DataGrant::Use::kReadWrite);
  if (!job.checkpoint_uri.empty()) {
    Grant(reach, catalog::CheckpointUri(job.checkpoint_uri, ""), DataGrant::Use::kReadWrite);
  }
  return reach;
}

catalog::Reach ReachOf(const catalog::ModelSpec& model) {
  catalog::Reach reach;
  if (!model.model_data_url.empty()) Grant(reach, model.model_data_url, DataGrant::Use::kRead);
  const auto archive = model.environment.find("SAGEMAKER_SUBMIT_DIRECTORY");
  if (archive != model.environment.end()) Grant(reach, archive->second, DataGrant::Use::kRead);
  return reach;
}

}  // namespace argosy::control
