// argosy predict TARGET ROWS…: an endpoint's answer, or an artifact's without any server.
#include <fmt/format.h>

#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "algorithms/algorithm.h"
#include "algorithms/linear/linear_model.h"
#include "base/bytes.h"
#include "base/files.h"
#include "data/byte_source.h"
#include "data/csv.h"
#include "data/table_schema.h"
#include "main/api_client.h"
#include "main/artifact.h"
#include "main/format.h"
#include "main/header_line.h"
#include "main/job_artifact.h"
#include "main/json_access.h"
#include "main/row_chunks.h"
#include "main/sources.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr size_t kSchemaBytesMax = 1 << 30;  // what loading an artifact allows
constexpr std::string_view kAccept = "application/jsonlines";

// Answers a body of rows with one JSON object a line. `header`: the file's line of names, or empty.
using Answerer = std::function<Result<std::string>(const std::string& header, const std::string& body)>;

// An artifact loaded.
struct LoadedArtifact {
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
  const Result<UnpackedArtifact> unpacked = UnpackedArtifact::Open(file);
  if (!unpacked.ok()) return unpacked.error();
  Result<std::unique_ptr<model::Predictor>> predictor = unpacked->algorithm().Load(unpacked->directory());
  if (!predictor.ok()) return predictor.error();
  return std::make_shared<LoadedArtifact>(
      LoadedArtifact{.predictor = std::move(*predictor), .schema = ReadSchema(unpacked->directory())});
}

Answerer FromArtifact(std::shared_ptr<LoadedArtifact> artifact, const std::string& content_type) {
  return [artifact = std::move(artifact), content_type](const std::string&,
                                                        const std::string& body) -> Result<std::string> {
    const model::PredictionResult result = artifact->predictor->Predict(content_type, kAccept, body);
    if (const auto* error = std::get_if<model::PredictionError>(&result)) {
      return Error(ErrorCode::kInvalidArgument, error->message);
    }
    return std::get<model::Prediction>(result).body;
  };
}

Answerer FromEndpoint(std::shared_ptr<ApiClient> client, const std::string& endpoint, const std::string& content_type) {
  return [client = std::move(client), endpoint, content_type](const std::string& header,
                                                              const std::string& body) -> Result<std::string> {
    // The model knows the names of its columns: it looks whether these are the same.
    Result<ApiReply> reply = header.empty()
                                 ? client->Invoke(endpoint, content_type, kAccept, body)
                                 : client->Invoke(endpoint, content_type + "; header=present", kAccept, header + body);
    if (!reply.ok() && reply.error().code() == ErrorCode::kNotFound) {
      const Result<Json> job = client->SageMaker("DescribeTrainingJob", {{"TrainingJobName", endpoint}});
      if (job.ok()) {
        return Error(ErrorCode::kNotFound,
                     fmt::format("it is a training job, no endpoint; `argosy deploy {}` makes one of it", endpoint));
      }
    }
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

// `labelled`: beside a label that was predicted, whose score is what is asked for of all classes'.
std::string Cell(const Json& value, bool labelled) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return FormatNumber(value.get<double>());
  if (value.is_array() && !labelled) {
    std::vector<std::string> parts;
    for (const Json& one : value) parts.push_back(Cell(one, labelled));
    return fmt::format("{}", fmt::join(parts, ","));
  }
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
    Result<Json> answer = ParseJson(line);
    if (!answer.ok()) return Error(ErrorCode::kInternal, fmt::format("the model's answer is no JSON: {}", line));
    // A user's model answers with what its predict gives.
    if (!answer->is_object()) answer = Json{{"prediction", answer->is_array() ? Json(DumpJson(*answer)) : *answer}};
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
    const bool labelled = answer->contains("predicted_label");
    for (const std::string& key : keys) cells.push_back(answer->contains(key) ? Cell((*answer)[key], labelled) : "");
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

// A file's rows in bodies small enough for an endpoint; a line of column names is left out, and kept in `header`.
Status ForEachBodyOfFile(const std::string& word, const Target& target, RowChunks& chunks, std::string& header_line) {
  Result<std::unique_ptr<data::ByteSource>> source =
      data::OpenByteSource(std::filesystem::path(word == "-" ? "/dev/stdin" : word), data::Compression::kAuto);
  if (!source.ok()) return source.error();
  constexpr size_t kReadBytes = 256 * 1024;
  std::string buffer(kReadBytes, '\0');
  for (bool begin = true;; begin = false) {
    const Result<size_t> n = (*source)->Read(buffer);
    if (!n.ok()) return n.error().Wrap(word);
    if (*n == 0) return chunks.EndOfFile();
    std::string_view text = std::string_view(buffer).substr(0, *n);
    if (begin && text.starts_with(data::kByteOrderMark)) text.remove_prefix(data::kByteOrderMark.size());
    if (const std::string fault = begin && target.csv ? data::EncodingFault(text) : ""; !fault.empty()) {
      return Error(ErrorCode::kInvalidArgument, fmt::format("{}: {}", word, fault));
    }
    if (const size_t header = begin && target.csv ? HeaderBytes(text, target.schema()) : 0; header > 0) {
      Note(fmt::format("{}: the first line holds column names and is left out", word == "-" ? "standard input" : word));
      header_line = text.substr(0, header);
      text.remove_prefix(header);
    }
    if (Status taken = chunks.Append(text); !taken.ok()) return taken;
  }
}

// Rows from wherever `word` means: a file, a folder's files, an s3:// prefix's objects, standard input, or itself.
Status ForEachBody(const std::string& word, const Settings& settings, const Target& target, RowChunks& chunks,
                   std::string& header_line) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  std::optional<Downloads> downloads;
  if (word == "-" || std::filesystem::is_regular_file(word, error)) {
    files.emplace_back(word);
  } else if (IsS3Uri(word)) {
    Result<ApiClient> client = ApiClient::Connect(settings.options);
    if (!client.ok()) return client.error();
    Result<Downloads> got = Downloads::Of(*client, word);
    if (!got.ok()) return got.error();
    downloads.emplace(std::move(*got));
    files = downloads->files();
  } else if (std::filesystem::is_directory(word, error)) {
    const Result<SourceSet> set = ExpandSources({word});
    if (!set.ok()) return set.error();
    for (const LocalFile& file : set->files) files.push_back(file.path);
  } else if (std::filesystem::exists(word, error)) {
    return Error(ErrorCode::kInvalidArgument, word + " is not a file of rows");
  } else if (LooksLikePath(word)) {
    return Error(ErrorCode::kNotFound, "no such file: " + word);
  } else if (Trim(word).empty()) {
    return Error(ErrorCode::kInvalidArgument, "a row is empty: give values divided by commas, a file or a folder");
  } else {
    return chunks.Append(word + "\n");
  }
  for (const std::filesystem::path& file : files) {
    if (Status done = ForEachBodyOfFile(file.string(), target, chunks, header_line); !done.ok()) return done;
    // The next file may have names of its own.
    if (Status done = chunks.Finish(); !done.ok()) return done;
    header_line.clear();
  }
  return {};
}

// From a file, the server's s3:// URI, or (`may_be_job`) a training job; nothing when `name` is none of them.
Result<std::shared_ptr<LoadedArtifact>> FindArtifact(const Settings& settings, const std::string& name,
                                                     bool may_be_job) {
  std::error_code error;
  if (!IsS3Uri(name) && std::filesystem::is_regular_file(name, error)) return LoadArtifact(name);
  if (!IsS3Uri(name) && !may_be_job) return std::shared_ptr<LoadedArtifact>();
  // No job is called so: a path was meant.
  if (!IsS3Uri(name) && name.find_first_of("./") != std::string::npos) {
    const bool there = std::filesystem::exists(name, error);
    return Error(ErrorCode::kNotFound, there ? "it is no file: give the model.tar.gz itself" : "no such file");
  }
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return client.error();
  std::string uri = name;
  if (!IsS3Uri(name)) {
    Result<JobView> job = FindJobWithArtifact(*client, name);
    if (!job.ok()) return job.error();
    uri = std::move(job->artifact);
  }
  const Result<Downloads> got = Downloads::Of(*client, uri);
  if (!got.ok()) return got.error();
  return LoadArtifact(got->files().front());
}

Result<Target> FindTarget(const Settings& settings, const PredictArgs& args) {
  Target target;
  target.csv = args.content_type.starts_with("text/csv");
  // A plain word is an endpoint, whatever is called so here: `deploy ./serve` names its endpoint after the file.
  const bool path = args.target.find_first_of("./") != std::string::npos;
  if (!args.model.empty() || path) {
    const std::string& name = args.model.empty() ? args.target : args.model;
    Result<std::shared_ptr<LoadedArtifact>> artifact = FindArtifact(settings, name, !args.model.empty());
    if (!artifact.ok()) return artifact.error().Wrap(name);
    if (*artifact != nullptr) {
      target.artifact = *artifact;
      target.answer = FromArtifact(std::move(*artifact), args.content_type);
      return target;
    }
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
  std::string header_line;
  bool asked = false;
  RowChunks chunks([&](const std::string& body) -> Status {
    asked = true;
    Result<std::string> lines = target->answer(header_line, body);
    if (!lines.ok()) return lines.error().Wrap(args.model.empty() ? args.target : args.model);
    return PrintAnswers(*lines, args.form, row);
  });
  for (const std::string& word : args.rows) {
    if (Status done = ForEachBody(word, settings, *target, chunks, header_line); !done.ok()) return Fail(done.error());
  }
  if (Status done = chunks.Finish(); !done.ok()) return Fail(done.error());
  if (!asked)
    return Fail(Error(ErrorCode::kInvalidArgument, fmt::format("there are no rows in {}", fmt::join(args.rows, ", "))));
  return kExitOk;
}

}  // namespace argosy::main
