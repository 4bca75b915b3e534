// An alarm as clients see it.
#pragma once

#include "api/cloudwatch/context.h"
#include "base/json.h"
#include "catalog/alarm.h"
#include "catalog/resource.h"

namespace argosy::api::cloudwatch {

// A MetricAlarm; kCorrupt when the resource cannot be read.
Result<Json> AlarmJson(const Context& context, const catalog::Resource& resource);

// The items of an alarm's history, oldest first.
Result<std::vector<catalog::AlarmHistoryItem>> AlarmHistory(const catalog::Resource& resource);
Json HistoryItemJson(const std::string& alarm_name, const catalog::AlarmHistoryItem& item);

}  // namespace argosy::api::cloudwatch
