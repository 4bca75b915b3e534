#include "main/metrics_page.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "compute/local/machine.h"
#include "main/version.h"

namespace argosy::main {
namespace {

using Type = observe::PrometheusText::Type;

void WriteProcess(observe::PrometheusText& page, Time started) {
  page.Begin("argosy_build_info", Type::kGauge, "The version that runs.");
  page.Sample({{"version", kVersion}}, 1);
  page.Begin("process_start_time_seconds", Type::kGauge, "When the server started, in seconds since 1970.");
  page.Sample({}, ToUnixSeconds(started));
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  page.Begin("process_cpu_seconds_total", Type::kCounter, "Processor time of the server itself.");
  page.Sample({}, seconds(used.ru_utime) + seconds(used.ru_stime));
  page.Begin("process_resident_memory_bytes", Type::kGauge, "Memory that the server itself holds.");
  page.Sample({}, static_cast<double>(compute::ResidentBytes(getpid())));
}

}  // namespace

std::function<http::Response(const http::RequestView&)> MetricsPage(
    MetricsAccess access, Time started, std::function<void(observe::PrometheusText&)> write) {
  return [access, started, write = std::move(write)](const http::RequestView& request) {
    http::Response response;
    if (access == MetricsAccess::kLoopback && request.from != http::ClientPlace::kLoopback) {
      response.status = 403;
      response.Set("Content-Type", "application/json");
      response.body =
          "{\"message\":\"Metrics are told on this machine only; the option metrics-access says to whom.\"}\n";
      return response;
    }
    observe::PrometheusText page;
    write(page);
    WriteProcess(page, started);
    response.Set("Content-Type", std::string(observe::kPrometheusContentType));
    response.body = page.Take();
    return response;
  };
}

}  // namespace argosy::main
