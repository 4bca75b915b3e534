#include "main/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/files.h"
#include "main/byte_size.h"
#include "main/configuration_page.h"

namespace argosy::main {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() : dir_(std::filesystem::path(testing::TempDir()) / ("options-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(dir_);
    variables_["HOME"] = (dir_ / "home").string();
  }
  ~OptionsTest() override { (void)RemoveTree(dir_); }

  std::filesystem::path Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = dir_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  Result<Settings> Resolve(const Flags& flags) {
    return ResolveOptions(
        flags,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto at = variables_.find(name);
          if (at == variables_.end()) return std::nullopt;
          return at->second;
        },
        dir_);
  }
  std::string Refusal(const Flags& flags) {
    const Result<Settings> settings = Resolve(flags);
    return settings.ok() ? "" : settings.error().message();
  }
  static const OptionInForce& InForce(const Settings& settings, std::string_view name) {
    for (const OptionInForce& one : settings.in_force) {
      if (one.option->name == name) return one;
    }
    Check(false, "no such option");
    return settings.in_force.front();
  }

  std::filesystem::path dir_;
  std::map<std::string, std::string> variables_;
};

TEST_F(OptionsTest, DefaultsStandWithoutAnything) {
  const Result<Settings> settings = Resolve({});
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->options.data_dir, dir_ / "home/.local/share/argosy");
  EXPECT_EQ(settings->options.listen.host, "127.0.0.1");
  EXPECT_EQ(settings->options.listen.port, 9000);
  EXPECT_EQ(settings->options.default_bucket(), "sagemaker-us-east-1-000000000000");
  for (const OptionInForce& one : settings->in_force) EXPECT_EQ(one.origin, Origin::kDefault) << one.option->name;
}

TEST_F(OptionsTest, AFlagBeatsAVariableBeatsTheFileBeatsTheDefault) {
  Write("data/argosy.yaml", "listen: 127.0.0.1:1001\nregion: eu-west-1\nhosts-max: 3\n");
  variables_["ARGOSY_LISTEN"] = "127.0.0.1:1002";
  variables_["ARGOSY_REGION"] = "eu-north-1";
  const Result<Settings> settings = Resolve({{"data-dir", "data"}, {"listen", "[::1]:1003"}});
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->options.listen.host, "::1");
  EXPECT_EQ(settings->options.listen.port, 1003);
  EXPECT_EQ(InForce(*settings, "listen").where, "--listen");
  EXPECT_EQ(settings->options.region, "eu-north-1");
  EXPECT_EQ(InForce(*settings, "region").where, "ARGOSY_REGION");
  EXPECT_EQ(settings->options.hosts_max, 3u);
  EXPECT_EQ(InForce(*settings, "hosts-max").where, (dir_ / "data/argosy.yaml").string() + ":3");
  EXPECT_EQ(InForce(*settings, "memory").where, "default");
}

TEST_F(OptionsTest, EveryOptionCanBeALineOfTheFileOrAVariable) {
  for (const OptionDeclaration& option : OptionDeclarations()) {
    if (option.name == "config" || option.fallback.empty()) continue;
    const std::string value = option.name == "data-dir" ? "elsewhere" : std::string(option.fallback);
    const auto file = Write("one.yaml", std::string(option.name) + ": '" + value + "'\n");
    const Result<Settings> from_file = Resolve({{"config", file.string()}});
    ASSERT_TRUE(from_file.ok()) << from_file.error().message();
    EXPECT_EQ(InForce(*from_file, option.name).origin, Origin::kFile) << option.name;

    variables_[EnvironmentName(option)] = value;
    const Result<Settings> from_variable = Resolve({});
    ASSERT_TRUE(from_variable.ok()) << from_variable.error().message();
    EXPECT_EQ(InForce(*from_variable, option.name).origin, Origin::kEnvironment) << option.name;
    variables_.erase(EnvironmentName(option));
  }
}

TEST_F(OptionsTest, ABrokenFileIsOneLineNamingFileLineOptionAndRule) {
  const std::string file = Write("data/argosy.yaml", "# comment\nhosts-max: 3\nlisten: nowhere\n").string();
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), StartsWith(file + ":3: listen must be an IP address"));
  Write("data/argosy.yaml", "hosts-max: 3\nlistne: 127.0.0.1:1\n");
  EXPECT_EQ(Refusal({{"data-dir", "data"}}), file + ":2: there is no option 'listne'; did you mean 'listen'?");
  Write("data/argosy.yaml", "hosts-max: 3\nhosts-max: 4\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), StartsWith(file + ":2: hosts-max is given twice"));
  Write("data/argosy.yaml", "hosts-max: 3\nmemory: [1, 2]\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), StartsWith(file + ":2: memory must be all, or a size"));
  Write("data/argosy.yaml", "hosts-max: 3\n  bad: [\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), StartsWith(file + ":"));
  Write("data/argosy.yaml", "- a\n- b\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), HasSubstr("must be lines of `option: value`"));
  Write("data/argosy.yaml", "a: &x [*x]\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), HasSubstr("there is no option 'a'"));
  Write("data/argosy.yaml", "listen: \"\xff\"\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), HasSubstr("not UTF-8"));
  EXPECT_EQ(Refusal({{"data-dir", "data"}}).find('\n'), std::string::npos);
}

TEST_F(OptionsTest, BadValuesNameWhereTheyCameFrom) {
  EXPECT_THAT(Refusal({{"hosts-max", "0"}}),
              testing::Eq("--hosts-max: hosts-max must be a whole number from 1 to 1024; '0' is not"));
  variables_["ARGOSY_MEMORY"] = "lots";
  EXPECT_THAT(Refusal({}), StartsWith("ARGOSY_MEMORY: memory must be all, or a size of at least 64M"));
}

TEST_F(OptionsTest, SecretsAreNeverRepeatedInAnError) {
  variables_["ARGOSY_SECRET_ACCESS_KEY"] = "hunter2";
  EXPECT_THAT(Refusal({}), testing::Not(HasSubstr("hunter2")));
  variables_["ARGOSY_SECRET_ACCESS_KEY"] = "a-secret-that-is-long-enough";
  EXPECT_THAT(CheckKeyIsWhole(Resolve({})->options).error().message(), HasSubstr("go together"));
  variables_["ARGOSY_ACCESS_KEY_ID"] = "AKIAEXAMPLEEXAMPLE00";
  EXPECT_TRUE(CheckKeyIsWhole(Resolve({})->options).ok());
}

TEST_F(OptionsTest, TheObjectStoresKeyIsWholeOrNotGivenAndItsPlaceAnUri) {
  variables_["ARGOSY_OBJECT_STORE_ACCESS_KEY_ID"] = "minio";
  EXPECT_THAT(CheckKeyIsWhole(Resolve({})->options).error().message(), HasSubstr("object-store-credentials"));
  variables_["ARGOSY_OBJECT_STORE_SECRET_ACCESS_KEY"] = "minio-secret";
  EXPECT_TRUE(CheckKeyIsWhole(Resolve({})->options).ok());
  EXPECT_EQ(Resolve({{"object-store", "s3://bucket/a/b"}})->options.object_store, "s3://bucket/a/b");
  EXPECT_THAT(Refusal({{"object-store", "bucket/a"}}), HasSubstr("an S3 URI such as s3://bucket/prefix"));
  EXPECT_THAT(Refusal({{"object-store-endpoint", "minio:9000"}}), HasSubstr("starts with http:// or https://"));
}

TEST_F(OptionsTest, AConfigFileThatIsNamedMustBeThere) {
  EXPECT_THAT(Refusal({{"config", "absent.yaml"}}), HasSubstr("absent.yaml"));
}

TEST_F(OptionsTest, OnlyAFileOutsideMayNameTheDataDirectory) {
  Write("data/argosy.yaml", "data-dir: other\n");
  EXPECT_THAT(Refusal({{"data-dir", "data"}}), HasSubstr("cannot be given in the data directory's own file"));
  const auto file = Write("conf/a.yaml", "data-dir: other\n");
  const Result<Settings> settings = Resolve({{"config", file.string()}});
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->options.data_dir, dir_ / "conf/other");
}

TEST(ByteSizes, AreReadWithAndWithoutUnits) {
  EXPECT_EQ(ParseByteSize("1024"), 1024u);
  EXPECT_EQ(ParseByteSize("8G"), 8ull << 30);
  EXPECT_EQ(ParseByteSize("512MiB"), 512ull << 20);
  EXPECT_EQ(ParseByteSize("1.5k"), 1536u);
  EXPECT_FALSE(ParseByteSize("many"));
  EXPECT_FALSE(ParseByteSize("-1G"));
  EXPECT_FALSE(ParseByteSize("9999999999T"));
  EXPECT_FALSE(ParseByteSize(""));
}

TEST(ConfigurationGuide, IsWhatTheDeclarationsRender) {
  const Result<std::string> page = ReadFile(ARGOSY_SOURCE_DIR "/docs/guides/configuration.md", 1 << 20);
  ASSERT_TRUE(page.ok()) << page.error().message();
  EXPECT_EQ(*page, ConfigurationPage()) << "render it again: argosy config --page > docs/guides/configuration.md";
}

TEST(OptionDeclarations, HaveUniqueNamesAndASentenceEach) {
  std::set<std::string_view> names;
  for (const OptionDeclaration& option : OptionDeclarations()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_TRUE(option.help.ends_with('.')) << option.name;
    EXPECT_NE(option.apply, nullptr) << option.name;
  }
}

}  // namespace
}  // namespace argosy::main
