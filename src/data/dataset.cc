#include "data/dataset.h"

#include <algorithm>
#include <atomic>
#include <span>

#include "base/bytes.h"
#include "base/state_bytes.h"
#include "data/csv.h"
#include "data/file_parts.h"
#include "data/json_lines.h"
#include "data/parallel_read.h"
#include "data/recordio_parser.h"
#include "data/share_out.h"

namespace argosy::data {
namespace {

// What may be looked at to find out what the columns are; also the first read of a file.
constexpr size_t kSampleBytes = 256 << 10;
constexpr const char* kTextsName = "texts";

Error NoRows(const TableFiles& table) {
  return Error(ErrorCode::kInvalidArgument,
               "channel '" + table.channel + "' has no rows (" + std::to_string(table.files.size()) + " files)");
}

bool HasWholeRecord(std::string_view bytes, Framing framing) {
  if (framing == Framing::kLines) return bytes.find('\n') != std::string_view::npos;
  const auto frames = CountFrames(bytes);
  return !frames || frames->count > 0;  // what is no record is told by who probes it
}

// The first bytes of the first file that has any text.
struct Sample {
  std::string text;
  std::string file_name;
};
Result<Sample> ReadSampleHere(const TableFiles& table) {
  for (const auto& file : table.files) {
    auto source = OpenByteSource(file, table.compression);
    if (!source) return source.error();
    Sample sample{std::string(kSampleBytes, '\0'), file.name};
    size_t size = 0;
    while (true) {  // at least a whole record, however wide
      auto n = (*source)->Read(std::span<char>(sample.text.data() + size, sample.text.size() - size));
      if (!n) return n.error();
      size += *n;
      const bool whole = HasWholeRecord(std::string_view(sample.text).substr(0, size), FramingOf(table.format));
      if (*n == 0 || (whole && size == sample.text.size()) || size >= kRecordBytesMax) break;
      if (size == sample.text.size()) sample.text.resize(std::min(kRecordBytesMax, 2 * size));
    }
    sample.text.resize(size);
    if (FramingOf(table.format) == Framing::kLines) {
      const std::string fault = EncodingFault(sample.text);
      if (!fault.empty()) return Error(ErrorCode::kInvalidArgument, "file '" + sample.file_name + "': " + fault);
    }
    if (table.format == Format::kCsv && sample.text.starts_with(kByteOrderMark)) {
      sample.text.erase(0, kByteOrderMark.size());
    }
    if (!Trim(sample.text).empty()) return sample;
  }
  return NoRows(table);
}

// The same for all hosts, who must take the columns for the same: that of the first which has a text.
Result<Sample> ReadSample(const TableFiles& table, collective::Group& group) {
  if (group.size() == 1) return ReadSampleHere(table);
  Sample sample;
  if (table.own || group.rank() == 0) {
    auto here = ReadSampleHere(table);
    if (!here && !table.own) return here.error();
    if (here) sample = std::move(*here);
  }
  const auto texts = group.AllGather(sample.text);
  if (!texts) return texts.error();
  const auto names = group.AllGather(sample.file_name);
  if (!names) return names.error();
  for (size_t host = 0; host < texts->size(); ++host) {
    if (!(*texts)[host].empty()) return Sample{(*texts)[host], (*names)[host]};
  }
  return NoRows(table);
}

// Does this block begin with names?
TableParser::FirstLine FirstLineOf(const RecordBlock& block, HeaderOption option, std::string_view header_line) {
  if (block.part_begin > 0 || block.first_record != 1 || option == HeaderOption::kNo)
    return TableParser::FirstLine::kData;
  if (option == HeaderOption::kYes) return TableParser::FirstLine::kNames;
  if (header_line.empty()) return TableParser::FirstLine::kData;
  const char* const begin = block.bytes.data();
  const CsvLine line = ReadCsvLine(begin, begin + block.bytes.size());
  return std::string_view(begin, static_cast<size_t>(line.end - begin)) == header_line ? TableParser::FirstLine::kNames
                                                                                       : TableParser::FirstLine::kData;
}

// What a table is; `columns` counts for JSON lines alone.
Result<ProbedJson> Probe(Format format, const Sample& sample, const ProbeOptions& options) {
  if (format == Format::kJsonLines) return ProbeJsonLines(sample.text, sample.file_name, options);
  if (format == Format::kCsv) {
    auto table = ProbeTable(sample.text, sample.file_name, options);
    if (!table) return table.error();
    return ProbedJson{.table = std::move(*table), .columns = {}};
  }
  auto layout = ProbeRecordIo(sample.text, sample.file_name, options);
  if (!layout) return layout.error();
  return ProbedJson{.table = {.layout = std::move(*layout)}, .columns = {}};
}

// A Parquet table as what it is read as.
TableFiles AsCsv(const TableFiles& parquet) {
  TableFiles csv = parquet;
  csv.format = Format::kCsv;
  csv.compression = Compression::kParquet;
  return csv;
}
ProbeOptions WithHeader(ProbeOptions options) {
  options.header = HeaderOption::kYes;
  return options;
}

struct ParseJob {
  const TableFiles& table;
  const TableLayout& layout;
  HeaderOption header;
  std::string header_line;
  UnknownCategories unknown;
  std::vector<CategoryDictionary>& dictionaries;  // one, shared (fixed), or one per thread (growing)
  JsonColumns json;                               // of JSON lines
};

// Parses what falls to this host into the store.
Result<Dataset::Parsed> ParseAll(const ParseJob& job, const ReadOptions& read, RowStore& store) {
  const unsigned threads = std::max(1U, read.threads);
  std::vector<TableParser> text_parsers;
  std::vector<RecordIoParser> record_parsers;
  std::vector<JsonLinesParser> json_parsers;
  std::vector<RowBlock> rows_of(threads);
  for (unsigned t = 0; t < threads; ++t) {
    CategoryDictionary& dictionary = job.dictionaries[job.dictionaries.size() == 1 ? 0 : t];
    if (job.table.format == Format::kRecordIo) {
      record_parsers.emplace_back(job.layout).LeaveOut(read.bad);
    } else if (job.table.format == Format::kJsonLines) {
      json_parsers.emplace_back(job.layout, job.json, dictionary, job.unknown).LeaveOut(read.bad);
    } else {
      text_parsers.emplace_back(job.layout, dictionary, job.unknown).LeaveOut(read.bad);
    }
  }
  auto parts = PartsHere(job.table, *read.group);
  if (!parts) return parts.error();
  RecordReader reader(job.table.files, FramingOf(job.table.format), job.table.compression, std::move(*parts));
  std::atomic<uint64_t> bytes = 0;
  const auto parse = [&](unsigned worker, const RecordBlock& block) -> Status {
    const std::string name = NameFor(job.table, block, read);
    if (job.table.format == Format::kRecordIo) return record_parsers[worker].Parse(block, name, rows_of[worker]);
    if (job.table.format == Format::kJsonLines) return json_parsers[worker].Parse(block, name, rows_of[worker]);
    return text_parsers[worker].Parse(block, name, FirstLineOf(block, job.header, job.header_line), rows_of[worker]);
  };
  const auto consume = [&](unsigned worker, RecordBlock& block) -> Status {
    if (read.stop && read.stop()) return Error(ErrorCode::kCancelled, "stopped while reading the data");
    bytes += block.bytes.size();
    if (Status parsed = ParsePart(reader, block, [&] { return parse(worker, block); }); !parsed) return parsed;
    RowBlock& rows = rows_of[worker];
    if (rows.rows == 0) return {};
    rows.dictionary = job.dictionaries.size() == 1 ? 0 : worker;
    return store.Put(block.index, rows);
  };
  if (Status status = ReadBlocks(reader, threads, consume); !status) return status.error();
  Dataset::Parsed parsed{.bytes = bytes};
  for (const TableParser& parser : text_parsers) parsed.unseen += parser.unseen_categories();
  for (const JsonLinesParser& parser : json_parsers) parsed.unseen += parser.unseen_categories();
  return parsed;
}

void SortOnce(std::vector<std::string>& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

// All texts of one column that any host has met, sorted; none twice.
Result<std::vector<std::string>> AllTexts(const std::vector<CategoryDictionary>& dictionaries, size_t column,
                                          collective::Group& group) {
  std::vector<std::string> texts;
  for (const CategoryDictionary& dictionary : dictionaries) {
    texts.insert(texts.end(), dictionary.texts(column).begin(), dictionary.texts(column).end());
  }
  SortOnce(texts);
  if (group.size() == 1) return texts;
  StateWriter writer(kTextsName);
  writer.Value(uint64_t{texts.size()});
  for (const std::string& text : texts) writer.Text(text);
  auto gathered = group.AllGather(writer.Finish());
  if (!gathered) return gathered.error();
  texts.clear();
  for (const std::string& bytes : *gathered) {
    StateReader reader(kTextsName, bytes);
    uint64_t count = 0;
    reader.Value(count);
    for (; count > 0 && !reader.failed(); --count) reader.Text(texts.emplace_back());
    if (Status whole = reader.Finish(); !whole) return whole.error();
  }
  SortOnce(texts);
  return texts;
}

std::vector<uint32_t> TranslationTo(const std::vector<std::string>& sorted, const std::vector<std::string>& texts) {
  std::vector<uint32_t> places;
  places.reserve(texts.size());
  for (const std::string& text : texts) {
    places.push_back(static_cast<uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), text) - sorted.begin()));
  }
  return places;
}

}  // namespace

Status Dataset::Take(const TableFiles& table, const Parsed& parsed, std::unique_ptr<RowStore> store,
                     Translations translations, const ReadOptions& read) {
  unseen_ = parsed.unseen;
  bytes_read_ = parsed.bytes;
  rows_read_ = store->row_count();
  auto shared = ShareOut(std::move(store), std::move(translations), *read.group, read.rows_per_host_min,
                         read.memory_bytes_max, read.scratch_dir);
  if (!shared) return shared.error();
  if (shared->rows == nullptr) return NoRows(table);
  rows_ = std::move(shared->rows);
  group_ = shared->group;
  return {};
}

Result<Dataset> ReadNewTable(const TableFiles& table, const ProbeOptions& options, const ReadOptions& read) {
  if (table.format == Format::kParquet) return ReadNewTable(AsCsv(table), WithHeader(options), read);
  auto sample = ReadSample(table, *read.group);
  if (!sample) return sample.error();
  auto probed_json = Probe(table.format, *sample, options);
  if (!probed_json) return probed_json.error();
  const ProbedTable* const probed = &probed_json->table;
  const TableLayout& layout = probed->layout;
  const RowShape shape = layout.shape();
  const bool collects_labels = layout.label_kind == LabelKind::kText;
  const size_t collected = shape.categorical + (collects_labels ? 1 : 0);

  std::vector<CategoryDictionary> dictionaries(std::max(1U, read.threads), CategoryDictionary(collected));
  Dataset dataset;
  Translations translations;
  auto store = std::make_unique<RowStore>(shape, read.memory_bytes_max, read.scratch_dir);
  const ParseJob job{table,
                     layout,
                     options.header,
                     probed->header ? probed->header_line : std::string(),
                     UnknownCategories::kAdd,
                     dictionaries,
                     probed_json->columns};
  auto parsed = ParseAll(job, read, *store);
  if (!parsed) return parsed.error();
  if (Status s = CheckLeftOut(read); !s) return s.error();

  auto schema = std::make_shared<TableSchema>();
  schema->label_position = layout.label_position;
  schema->label = layout.label;
  schema->missing = layout.missing;
  schema->header = probed->header || !probed_json->columns.names.empty();
  for (size_t i = 0; i < layout.columns.size(); ++i) {
    schema->columns.push_back({layout.names.empty() ? std::string() : layout.names[i], layout.columns[i], {}});
  }
  translations.places.resize(collected > 0 ? dictionaries.size() : 0);
  size_t categorical = 0;
  const auto translate = [&](const std::vector<std::string>& sorted, size_t column) {
    for (size_t d = 0; d < dictionaries.size(); ++d) {
      translations.places[d].push_back(TranslationTo(sorted, dictionaries[d].texts(column)));
    }
  };
  for (Column& column : schema->columns) {
    if (column.kind != ColumnKind::kCategorical) continue;
    auto texts = AllTexts(dictionaries, categorical, *read.group);
    if (!texts) return texts.error();
    column.categories = std::move(*texts);
    translate(column.categories, categorical++);
  }
  if (collects_labels) {
    auto texts = AllTexts(dictionaries, categorical, *read.group);
    if (!texts) return texts.error();
    schema->label = LabelEncodingOf(std::move(*texts));
    translate(schema->label.classes, categorical);
    translations.label_column = categorical;
  }
  if (Status valid = schema->Validate(); !valid) return valid.error();
  dataset.schema_ = std::move(schema);
  if (Status s = dataset.Take(table, *parsed, std::move(store), std::move(translations), read); !s) return s.error();
  return dataset;
}

Result<Dataset> ReadTable(const TableFiles& table, std::shared_ptr<const TableSchema> schema,
                          const ProbeOptions& options, const ReadOptions& read) {
  if (table.format == Format::kParquet) return ReadTable(AsCsv(table), std::move(schema), WithHeader(options), read);
  TableLayout layout;
  std::vector<const std::vector<std::string>*> categories;
  for (const Column& column : schema->columns) {
    layout.columns.push_back(column.kind);
    if (!column.name.empty() || !layout.names.empty()) layout.names.push_back(column.name);
    if (column.kind == ColumnKind::kCategorical) categories.push_back(&column.categories);
  }
  layout.label_position = schema->label_position;
  layout.label_kind = options.label_kind == LabelKind::kText ? LabelKind::kEncoded : options.label_kind;
  layout.class_count = options.class_count;
  layout.label = schema->label;
  layout.missing = schema->missing;
  if (table.format == Format::kRecordIo && (!categories.empty() || layout.label_kind == LabelKind::kText)) {
    return Error(ErrorCode::kInvalidArgument, "records of RecordIO hold numbers only, the training data has text");
  }

  // With a header that was found rather than promised, this table's own first line decides, seen as the first table's
  // was.
  std::string header_line;
  JsonColumns json;
  if (table.format == Format::kJsonLines) {
    auto sample = ReadSample(table, *read.group);
    if (!sample) return sample.error();
    auto probed = ProbeJsonLines(sample->text, sample->file_name, options);
    if (!probed) return probed.error();
    json = JsonColumnsOf(*probed, *schema, options);
    if (options.label_when_wider_than || !options.has_label) layout.label_kind = probed->table.layout.label_kind;
  } else if (table.format == Format::kCsv && (options.header == HeaderOption::kAuto || options.label_when_wider_than)) {
    auto sample = ReadSample(table, *read.group);
    if (!sample) return sample.error();
    auto probed = ProbeTable(sample->text, sample->file_name, options);
    if (!probed) return probed.error();
    if (probed->header) header_line = probed->header_line;
    if (options.label_when_wider_than) layout.label_kind = probed->layout.label_kind;
  } else if (!options.has_label) {
    layout.label_kind = LabelKind::kNone;
  }
  std::vector<CategoryDictionary> dictionaries(1, CategoryDictionary(categories));
  Dataset dataset;
  auto store = std::make_unique<RowStore>(layout.shape(), read.memory_bytes_max, read.scratch_dir);
  const ParseJob job{table, layout, options.header, header_line, UnknownCategories::kCount, dictionaries, json};
  auto parsed = ParseAll(job, read, *store);
  if (!parsed) return parsed.error();
  if (Status s = CheckLeftOut(read); !s) return s.error();
  dataset.schema_ = std::move(schema);
  if (Status s = dataset.Take(table, *parsed, std::move(store), Translations(), read); !s) return s.error();
  return dataset;
}

}  // namespace argosy::data
