#include "algorithms/xgboost/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <mutex>

#include "base/bytes.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr const char* kFile = "libxgboost.so.0";

// The functions that are used, under their names.
struct Functions {
  decltype(&::XGBGetLastError) GetLastError;
  decltype(&::XGBRegisterLogCallback) RegisterLogCallback;
  decltype(&::XGCommunicatorInit) CommunicatorInit;
  decltype(&::XGCommunicatorFinalize) CommunicatorFinalize;
  decltype(&::XGDMatrixCreateFromDense) DMatrixCreateFromDense;
  decltype(&::XGDMatrixCreateFromCSR) DMatrixCreateFromCSR;
  decltype(&::XGDMatrixSetFloatInfo) DMatrixSetFloatInfo;
  decltype(&::XGDMatrixSetUIntInfo) DMatrixSetUIntInfo;
  decltype(&::XGDMatrixSliceDMatrix) DMatrixSliceDMatrix;
  decltype(&::XGDMatrixFree) DMatrixFree;
  decltype(&::XGBoosterCreate) BoosterCreate;
  decltype(&::XGBoosterFree) BoosterFree;
  decltype(&::XGBoosterSetParam) BoosterSetParam;
  decltype(&::XGBoosterUpdateOneIter) BoosterUpdateOneIter;
  decltype(&::XGBoosterEvalOneIter) BoosterEvalOneIter;
  decltype(&::XGBoosterPredict) BoosterPredict;
  decltype(&::XGBoosterSetAttr) BoosterSetAttr;
  decltype(&::XGBoosterBoostedRounds) BoosterBoostedRounds;
  decltype(&::XGBoosterSlice) BoosterSlice;
  decltype(&::XGBoosterSaveModelToBuffer) BoosterSaveModelToBuffer;
  decltype(&::XGBoosterLoadModelFromBuffer) BoosterLoadModelFromBuffer;
};

constexpr size_t kLogLinesMax = 500;
std::mutex log_mutex;
std::vector<std::string> log_lines;  // guarded by log_mutex

void OnLog(const char* text) {
  std::string line(text);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  const std::lock_guard lock(log_mutex);
  if (!line.empty() && log_lines.size() < kLogLinesMax) log_lines.push_back(std::move(line));
}

Result<Functions> Load() {
  void* const library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error(ErrorCode::kUnavailable, std::string("XGBoost cannot be loaded: ") + ::dlerror() +
                                              "; install it (Debian's package libxgboost0)");
  }
  Functions functions{};
  const char* absent = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    if (function == nullptr) absent = name;
  };
  find(functions.GetLastError, "XGBGetLastError");
  find(functions.RegisterLogCallback, "XGBRegisterLogCallback");
  find(functions.CommunicatorInit, "XGCommunicatorInit");
  find(functions.CommunicatorFinalize, "XGCommunicatorFinalize");
  find(functions.DMatrixCreateFromDense, "XGDMatrixCreateFromDense");
  find(functions.DMatrixCreateFromCSR, "XGDMatrixCreateFromCSR");
  find(functions.DMatrixSetFloatInfo, "XGDMatrixSetFloatInfo");
  find(functions.DMatrixSetUIntInfo, "XGDMatrixSetUIntInfo");
  find(functions.DMatrixSliceDMatrix, "XGDMatrixSliceDMatrix");
  find(functions.DMatrixFree, "XGDMatrixFree");
  find(functions.BoosterCreate, "XGBoosterCreate");
  find(functions.BoosterFree, "XGBoosterFree");
  find(functions.BoosterSetParam, "XGBoosterSetParam");
  find(functions.BoosterUpdateOneIter, "XGBoosterUpdateOneIter");
  find(functions.BoosterEvalOneIter, "XGBoosterEvalOneIter");
  find(functions.BoosterPredict, "XGBoosterPredict");
  find(functions.BoosterSetAttr, "XGBoosterSetAttr");
  find(functions.BoosterBoostedRounds, "XGBoosterBoostedRounds");
  find(functions.BoosterSlice, "XGBoosterSlice");
  find(functions.BoosterSaveModelToBuffer, "XGBoosterSaveModelToBuffer");
  find(functions.BoosterLoadModelFromBuffer, "XGBoosterLoadModelFromBuffer");
  if (absent != nullptr) {
    return Error(ErrorCode::kUnavailable, std::string(kFile) + " has no " + absent + ": XGBoost 1.7 is needed");
  }
  functions.RegisterLogCallback(OnLog);
  return functions;
}

const Result<Functions>& Library() {
  static const Result<Functions> library = Load();
  return library;
}

// After LoadLibrary.
const Functions& Call() {
  return *Library();
}

// "Check failed: param_.max_depth > 0 (0 vs. 0) : it must be …": what was checked last.
std::string SentenceFirst(std::string_view text) {
  constexpr std::string_view kCheck = "Check failed: ";
  if (!text.starts_with(kCheck)) return std::string(text);
  text.remove_prefix(kCheck.size());
  const size_t colon = std::min(text.find(": "), text.size());
  const std::string_view checked = Trim(text.substr(0, colon));
  const std::string_view sentence = Trim(text.substr(std::min(colon + 2, text.size())));
  return sentence.empty() ? std::string(checked) : std::string(sentence) + " (" + std::string(checked) + ")";
}

// "[12:00:00] src/objective/regression_obj.cu:100: Check failed: is_valid: label must be …\nStack trace: …": what
// comes behind the place. Parameters and labels are the user's, and are what it finds fault with.
Status Checked(int code) {
  if (code == 0) return {};
  std::string_view text = Call().GetLastError();
  text = text.substr(0, text.find("\nStack trace"));
  if (text.starts_with('[')) {
    const size_t place = text.find(": ");
    if (place != std::string_view::npos) text.remove_prefix(place + 2);
  }
  std::string message(text);
  for (const char* words :
       {"llreduce failed", "roadcast failed", "llgather", "Poll timeout", "Failed to poll", "rabit"}) {
    if (message.find(words) != std::string::npos) {
      return Error(ErrorCode::kUnavailable, "XGBoost lost another host: " + message);
    }
  }
  return Error(ErrorCode::kInvalidArgument, "XGBoost: " + SentenceFirst(Trim(message)));
}

// An array as the interface takes it (numpy's array interface).
std::string Array(const void* data, std::string_view type, size_t rows, size_t columns = 0) {
  return "{\"data\":[" + std::to_string(reinterpret_cast<uintptr_t>(data)) + ",true],\"typestr\":\"" +
         std::string(type) + "\",\"shape\":[" + std::to_string(rows) +
         (columns == 0 ? "" : "," + std::to_string(columns)) + "],\"version\":3}";
}

std::string Config(unsigned threads) {
  return "{\"missing\":NaN,\"nthread\":" + std::to_string(threads) + "}";
}

}  // namespace

Status LoadLibrary() {
  return Library() ? Status() : Status(Library().error());
}

std::vector<std::string> TakeLogLines() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_lines, {});
}

Result<Communicator> Communicator::Join(const std::string& tracker_address, uint16_t tracker_port,
                                        const std::string& token, size_t rank, size_t hosts) {
  const std::string config = R"({"xgboost_communicator":"rabit","DMLC_TRACKER_URI":")" + tracker_address +
                             R"(","DMLC_TRACKER_PORT":")" + std::to_string(tracker_port) + R"(","DMLC_TASK_ID":")" +
                             token + ":" + std::to_string(rank) + R"(","rabit_world_size":")" + std::to_string(hosts) +
                             R"(","rabit_timeout":1,"rabit_timeout_sec":21600})";
  if (Status s = Checked(Call().CommunicatorInit(config.c_str())); !s) return s.error();
  return Communicator();
}

Communicator::~Communicator() {
  if (joined_) Call().CommunicatorFinalize();
}

Result<DMatrix> DMatrix::Dense(std::span<const float> values, size_t rows, size_t columns, unsigned threads) {
  Check(values.size() == rows * columns, "values do not fit the shape");
  DMatrixHandle handle = nullptr;
  const std::string array = Array(values.data(), "<f4", rows, columns);
  if (Status s = Checked(Call().DMatrixCreateFromDense(array.c_str(), Config(threads).c_str(), &handle)); !s) {
    return s.error();
  }
  return DMatrix(handle);
}

Result<DMatrix> DMatrix::Sparse(const data::SparseRows& rows, size_t columns, unsigned threads) {
  DMatrixHandle handle = nullptr;
  const std::string begins = Array(rows.begins.data(), "<u8", rows.begins.size());
  const std::string places = Array(rows.columns.data(), "<u4", rows.columns.size());
  const std::string values = Array(rows.values.data(), "<f4", rows.values.size());
  if (Status s = Checked(Call().DMatrixCreateFromCSR(begins.c_str(), places.c_str(), values.c_str(), columns,
                                                     Config(threads).c_str(), &handle));
      !s) {
    return s.error();
  }
  return DMatrix(handle);
}

DMatrix::~DMatrix() {
  if (handle_ != nullptr) Call().DMatrixFree(handle_);
}

Status DMatrix::Set(const char* field, std::span<const float> values) {
  return Checked(Call().DMatrixSetFloatInfo(handle_, field, values.data(), values.size()));
}

Result<DMatrix> DMatrix::Slice(std::span<const int> rows) const {
  DMatrixHandle handle = nullptr;
  if (Status s = Checked(Call().DMatrixSliceDMatrix(handle_, rows.data(), rows.size(), &handle)); !s) return s.error();
  return DMatrix(handle);
}

Status DMatrix::SetGroups(std::span<const uint32_t> sizes) {
  return Checked(Call().DMatrixSetUIntInfo(handle_, "group", sizes.data(), sizes.size()));
}

Result<Booster> Booster::Create(std::span<const DMatrix* const> matrices) {
  std::vector<DMatrixHandle> handles;
  for (const DMatrix* matrix : matrices) handles.push_back(matrix->handle());
  BoosterHandle handle = nullptr;
  if (Status s = Checked(Call().BoosterCreate(handles.data(), handles.size(), &handle)); !s) return s.error();
  return Booster(handle);
}

Booster::~Booster() {
  if (handle_ != nullptr) Call().BoosterFree(handle_);
}

Status Booster::Set(const std::string& parameter, const std::string& value) {
  return Checked(Call().BoosterSetParam(handle_, parameter.c_str(), value.c_str()));
}

Status Booster::Update(int round, const DMatrix& train) {
  return Checked(Call().BoosterUpdateOneIter(handle_, round, train.handle()));
}

Result<std::string> Booster::Evaluate(int round, std::span<const DMatrix* const> matrices,
                                      std::span<const char* const> names) {
  std::vector<DMatrixHandle> handles;
  for (const DMatrix* matrix : matrices) handles.push_back(matrix->handle());
  std::vector<const char*> texts(names.begin(), names.end());
  const char* line = nullptr;
  if (Status s =
          Checked(Call().BoosterEvalOneIter(handle_, round, handles.data(), texts.data(), handles.size(), &line));
      !s) {
    return s.error();
  }
  return std::string(line);
}

Result<std::vector<float>> Booster::Predict(const DMatrix& matrix) {
  bst_ulong count = 0;
  const float* values = nullptr;
  if (Status s = Checked(Call().BoosterPredict(handle_, matrix.handle(), 0, 0, 1, &count, &values)); !s) {
    return s.error();
  }
  return std::vector<float>(values, values + count);
}

Status Booster::SetAttribute(const std::string& name, const std::string& value) {
  return Checked(Call().BoosterSetAttr(handle_, name.c_str(), value.c_str()));
}

Result<int> Booster::Rounds() {
  int rounds = 0;
  if (Status s = Checked(Call().BoosterBoostedRounds(handle_, &rounds)); !s) return s.error();
  return rounds;
}

Result<Booster> Booster::Slice(int rounds) {
  BoosterHandle handle = nullptr;
  if (Status s = Checked(Call().BoosterSlice(handle_, 0, rounds, 1, &handle)); !s) return s.error();
  return Booster(handle);
}

Result<std::string> Booster::SaveModel() {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  if (Status s = Checked(Call().BoosterSaveModelToBuffer(handle_, R"({"format":"json"})", &size, &bytes)); !s) {
    return s.error();
  }
  return std::string(bytes, size);
}

Status Booster::LoadModel(std::string_view bytes) {
  return Checked(Call().BoosterLoadModelFromBuffer(handle_, bytes.data(), bytes.size()));
}

}  // namespace argosy::algorithms::xgboost
