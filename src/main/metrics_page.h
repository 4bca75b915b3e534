// The page /-/metrics: what the server counts, in Prometheus's text format.
#pragma once

#include <functional>

#include "http/message.h"
#include "main/options.h"
#include "observe/prometheus.h"

namespace argosy::main {

// `write` adds what the parts count; it is called on event loops. The page adds what the process holds.
std::function<http::Response(const http::RequestView&)> MetricsPage(
    MetricsAccess access, Time started, std::function<void(observe::PrometheusText&)> write);

}  // namespace argosy::main
