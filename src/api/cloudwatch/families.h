// The operations by what they are about; declared in metric_data.cc and metric_reads.cc, alarm_writes.cc,
// alarm_reads.cc and alarm_tags.cc.
#pragma once

#include <memory>

#include "api/cloudwatch/context.h"

namespace argosy::api::cloudwatch {

Operation PutMetricData(std::shared_ptr<const Context> context);
Operation GetMetricStatistics(std::shared_ptr<const Context> context);
Operation GetMetricData(std::shared_ptr<const Context> context);
Operation ListMetrics(std::shared_ptr<const Context> context);
Operation PutMetricAlarm(std::shared_ptr<const Context> context);
Operation SetAlarmState(std::shared_ptr<const Context> context);
Operation DeleteAlarms(std::shared_ptr<const Context> context);
Operation EnableAlarmActions(std::shared_ptr<const Context> context);
Operation DisableAlarmActions(std::shared_ptr<const Context> context);
Operation DescribeAlarms(std::shared_ptr<const Context> context);
Operation DescribeAlarmsForMetric(std::shared_ptr<const Context> context);
Operation DescribeAlarmHistory(std::shared_ptr<const Context> context);
Operation TagResource(std::shared_ptr<const Context> context);
Operation UntagResource(std::shared_ptr<const Context> context);
Operation ListTagsForResource(std::shared_ptr<const Context> context);

// What an alarm may be tagged with, also when it is made.
Shape AlarmTagsShape();

}  // namespace argosy::api::cloudwatch
