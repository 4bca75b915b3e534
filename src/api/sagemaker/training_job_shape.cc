#include "api/patterns.h"
#include "api/sagemaker/context.h"
#include "api/sagemaker/descriptions.h"

namespace argosy::api::sagemaker {
namespace {

// The built-in algorithms read objects where they lie, in every mode, and never wait for a whole download.
Shape InputModeShape() {
  return Enum({"Pipe", "File", "FastFile"});
}

Shape AlgorithmShape() {
  return Structure({
      // One of image and algorithm is needed; only images are known here.
      Required("TrainingImage", String().AtMost(255).Matching(kLinePattern)),
      Optional("AlgorithmName", String().Length(1, 170)).Refused("algorithm resources; give TrainingImage"),
      // A FastFile channel is the same files, opened instead of copied.
      Required("TrainingInputMode", InputModeShape()),
      Optional("MetricDefinitions", List(Structure({
                                             Required("Name", String().Length(1, 255).Matching(kNonEmptyLinePattern)),
                                             Required("Regex", String().Length(1, 500).Matching(kNonEmptyLinePattern)),
                                         }))
                                        .Length(0, 40)),
      Optional("EnableSageMakerMetricsTimeSeries", Boolean()).Echoed(),
      Optional("ContainerEntrypoint", List(String().AtMost(256)).Length(1, 100)).Refused("programs of the user's own"),
      Optional("ContainerArguments", List(String().AtMost(256)).Length(1, 100)).Refused("programs of the user's own"),
      Optional("TrainingImageConfig", Document()).Echoed(),
  });
}

Shape ChannelShape() {
  Shape s3_source = Structure({
      Required("S3DataType", Enum({"ManifestFile", "S3Prefix", "AugmentedManifestFile", "Converse"}))
          .Only({"S3Prefix", "ManifestFile"}),
      Required("S3Uri", S3UriShape()),
      Optional("S3DataDistributionType", Enum({"FullyReplicated", "ShardedByS3Key"})),
      Optional("AttributeNames", List(String().Length(1, 256)).AtMost(16)).Refused("augmented manifests"),
      Optional("InstanceGroupNames", List(String().Length(1, 64)).AtMost(5)).Refused("instance groups"),
      Optional("ModelAccessConfig", Document()).Refused("model access configurations"),
      Optional("HubAccessConfig", Document()).Refused("hub content"),
  });
  return Structure({
      Required("ChannelName", String().Length(1, 64).Matching(kChannelNamePattern)),
      Required("DataSource", Structure({
                                 Required("S3DataSource", std::move(s3_source)),
                                 Optional("FileSystemDataSource", Document()).Refused("EFS and FSx file systems"),
                                 Optional("DatasetSource", Document()).Refused("hub data sets"),
                             })),
      Optional("ContentType", String().AtMost(256).Matching(kLinePattern)),
      Optional("CompressionType", Enum({"None", "Gzip"})),
      Optional("RecordWrapperType", Enum({"None", "RecordIO"})).Only({"None"}),
      Optional("InputMode", InputModeShape()),
      // Shuffles the order of objects; the built-in algorithms mix rows themselves.
      Optional("ShuffleConfig", Structure({Required("Seed", Long())})).Echoed(),
  });
}

Shape ResourceShape(const std::vector<std::string>& instance_types) {
  return Structure({
      Required("InstanceType", Enum(instance_types)),
      Required("InstanceCount", Integer().AtLeast(1)).UpTo(16, "training on more than 16 hosts"),
      Optional("VolumeSizeInGB", Integer().AtLeast(0)).Echoed(),
      Optional("VolumeKmsKeyId", String().AtMost(2048).Matching(kKmsKeyPattern)).Echoed(),
      Optional("KeepAlivePeriodInSeconds", Integer().Range(0, 21600)).Echoed(),
      Optional("InstanceGroups", Document()).Refused("instance groups"),
      Optional("TrainingPlanArn", String().Length(50, 2048)).Refused("training plans"),
      Optional("InstancePlacementConfig", Document()).Echoed(),
      Optional("InstancePreferences", Document()).Refused("instance preferences"),
  });
}

}  // namespace

Shape CreateTrainingJobInput(const Context& context) {
  return Structure({
      Required("TrainingJobName", NameShape(1)),
      Optional("HyperParameters",
               Map(String().AtMost(256).Matching(kLinePattern), String().AtMost(2500).Matching(kLinePattern))
                   .Length(0, 100)),
      Required("AlgorithmSpecification", AlgorithmShape()),
      Required("RoleArn", RoleArnShape()),
      Optional("InputDataConfig", List(ChannelShape()).Length(1, 20)),
      Required("OutputDataConfig", Structure({
                                       Optional("KmsKeyId", String().AtMost(2048).Matching(kKmsKeyPattern)).Echoed(),
                                       Required("S3OutputPath", S3UriShape()),
                                       Optional("CompressionType", Enum({"GZIP", "NONE"})).Only({"GZIP"}),
                                   })),
      Required("ResourceConfig", ResourceShape(context.options.instance_types)),
      Optional("VpcConfig", VpcConfigShape()).Echoed(),
      Optional("StoppingCondition",
               Structure({
                   Optional("MaxRuntimeInSeconds", Integer().AtLeast(1)),
                   Optional("MaxWaitTimeInSeconds", Integer().AtLeast(1)).Refused("managed spot training"),
                   Optional("MaxPendingTimeInSeconds", Integer().Range(1800, 2419200)).Refused("a limit on waiting"),
               })),
      Optional("Tags", TagsShape()),
      Optional("EnableNetworkIsolation", Boolean()).Echoed(),
      Optional("EnableInterContainerTrafficEncryption", Boolean()).Echoed(),
      Optional("EnableManagedSpotTraining", Boolean()).Refused("managed spot training"),
      Optional("CheckpointConfig", Structure({
                                       Required("S3Uri", S3UriShape()),
                                       Optional("LocalPath", String().AtMost(4096).Matching(kLinePattern)),
                                   })),
      // Sent by the SDKs with every job; no built-in algorithm writes tensors or profiles.
      Optional("DebugHookConfig", Document()).Echoed(),
      Optional("DebugRuleConfigurations", Document()).Refused("debugger rules"),
      Optional("TensorBoardOutputConfig", Document()).Echoed(),
      Optional("ExperimentConfig",
               Structure({
                   Optional("ExperimentName", String().Length(1, 120).Matching(kLongNamePattern)),
                   Optional("TrialName", String().Length(1, 120).Matching(kLongNamePattern)),
                   Optional("TrialComponentDisplayName", String().Length(1, 120).Matching(kLongNamePattern)),
                   Optional("RunName", String().Length(1, 120).Matching(kLongNamePattern)),
               }))
          .Echoed(),
      Optional("ProfilerConfig", Document()).Echoed(),
      Optional("ProfilerRuleConfigurations", Document()).Echoed(),
      Optional("Environment",
               Map(String().AtMost(512).Matching(kEnvironmentKeyPattern), String().AtMost(512)).Length(0, 100)),
      Optional("RetryStrategy", Structure({Required("MaximumRetryAttempts", Integer().Range(1, 30))})),
      Optional("RemoteDebugConfig", Document()).Echoed(),
      Optional("InfraCheckConfig", Document()).Echoed(),
      Optional("SessionChainingConfig", Document()).Echoed(),
      Optional("ServerlessJobConfig", Document()).Refused("serverless jobs"),
      Optional("MlflowConfig", Document()).Refused("MLflow tracking"),
      Optional("ModelPackageConfig", Document()).Refused("model packages"),
  });
}

}  // namespace argosy::api::sagemaker
