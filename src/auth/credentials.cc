#include "auth/credentials.h"

#include <map>
#include <utility>
#include <vector>

#include "auth/secret_file.h"
#include "base/bytes.h"

namespace argosy::auth {
namespace {

constexpr size_t kAccessKeyIdSize = 20;
constexpr size_t kSecretSize = 40;
constexpr size_t kPrincipalIdSize = 21;
constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

Status CheckKey(std::string_view access_key_id, std::string_view secret) {
  if (access_key_id.size() < 3 || access_key_id.size() > 128)
    return Invalid("the access key id must have 3 to 128 characters");
  for (const char c : access_key_id) {
    const bool allowed =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) return Invalid("the access key id may hold letters, digits, '-' and '_' only");
  }
  if (secret.size() < 8 || secret.size() > 1024) return Invalid("the secret access key must have 8 to 1024 characters");
  for (const char c : secret) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return Invalid("the secret access key may hold printable ASCII characters only, and no blanks");
    }
  }
  return {};
}

std::string Draw(Random& random, std::string_view alphabet, size_t size) {
  std::string out;
  out.reserve(size);
  while (out.size() < size) out.push_back(alphabet[random.Below(alphabet.size())]);
  return out;
}

}  // namespace

Principal OwnerPrincipal() {
  return {PrincipalKind::kOwner, "owner", UserArn("", "owner")};
}

Credential NewCredential(Random& random, Principal principal) {
  Credential credential;
  credential.access_key_id = "AKIA" + Draw(random, kIdAlphabet, kAccessKeyIdSize - 4);
  credential.secret_access_key =
      Draw(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", kSecretSize);
  credential.principal = std::move(principal);
  return credential;
}

std::string NewPrincipalId(Random& random, std::string_view kind) {
  return std::string(kind) + Draw(random, kIdAlphabet, kPrincipalIdSize - kind.size());
}

std::string FormatCredentialsFile(const Credential& credential) {
  std::string text = "[default]\naws_access_key_id = " + credential.access_key_id +
                     "\naws_secret_access_key = " + credential.secret_access_key + "\n";
  if (!credential.session_token.empty()) text += "aws_session_token = " + credential.session_token + "\n";
  return text;
}

Result<Credential> ParseCredentialsFile(std::string_view text) {
  struct Section {
    std::string name;
    std::map<std::string, std::string, std::less<>> values;
  };
  std::vector<Section> sections;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const std::string place = "line " + std::to_string(number);
    if (line.front() == '[') {
      if (line.back() != ']') return Error(ErrorCode::kInvalidArgument, place + ": a section's name ends in ']'");
      sections.push_back({std::string(Trim(line.substr(1, line.size() - 2))), {}});
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error(ErrorCode::kInvalidArgument, place + " is neither '[section]' nor 'name = value'");
    }
    if (sections.empty()) return Error(ErrorCode::kInvalidArgument, place + " stands before the first '[section]'");
    sections.back().values[ToLower(Trim(line.substr(0, equals)))] = Trim(line.substr(equals + 1));
  }
  const Section* found = sections.size() == 1 ? &sections.front() : nullptr;
  for (const Section& section : sections) {
    if (section.name == "default") found = &section;
  }
  if (found == nullptr) return Error(ErrorCode::kInvalidArgument, "there is no section '[default]'");
  Credential credential;
  for (const auto& [name, place] :
       {std::pair<std::string_view, std::string*>{"aws_access_key_id", &credential.access_key_id},
        {"aws_secret_access_key", &credential.secret_access_key}}) {
    const auto it = found->values.find(name);
    if (it == found->values.end()) {
      return Error(ErrorCode::kInvalidArgument, "section '[" + found->name + "]' has no '" + std::string(name) + "'");
    }
    *place = it->second;
  }
  if (const auto it = found->values.find("aws_session_token"); it != found->values.end())
    credential.session_token = it->second;
  if (Status status = CheckKey(credential.access_key_id, credential.secret_access_key); !status) return status.error();
  credential.principal = OwnerPrincipal();
  return credential;
}

Result<Credential> LoadOrCreateCredentials(const std::filesystem::path& file, Random& random,
                                           const std::optional<GivenKey>& given) {
  if (given && !(given->access_key_id.empty() && given->secret_access_key.empty())) {
    if (given->access_key_id.empty() || given->secret_access_key.empty()) {
      return Error(ErrorCode::kInvalidArgument,
                   "ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY belong together: set both or neither");
    }
    if (Status status = CheckKey(given->access_key_id, given->secret_access_key); !status) {
      return status.error().Wrap("ARGOSY_ACCESS_KEY_ID, ARGOSY_SECRET_ACCESS_KEY");
    }
    return Credential{given->access_key_id, given->secret_access_key, "", OwnerPrincipal()};
  }

  const Result<std::string> text = ReadOrCreateSecretFile(file, "the credentials file", [&random] {
    return FormatCredentialsFile(NewCredential(random, OwnerPrincipal()));
  });
  if (!text) return text.error();
  Result<Credential> credential = ParseCredentialsFile(*text);
  if (!credential) return credential.error().Wrap("the credentials file " + file.string());
  return credential;
}

}  // namespace argosy::auth
