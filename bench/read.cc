// Reads a CSV file into rows of floats in this process and prints one line of JSON: bytes, rows, wall and processor
// seconds. What reading.py drives.
//
//   bench_read THREADS FILE.csv [label position, or "none"]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>

#include "data/dataset.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s THREADS FILE.csv [label position, or none]\n", argv[0]);
    return 2;
  }
  argosy::data::ProbeOptions options;
  options.categorical_auto = true;
  options.label_kind = argosy::data::LabelKind::kIgnored;
  const std::string label = argc > 3 ? argv[3] : "none";
  options.has_label = label != "none";
  if (options.has_label) options.label = label;
  argosy::data::ReadOptions read;
  read.threads = static_cast<unsigned>(std::atoi(argv[1]));
  read.memory_bytes_max = size_t{8} << 30;
  read.scratch_dir = std::filesystem::temp_directory_path();
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t processor = std::clock();
  const auto table = argosy::data::ReadNewTable({"bench", {std::filesystem::path(argv[2])}}, options, read);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double spent = static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC;
  if (!table) {
    std::fprintf(stderr, "%s\n", table.error().message().c_str());
    return 1;
  }
  std::printf("{\"bytes\": %ju, \"rows\": %ju, \"seconds\": %.4f, \"processor_seconds\": %.4f}\n",
              static_cast<uintmax_t>(std::filesystem::file_size(argv[2])),
              static_cast<uintmax_t>(table->rows().row_count()), wall.count(), spent);
  return 0;
}
