#include "observe/prometheus.h"

#include <fmt/format.h>

#include <cmath>

namespace argosy::observe {
namespace {

constexpr int kLeastPower = 4;  // 16 µs
constexpr int kMostPower = 26;  // 67 s: more than an invocation may take

std::string Escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void PrometheusText::Begin(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  const std::string_view kind = type == Type::kCounter ? "counter" : type == Type::kGauge ? "gauge" : "histogram";
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
}

void PrometheusText::Line(std::string_view suffix, const Labels& labels, double value) {
  text_ += name_;
  text_ += suffix;
  char before = '{';
  for (const auto& [label, text] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", before, label, Escaped(text));
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += fmt::format(" {}\n", value);
}

void PrometheusText::Sample(const Labels& labels, double value) {
  Line("", labels, value);
}

void PrometheusText::Histogram(const Labels& labels, const Distribution& microseconds) {
  Labels bucket = labels;
  bucket.emplace_back("le", "");
  for (int power = kLeastPower; power <= kMostPower; ++power) {
    const std::string bound = fmt::format("{}", std::ldexp(1e-6, power));
    bucket.back().second = bound;
    Line("_bucket", bucket, static_cast<double>(microseconds.CountBelow(power)));
  }
  bucket.back().second = "+Inf";
  Line("_bucket", bucket, static_cast<double>(microseconds.count()));
  Line("_sum", labels, microseconds.sum() / 1e6);
  Line("_count", labels, static_cast<double>(microseconds.count()));
}

}  // namespace argosy::observe
