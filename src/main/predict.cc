// argosy predict TARGET ROWS…: an endpoint's answer, or an artifact's without any server.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/archive.h"
#include "algorithms/algorithm.h"
#include "algorithms/linear/linear_model.h"
#include "base/bytes.h"
#include "base/files.h"
#include "data/byte_source.h"
#include "data/table_schema.h"
#include "main/api_client.h"
#include "main/format.h"
#include "main/header_line.h"
#include "main/json_access.h"
#include "main/row_chunks.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr size_t kSchemaBytesMax = 1 << 30;  // what loading an artifact allows
constexpr std::string_view kAccept = "application/jsonlines";

// Answers a body of rows with one JSON object a line.
using Answerer = std::function<Result<std::string>(const std::string& body)>;

// An artifact unpacked and loaded; the unpacked files go with it.
struct LoadedArtifact {
  ~LoadedArtifact() { (void)RemoveTree(directory); }
  std::filesystem::path directory;
  std::unique_ptr<model::Predictor> predictor;
  std::optional<data::TableSchema> schema;
};

std::optional<data::TableSchema> ReadSchema(const std::filesystem::path& directory) {
  const Result<std::string> text = ReadFile(directory / algorithms::linear::kSchemaFile, kSchemaBytesMax);
  const Result<Json> json = text.ok() ? ParseJson(*text) : text.error();
  Result<data::TableSchema> schema = json.ok() ? data::TableSchemaFromJson(*json) : json.error();
  return schema.ok() ? std::optional(std::move(*schema)) : std::nullopt;
}

Result<std::shared_ptr<LoadedArtifact>> LoadArtifact(const std::filesystem::path& file) {
  auto loaded = std::make_shared<LoadedArtifact>();
  std::string pattern = (std::filesystem::temp_directory_path() / "argosy-predict-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return ErrnoError("making a temporary directory", errno);
  loaded->directory = pattern;
  Result<UniqueFd> archive = OpenFile(file, O_RDONLY);
  if (!archive.ok()) return archive.error();
  if (Status unpacked = agent::UnpackArchive(archive->get(), loaded->directory, {}); !unpacked.ok()) {
    return unpacked.error().Wrap(file.string());
  }
  const Result<const algorithms::Algorithm*> algorithm = algorithms::FindAlgorithmOfArtifact(loaded->directory);
  if (!algorithm.ok()) return algorithm.error().Wrap(file.string());
  Result<std::unique_ptr<model::Predictor>> predictor = (*algorithm)->Load(loaded->directory);
  if (!predictor.ok()) return predictor.error().Wrap(file.string());
  loaded->predictor = std::move(*predictor);
  loaded->schema = ReadSchema(loaded->directory);
  return loaded;
}

Answerer FromArtifact(std::shared_ptr<LoadedArtifact> artifact, const std::string& content_type) {
  return [artifact = std::move(artifact), content_type](const std::string& body) -> Result<std::string> {
    const model::PredictionResult result = artifact->predictor->Predict(content_type, kAccept, body);
    if (const auto* error = std::get_if<model::PredictionError>(&result)) {
      return Error(ErrorCode::kInvalidArgument, error->message);
    }
    return std::get<model::Prediction>(result).body;
  };
}

Answerer FromEndpoint(std::shared_ptr<ApiClient> client, const std::string& endpoint, const std::string& content_type) {
  return [client = std::move(client), endpoint, content_type](const std::string& body) -> Result<std::string> {
    Result<ApiReply> reply = client->Invoke(endpoint, content_type, kAccept, body);
    if (!reply.ok()) return reply.error();
    return std::move(reply->body);
  };
}

// What the rows are for.
struct Target {
  Answerer answer;
  std::shared_ptr<const LoadedArtifact> artifact;  // null: an endpoint, whose schema is not told
  bool csv = true;                                 // the rows are

  const data::TableSchema* schema() const { return artifact && artifact->schema ? &*artifact->schema : nullptr; }
};

std::string Cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return FormatNumber(value.get<double>());
  if (value.is_array()) {  // a score for each class: the one that decided
    double best = -std::numeric_limits<double>::infinity();
    for (const Json& one : value) best = std::max(best, one.is_number() ? one.get<double>() : best);
    return value.empty() ? "" : FormatNumber(best);
  }
  return DumpJson(value);
}

// The answers to one body, printed. `row` counts on over all bodies.
Status PrintAnswers(const std::string& lines, OutputForm form, uint64_t& row) {
  if (form == OutputForm::kJson) {
    Print(lines.ends_with('\n') || lines.empty() ? lines : lines + "\n");
    return {};
  }
  std::optional<Table> table;
  std::vector<std::string> keys;
  const TableHead head = row == 0 ? TableHead::kShow : TableHead::kHide;
  for (size_t start = 0; start < lines.size();) {
    const size_t end = std::min(lines.find('\n', start), lines.size());
    const std::string_view line = std::string_view(lines).substr(start, end - start);
    start = end + 1;
    if (Trim(line).empty()) continue;
    const Result<Json> answer = ParseJson(line);
    if (!answer.ok() || !answer->is_object()) {
      return Error(ErrorCode::kInternal, fmt::format("the model's answer is no JSON object: {}", line));
    }
    if (!table) {
      std::vector<Column> columns{{"ROW", Align::kRight}};
      for (const char* first : {"predicted_label", "score"}) {
        if (answer->contains(first)) keys.emplace_back(first);
      }
      for (const auto& [key, value] : answer->items()) {
        if (key != "predicted_label" && key != "score") keys.push_back(key);
      }
      for (const std::string& key : keys) columns.push_back({key, Align::kLeft});
      table.emplace(std::move(columns));
    }
    std::vector<std::string> cells{std::to_string(++row)};
    for (const std::string& key : keys) cells.push_back(answer->contains(key) ? Cell((*answer)[key]) : "");
    table->Add(std::move(cells));
  }
  if (table) Print(table->Render(OutputWidth(), head));
  return {};
}

// Whether a word that is no file was meant as one: rows have commas, and do not end so.
bool LooksLikePath(std::string_view word) {
  if (word.find(',') != std::string_view::npos) return false;
  for (const std::string_view start : {"/", "./", "../"}) {
    if (word.starts_with(start)) return true;
  }
  for (const std::string_view ending : {".csv", ".gz", ".txt", ".data", ".json", ".jsonl"}) {
    if (word.ends_with(ending)) return true;
  }
  return false;
}

// Rows from wherever `word` means, in bodies small enough for an endpoint; a line of column names is left out.
Status ForEachBody(const std::string& word, const Target& target, RowChunks& chunks) {
  std::error_code error;
  if (word != "-" && !std::filesystem::is_regular_file(word, error)) {
    if (std::filesystem::exists(word, error))
      return Error(ErrorCode::kInvalidArgument, word + " is not a file of rows");
    if (LooksLikePath(word)) return Error(ErrorCode::kNotFound, "no such file: " + word);
    return chunks.Append(word + "\n");
  }
  Result<std::unique_ptr<data::ByteSource>> source =
      data::OpenByteSource(word == "-" ? "/dev/stdin" : word, data::Compression::kAuto);
  if (!source.ok()) return source.error();
  constexpr size_t kReadBytes = 256 * 1024;
  std::string buffer(kReadBytes, '\0');
  for (bool begin = true;; begin = false) {
    const Result<size_t> n = (*source)->Read(buffer);
    if (!n.ok()) return n.error().Wrap(word);
    if (*n == 0) return chunks.EndOfFile();
    std::string_view text = std::string_view(buffer).substr(0, *n);
    if (const size_t header = begin && target.csv ? HeaderBytes(text, target.schema()) : 0; header > 0) {
      Note(fmt::format("{}: the first line holds column names and is left out", word == "-" ? "standard input" : word));
      text.remove_prefix(header);
    }
    if (Status taken = chunks.Append(text); !taken.ok()) return taken;
  }
}

Result<Target> FindTarget(const Settings& settings, const PredictArgs& args) {
  Target target;
  target.csv = args.content_type.starts_with("text/csv");
  std::error_code error;
  if (std::filesystem::is_regular_file(args.target, error)) {
    Result<std::shared_ptr<LoadedArtifact>> artifact = LoadArtifact(args.target);
    if (!artifact.ok()) return artifact.error();
    target.artifact = *artifact;
    target.answer = FromArtifact(std::move(*artifact), args.content_type);
    return target;
  }
  if (args.target.find('/') != std::string::npos || args.target.ends_with(".gz")) {
    return Error(ErrorCode::kNotFound, "no such artifact: " + args.target);
  }
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return client.error();
  target.answer = FromEndpoint(std::make_shared<ApiClient>(std::move(*client)), args.target, args.content_type);
  return target;
}

}  // namespace

int RunPredict(const Settings& settings, const PredictArgs& args) {
  const Result<Target> target = FindTarget(settings, args);
  if (!target.ok()) return Fail(target.error());
  uint64_t row = 0;
  RowChunks chunks([&](const std::string& body) -> Status {
    Result<std::string> lines = target->answer(body);
    if (!lines.ok()) return lines.error().Wrap(args.target);
    return PrintAnswers(*lines, args.form, row);
  });
  for (const std::string& word : args.rows) {
    if (Status done = ForEachBody(word, *target, chunks); !done.ok()) return Fail(done.error());
  }
  if (Status done = chunks.Finish(); !done.ok()) return Fail(done.error());
  return kExitOk;
}

}  // namespace argosy::main
