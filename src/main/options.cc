#include "main/options.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>

#include "auth/principal.h"
#include "base/bytes.h"
#include "base/files.h"
#include "main/edit_distance.h"

namespace argosy::main {
namespace {

constexpr size_t kConfigFileBytesMax = 1 << 20;  // a page of options; more is not a configuration

std::string UnknownKey(std::string_view key) {
  const OptionDeclaration* nearest = nullptr;
  size_t least = 4;  // further away it is another word
  for (const OptionDeclaration& option : OptionDeclarations()) {
    const size_t distance = EditDistance(key.substr(0, 64), option.name);
    if (distance < least) least = distance, nearest = &option;
  }
  if (nearest != nullptr) return fmt::format("there is no option '{}'; did you mean '{}'?", key, nearest->name);
  return fmt::format("there is no option '{}'; `argosy config` lists them", key);
}

struct Given {
  std::string text;
  Origin origin;
  std::string where;
};
using GivenByName = std::map<std::string, Given, std::less<>>;

Error AtLine(const std::filesystem::path& file, int line, std::string_view what) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", file.string(), line, what));
}

Result<GivenByName> ReadYaml(const std::filesystem::path& file, std::string_view text) {
  GivenByName given;
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (root.IsNull()) return given;
    if (!root.IsMap()) return AtLine(file, root.Mark().line + 1, "the file must be lines of `option: value`");
    for (const auto& entry : root) {
      const int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar()) return AtLine(file, line, "an option's name must be a word");
      const std::string& key = entry.first.Scalar();
      const OptionDeclaration* option = FindOption(key);
      if (option == nullptr) return AtLine(file, line, UnknownKey(key));
      if (key == "config") return AtLine(file, line, "the file cannot name another: give config as flag or variable");
      if (entry.second.IsNull()) continue;  // `key:` with nothing keeps the default
      if (!entry.second.IsScalar()) {
        return AtLine(file, line, fmt::format("{} must be {}, not a list or a map", key, option->rule));
      }
      const auto [at, fresh] =
          given.emplace(key, Given{entry.second.Scalar(), Origin::kFile, fmt::format("{}:{}", file.string(), line)});
      if (!fresh)
        return AtLine(file, line, fmt::format("{} is given twice; the first is at {}", key, at->second.where));
    }
  } catch (const YAML::Exception& broken) {
    return AtLine(file, std::max(broken.mark.line, 0) + 1, "not YAML: " + broken.msg);
  }
  return given;
}

enum class Presence { kOptional, kRequired };

Result<GivenByName> ReadFileOptions(const std::filesystem::path& file, Presence presence) {
  Result<std::string> text = ReadFile(file, kConfigFileBytesMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound && presence == Presence::kOptional) return GivenByName();
    return text.error().Wrap("the configuration cannot be read");
  }
  if (!IsValidUtf8(*text)) return Error(ErrorCode::kInvalidArgument, file.string() + ": not YAML: not UTF-8 text");
  return ReadYaml(file, *text);
}

std::optional<Given> FromFlagOrEnvironment(const OptionDeclaration& option, const Flags& flags,
                                           const Environment& environment) {
  if (const auto flag = flags.find(option.name); flag != flags.end()) {
    return Given{flag->second, Origin::kFlag, "--" + std::string(option.name)};
  }
  const std::string variable = EnvironmentName(option);
  if (std::optional<std::string> value = environment(variable); value && !value->empty()) {
    return Given{*value, Origin::kEnvironment, variable};
  }
  return std::nullopt;
}

// What `~/` stands for. The default follows the XDG base directory specification.
std::filesystem::path DefaultDataDir(const Environment& environment) {
  if (const auto xdg = environment("XDG_DATA_HOME"); xdg && xdg->starts_with('/')) {
    return std::filesystem::path(*xdg) / "argosy";
  }
  const auto home = environment("HOME");
  return std::filesystem::path(home && !home->empty() ? *home : "/tmp") / ".local/share/argosy";
}

std::filesystem::path Absolute(const std::filesystem::path& path, const std::filesystem::path& working_dir,
                               const Environment& environment) {
  std::filesystem::path out = path;
  if (out.string().starts_with("~/")) {
    if (const auto home = environment("HOME")) out = std::filesystem::path(*home) / out.string().substr(2);
  }
  if (out.is_relative()) out = working_dir / out;
  out = out.lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

}  // namespace

std::string Options::default_bucket() const {
  return bucket.empty() ? fmt::format("sagemaker-{}-{}", region, auth::kAccountId) : bucket;
}

Status CheckKeyIsWhole(const Options& options) {
  if (options.access_key_id.empty() != options.secret_access_key.empty()) {
    return Invalid(
        "access-key-id and secret-access-key go together: give both, or neither to use the data directory's");
  }
  if (options.object_store_access_key_id.empty() != options.object_store_secret_access_key.empty()) {
    return Invalid(
        "object-store-access-key-id and object-store-secret-access-key go together: give both, or neither to use the "
        "file object-store-credentials");
  }
  return {};
}

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Result<Settings> ResolveOptions(const Flags& flags, const Environment& environment,
                                const std::filesystem::path& working_dir) {
  Settings settings;
  Options& options = settings.options;
  for (const auto& [name, text] : flags) {
    if (FindOption(name) == nullptr) return Error(ErrorCode::kInvalidArgument, UnknownKey(name));
  }

  // Where the file lies is settled first, by flags and environment alone.
  Result<GivenByName> file = GivenByName();
  const std::optional<Given> config = FromFlagOrEnvironment(*FindOption("config"), flags, environment);
  const std::optional<Given> data_dir = FromFlagOrEnvironment(*FindOption("data-dir"), flags, environment);
  const std::filesystem::path default_dir = DefaultDataDir(environment);
  if (config) {
    options.config = Absolute(config->text, working_dir, environment);
    file = ReadFileOptions(options.config, Presence::kRequired);
  } else {
    const std::filesystem::path dir = data_dir ? Absolute(data_dir->text, working_dir, environment) : default_dir;
    file = ReadFileOptions(dir / "argosy.yaml", Presence::kOptional);
  }
  if (!file.ok()) return file.error();
  if (const auto at = file->find("data-dir"); at != file->end() && !config) {
    return Error(ErrorCode::kInvalidArgument,
                 at->second.where +
                     ": data-dir cannot be given in the data directory's own file; name it by flag, by "
                     "ARGOSY_DATA_DIR, or in a file given by --config");
  }

  for (const OptionDeclaration& option : OptionDeclarations()) {
    Given given{std::string(option.fallback), Origin::kDefault, "default"};
    if (option.name == "data-dir") given.text = default_dir.string();
    if (std::optional<Given> outer = FromFlagOrEnvironment(option, flags, environment)) {
      given = *outer;
    } else if (const auto at = file->find(option.name); at != file->end()) {
      given = at->second;
    }
    if (!option.apply(given.text, options).ok()) {
      const std::string value = option.secrecy == Secrecy::kSecret ? "the value" : "'" + given.text + "'";
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("{}: {} must be {}; {} is not", given.where, option.name, option.rule, value));
    }
    settings.in_force.push_back({&option, given.text, given.origin, given.where});
  }
  // A relative path in a file is meant from where the file lies.
  const OptionInForce& dir = settings.in_force.front();
  const std::filesystem::path base = dir.origin == Origin::kFile ? options.config.parent_path() : working_dir;
  options.data_dir = Absolute(options.data_dir, base, environment);
  options.object_store_credentials = Absolute(options.object_store_credentials, working_dir, environment);
  if (!options.config.empty()) options.config = Absolute(options.config, working_dir, environment);
  settings.in_force.front().text = options.data_dir.string();
  const auto is_mount = [](const OptionInForce& option) { return option.option->name == "mount"; };
  const OptionInForce& mount = *std::ranges::find_if(settings.in_force, is_mount);
  const std::filesystem::path file_dir = options.config.empty() ? options.data_dir : options.config.parent_path();
  for (auto& [bucket, path] : options.mounts) {
    path = Absolute(path, mount.origin == Origin::kFile ? file_dir : working_dir, environment);
  }
  return settings;
}

}  // namespace argosy::main
