#include "cost/instance_types.h"

#include <algorithm>

namespace argosy::cost {
namespace {

__extension__ using Wide = __int128;

struct Row {
  const char* name;
  uint32_t vcpus;
  uint64_t memory_mib;
  uint32_t accelerators;
  int64_t micro_dollars_per_hour;
  PriceSource source;
};

// us-east-1. Sizes and on-demand prices: EC2 API output of 2024-02-21. SageMaker prices: as published where a published
// one is known (kListed); elsewhere EC2 on-demand times 1.20 for CPU types and 1.25 for accelerated ones, the ratios
// that the published ones show (kDerived).
constexpr Row kRows[] = {
    {"ml.t2.large", 2, 8192, 0, 111360, PriceSource::kDerived},
    {"ml.t2.medium", 2, 4096, 0, 55680, PriceSource::kDerived},
    {"ml.t2.xlarge", 4, 16384, 0, 222720, PriceSource::kDerived},
    {"ml.t2.2xlarge", 8, 32768, 0, 445440, PriceSource::kDerived},
    {"ml.t3.large", 2, 8192, 0, 99840, PriceSource::kDerived},
    {"ml.t3.medium", 2, 4096, 0, 50000, PriceSource::kListed},
    {"ml.t3.xlarge", 4, 16384, 0, 199680, PriceSource::kDerived},
    {"ml.t3.2xlarge", 8, 32768, 0, 399360, PriceSource::kDerived},
    {"ml.m4.large", 2, 8192, 0, 120000, PriceSource::kDerived},
    {"ml.m4.xlarge", 4, 16384, 0, 240000, PriceSource::kDerived},
    {"ml.m4.2xlarge", 8, 32768, 0, 480000, PriceSource::kDerived},
    {"ml.m4.4xlarge", 16, 65536, 0, 960000, PriceSource::kDerived},
    {"ml.m4.10xlarge", 40, 163840, 0, 2400000, PriceSource::kDerived},
    {"ml.m4.16xlarge", 64, 262144, 0, 3840000, PriceSource::kDerived},
    {"ml.m5.large", 2, 8192, 0, 115000, PriceSource::kListed},
    {"ml.m5.xlarge", 4, 16384, 0, 230000, PriceSource::kListed},
    {"ml.m5.2xlarge", 8, 32768, 0, 461000, PriceSource::kListed},
    {"ml.m5.4xlarge", 16, 65536, 0, 921600, PriceSource::kDerived},
    {"ml.m5.8xlarge", 32, 131072, 0, 1843200, PriceSource::kDerived},
    {"ml.m5.12xlarge", 48, 196608, 0, 2764800, PriceSource::kDerived},
    {"ml.m5.16xlarge", 64, 262144, 0, 3686400, PriceSource::kDerived},
    {"ml.m5.24xlarge", 96, 393216, 0, 5529600, PriceSource::kDerived},
    {"ml.m5d.large", 2, 8192, 0, 135600, PriceSource::kDerived},
    {"ml.m5d.xlarge", 4, 16384, 0, 271200, PriceSource::kDerived},
    {"ml.m5d.2xlarge", 8, 32768, 0, 542400, PriceSource::kDerived},
    {"ml.m5d.4xlarge", 16, 65536, 0, 1084800, PriceSource::kDerived},
    {"ml.m5d.8xlarge", 32, 131072, 0, 2169600, PriceSource::kDerived},
    {"ml.m5d.12xlarge", 48, 196608, 0, 3254400, PriceSource::kDerived},
    {"ml.m5d.16xlarge", 64, 262144, 0, 4339200, PriceSource::kDerived},
    {"ml.m5d.24xlarge", 96, 393216, 0, 6508800, PriceSource::kDerived},
    {"ml.m6i.large", 2, 8192, 0, 115200, PriceSource::kDerived},
    {"ml.m6i.xlarge", 4, 16384, 0, 230400, PriceSource::kDerived},
    {"ml.m6i.2xlarge", 8, 32768, 0, 460800, PriceSource::kDerived},
    {"ml.m6i.4xlarge", 16, 65536, 0, 921600, PriceSource::kDerived},
    {"ml.m6i.8xlarge", 32, 131072, 0, 1843200, PriceSource::kDerived},
    {"ml.m6i.12xlarge", 48, 196608, 0, 2764800, PriceSource::kDerived},
    {"ml.m6i.16xlarge", 64, 262144, 0, 3686400, PriceSource::kDerived},
    {"ml.m6i.24xlarge", 96, 393216, 0, 5529600, PriceSource::kDerived},
    {"ml.m6i.32xlarge", 128, 524288, 0, 7372800, PriceSource::kDerived},
    {"ml.m7i.large", 2, 8192, 0, 120960, PriceSource::kDerived},
    {"ml.m7i.xlarge", 4, 16384, 0, 241920, PriceSource::kDerived},
    {"ml.m7i.2xlarge", 8, 32768, 0, 483840, PriceSource::kDerived},
    {"ml.m7i.4xlarge", 16, 65536, 0, 967680, PriceSource::kDerived},
    {"ml.m7i.8xlarge", 32, 131072, 0, 1935360, PriceSource::kDerived},
    {"ml.m7i.12xlarge", 48, 196608, 0, 2903040, PriceSource::kDerived},
    {"ml.m7i.16xlarge", 64, 262144, 0, 3870720, PriceSource::kDerived},
    {"ml.m7i.24xlarge", 96, 393216, 0, 5806080, PriceSource::kDerived},
    {"ml.m7i.metal-24xl", 96, 393216, 0, 5806080, PriceSource::kDerived},
    {"ml.m7i.48xlarge", 192, 786432, 0, 11612160, PriceSource::kDerived},
    {"ml.m7i.metal-48xl", 192, 786432, 0, 11612160, PriceSource::kDerived},
    {"ml.c4.large", 2, 3840, 0, 120000, PriceSource::kDerived},
    {"ml.c4.xlarge", 4, 7680, 0, 238800, PriceSource::kDerived},
    {"ml.c4.2xlarge", 8, 15360, 0, 477600, PriceSource::kDerived},
    {"ml.c4.4xlarge", 16, 30720, 0, 955200, PriceSource::kDerived},
    {"ml.c4.8xlarge", 36, 61440, 0, 1909200, PriceSource::kDerived},
    {"ml.c5.large", 2, 4096, 0, 102000, PriceSource::kDerived},
    {"ml.c5.xlarge", 4, 8192, 0, 204000, PriceSource::kListed},
    {"ml.c5.2xlarge", 8, 16384, 0, 408000, PriceSource::kListed},
    {"ml.c5.4xlarge", 16, 32768, 0, 816000, PriceSource::kListed},
    {"ml.c5.9xlarge", 36, 73728, 0, 1836000, PriceSource::kListed},
    {"ml.c5.12xlarge", 48, 98304, 0, 2448000, PriceSource::kDerived},
    {"ml.c5.18xlarge", 72, 147456, 0, 3672000, PriceSource::kDerived},
    {"ml.c5.24xlarge", 96, 196608, 0, 4896000, PriceSource::kDerived},
    {"ml.c5n.large", 2, 5376, 0, 129600, PriceSource::kDerived},
    {"ml.c5n.xlarge", 4, 10752, 0, 259200, PriceSource::kDerived},
    {"ml.c5n.2xlarge", 8, 21504, 0, 518400, PriceSource::kDerived},
    {"ml.c5n.4xlarge", 16, 43008, 0, 1036800, PriceSource::kDerived},
    {"ml.c5n.9xlarge", 36, 98304, 0, 2332800, PriceSource::kDerived},
    {"ml.c5n.18xlarge", 72, 196608, 0, 4665600, PriceSource::kDerived},
    {"ml.c6i.large", 2, 4096, 0, 102000, PriceSource::kDerived},
    {"ml.c6i.xlarge", 4, 8192, 0, 204000, PriceSource::kDerived},
    {"ml.c6i.2xlarge", 8, 16384, 0, 408000, PriceSource::kDerived},
    {"ml.c6i.4xlarge", 16, 32768, 0, 816000, PriceSource::kDerived},
    {"ml.c6i.8xlarge", 32, 65536, 0, 1632000, PriceSource::kDerived},
    {"ml.c6i.12xlarge", 48, 98304, 0, 2448000, PriceSource::kDerived},
    {"ml.c6i.16xlarge", 64, 131072, 0, 3264000, PriceSource::kDerived},
    {"ml.c6i.24xlarge", 96, 196608, 0, 4896000, PriceSource::kDerived},
    {"ml.c6i.32xlarge", 128, 262144, 0, 6528000, PriceSource::kDerived},
    {"ml.c7i.large", 2, 4096, 0, 107100, PriceSource::kDerived},
    {"ml.c7i.xlarge", 4, 8192, 0, 214000, PriceSource::kListed},
    {"ml.c7i.2xlarge", 8, 16384, 0, 428400, PriceSource::kDerived},
    {"ml.c7i.4xlarge", 16, 32768, 0, 856800, PriceSource::kDerived},
    {"ml.c7i.8xlarge", 32, 65536, 0, 1713600, PriceSource::kDerived},
    {"ml.c7i.12xlarge", 48, 98304, 0, 2570400, PriceSource::kDerived},
    {"ml.c7i.16xlarge", 64, 131072, 0, 3427200, PriceSource::kDerived},
    {"ml.c7i.24xlarge", 96, 196608, 0, 5140800, PriceSource::kDerived},
    {"ml.c7i.metal-24xl", 96, 196608, 0, 5140800, PriceSource::kDerived},
    {"ml.c7i.48xlarge", 192, 393216, 0, 10281600, PriceSource::kDerived},
    {"ml.c7i.metal-48xl", 192, 393216, 0, 10281600, PriceSource::kDerived},
    {"ml.r5.large", 2, 16384, 0, 151200, PriceSource::kDerived},
    {"ml.r5.xlarge", 4, 32768, 0, 302400, PriceSource::kDerived},
    {"ml.r5.2xlarge", 8, 65536, 0, 604800, PriceSource::kDerived},
    {"ml.r5.4xlarge", 16, 131072, 0, 1209600, PriceSource::kDerived},
    {"ml.r5.8xlarge", 32, 262144, 0, 2419000, PriceSource::kListed},
    {"ml.r5.12xlarge", 48, 393216, 0, 3628800, PriceSource::kDerived},
    {"ml.r5.16xlarge", 64, 524288, 0, 4838000, PriceSource::kListed},
    {"ml.r5.24xlarge", 96, 786432, 0, 7257600, PriceSource::kDerived},
    {"ml.r6i.large", 2, 16384, 0, 151200, PriceSource::kDerived},
    {"ml.r6i.xlarge", 4, 32768, 0, 302400, PriceSource::kDerived},
    {"ml.r6i.2xlarge", 8, 65536, 0, 604800, PriceSource::kDerived},
    {"ml.r6i.4xlarge", 16, 131072, 0, 1209600, PriceSource::kDerived},
    {"ml.r6i.8xlarge", 32, 262144, 0, 2419200, PriceSource::kDerived},
    {"ml.r6i.12xlarge", 48, 393216, 0, 3628800, PriceSource::kDerived},
    {"ml.r6i.16xlarge", 64, 524288, 0, 4838400, PriceSource::kDerived},
    {"ml.r6i.24xlarge", 96, 786432, 0, 7257600, PriceSource::kDerived},
    {"ml.r6i.32xlarge", 128, 1048576, 0, 9676800, PriceSource::kDerived},
    {"ml.g4dn.xlarge", 4, 16384, 1, 736400, PriceSource::kListed},
    {"ml.g4dn.2xlarge", 8, 32768, 1, 940000, PriceSource::kListed},
    {"ml.g4dn.4xlarge", 16, 65536, 1, 1505000, PriceSource::kListed},
    {"ml.g4dn.8xlarge", 32, 131072, 1, 2720000, PriceSource::kListed},
    {"ml.g4dn.12xlarge", 48, 196608, 4, 4890000, PriceSource::kListed},
    {"ml.g4dn.16xlarge", 64, 262144, 1, 5440000, PriceSource::kListed},
    {"ml.g5.xlarge", 4, 16384, 1, 1408400, PriceSource::kListed},
    {"ml.g5.2xlarge", 8, 32768, 1, 1515000, PriceSource::kListed},
    {"ml.g5.4xlarge", 16, 65536, 1, 2030000, PriceSource::kListed},
    {"ml.g5.8xlarge", 32, 131072, 1, 3060000, PriceSource::kListed},
    {"ml.g5.12xlarge", 48, 196608, 4, 7090000, PriceSource::kListed},
    {"ml.g5.16xlarge", 64, 262144, 1, 5120000, PriceSource::kDerived},
    {"ml.g5.24xlarge", 96, 393216, 4, 10180000, PriceSource::kListed},
    {"ml.g5.48xlarge", 192, 786432, 8, 20360000, PriceSource::kListed},
    {"ml.p2.xlarge", 4, 62464, 1, 1125000, PriceSource::kDerived},
    {"ml.p2.8xlarge", 32, 499712, 8, 9000000, PriceSource::kDerived},
    {"ml.p2.16xlarge", 64, 749568, 16, 18000000, PriceSource::kDerived},
    {"ml.p3.2xlarge", 8, 62464, 1, 3825000, PriceSource::kListed},
    {"ml.p3.8xlarge", 32, 249856, 4, 14688000, PriceSource::kListed},
    {"ml.p3.16xlarge", 64, 499712, 8, 28152000, PriceSource::kListed},
    {"ml.p3dn.24xlarge", 96, 786432, 8, 35894000, PriceSource::kListed},
    {"ml.p4d.24xlarge", 96, 1179648, 8, 37688000, PriceSource::kListed},
    {"ml.inf1.xlarge", 4, 8192, 1, 285000, PriceSource::kDerived},
    {"ml.inf1.2xlarge", 8, 16384, 1, 452500, PriceSource::kDerived},
    {"ml.inf1.6xlarge", 24, 49152, 4, 1475000, PriceSource::kDerived},
    {"ml.inf1.24xlarge", 96, 196608, 16, 5901250, PriceSource::kDerived},
    {"ml.trn1.2xlarge", 8, 32768, 1, 1679688, PriceSource::kDerived},
    {"ml.trn1.32xlarge", 128, 524288, 16, 28497000, PriceSource::kListed},
    {"ml.inf2.24xlarge", 96, 393216, 6, 7790000, PriceSource::kListed},
    {"ml.inf2.48xlarge", 192, 786432, 12, 15580000, PriceSource::kListed},
    {"ml.inf2.8xlarge", 32, 131072, 1, 2360000, PriceSource::kListed},
    {"ml.inf2.xlarge", 4, 16384, 1, 990000, PriceSource::kListed},
    {"ml.p5.48xlarge", 192, 2097152, 8, 113068000, PriceSource::kListed},
};

}  // namespace

std::optional<InstanceType> FindInstanceType(std::string_view name) {
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [name](const Row& r) { return name == r.name; });
  if (row == std::end(kRows)) return std::nullopt;
  return InstanceType{.name = row->name,
                      .vcpus = row->vcpus,
                      .memory_bytes = row->memory_mib << 20,
                      .accelerators = row->accelerators,
                      .nano_dollars_per_hour = row->micro_dollars_per_hour * 1000,
                      .price_source = row->source};
}

std::vector<std::string> InstanceTypeNames() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

int64_t CostOf(const InstanceType& type, int64_t seconds, int64_t instances) {
  // An hour of the dearest type is about 10^11 nano-dollars and a year 3·10^7 seconds: the product needs 128 bits.
  return static_cast<int64_t>(static_cast<Wide>(type.nano_dollars_per_hour) * seconds * instances / 3600);
}

}  // namespace argosy::cost
