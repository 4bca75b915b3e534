#include "api/sagemaker/sagemaker_fixture.h"

namespace argosy::api {
namespace {

class SearchTest : public SageMakerTest {
 protected:
  void MakeJob(const std::string& name, const std::string& epochs, const std::string& team) {
    Json request = JobRequest(name);
    request["HyperParameters"]["epochs"] = epochs;
    request["Tags"] = Json::array({{{"Key", "team"}, {"Value", team}}});
    Good("CreateTrainingJob", request);
  }
  void Complete(const std::string& name, double loss) {
    ChangeJob(name, [&](TrainingJobState& state) {
      state.status = state.secondary_status = "Completed";
      state.final_metrics.push_back({"loss", loss, clock_.Now()});
    });
  }
  // The names that a search of jobs finds, in order.
  std::vector<std::string> Found(const Json& request) {
    std::vector<std::string> names;
    const Json answer = Good("Search", request);
    for (const Json& result : answer["Results"]) {
      names.push_back(result["TrainingJob"]["TrainingJobName"].get<std::string>());
    }
    return names;
  }
  static Json Query(const std::string& resource, const std::vector<Json>& filters) {
    return Json{{"Resource", resource}, {"SearchExpression", {{"Filters", filters}}}};
  }
  static Json Where(const std::string& name, const std::string& op, const std::string& value) {
    return Json{{"Name", name}, {"Operator", op}, {"Value", value}};
  }
};

using Names = std::vector<std::string>;

TEST_F(SearchTest, FindsJobsByWhatTheyWereAskedAndWhatCameOfThem) {
  MakeJob("a", "3", "blue");
  MakeJob("b", "10", "red");
  MakeJob("c", "20", "blue");
  Complete("b", 0.5);
  Complete("c", 0.25);
  EXPECT_EQ(Found(Query("TrainingJob", {Where("HyperParameters.epochs", "GreaterThan", "3")})), (Names{"c", "b"}));
  EXPECT_EQ(Found(Query("TrainingJob", {Where("Tags.team", "Equals", "blue")})), (Names{"c", "a"}));
  EXPECT_EQ(Found(Query("TrainingJob", {Where("Metrics.loss", "LessThan", "0.5")})), Names{"c"});
  EXPECT_EQ(Found(Query("TrainingJob", {Where("TrainingJobStatus", "Equals", "InProgress")})), Names{"a"});
  EXPECT_EQ(Found(Query("TrainingJob", {Where("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "a/t")})),
            (Names{"c", "b", "a"}));
  EXPECT_EQ(Found({{"Resource", "TrainingJob"}}), (Names{"c", "b", "a"}));  // the last modified first
}

TEST_F(SearchTest, ARecordHasTheTagsAndNothingThatSageMakersHasNot) {
  Json request = JobRequest("a");
  request["RemoteDebugConfig"] = {{"EnableRemoteDebug", false}};  // Describe gives it back, the record has none
  Good("CreateTrainingJob", request);
  const Json answer = Good("Search", {{"Resource", "TrainingJob"}});
  const Json& record = answer["Results"][0]["TrainingJob"];
  EXPECT_EQ(record["Tags"], request["Tags"]);
  EXPECT_EQ(record["HyperParameters"], request["HyperParameters"]);
  EXPECT_FALSE(record.contains("RemoteDebugConfig"));
  EXPECT_EQ(answer["TotalHits"], Json({{"Value", 1}, {"Relation", "EqualTo"}}));
}

TEST_F(SearchTest, SortsByAnyPropertyAndPutsLastWhatHasNone) {
  MakeJob("a", "9", "x");
  MakeJob("b", "10", "x");
  MakeJob("c", "many", "x");
  MakeJob("d", "9", "x");
  Complete("a", 0.5);
  Complete("d", 0.25);
  const auto sorted = [&](const std::string& by, const std::string& order) {
    return Found({{"Resource", "TrainingJob"}, {"SortBy", by}, {"SortOrder", order}});
  };
  EXPECT_EQ(sorted("TrainingJobName", "Ascending"), (Names{"a", "b", "c", "d"}));
  EXPECT_EQ(sorted("CreationTime", "Descending"), (Names{"d", "c", "b", "a"}));
  const Names by_metric = sorted("Metrics.loss", "Ascending");
  EXPECT_EQ(Names(by_metric.begin(), by_metric.begin() + 2), (Names{"d", "a"}));
  const Names down = sorted("Metrics.loss", "Descending");
  EXPECT_EQ(Names(down.begin(), down.begin() + 2), (Names{"a", "d"}));
  const Names by_epochs = sorted("HyperParameters.epochs", "Ascending");  // as numbers, then what is none
  EXPECT_EQ(Names(by_epochs.begin() + 2, by_epochs.end()), (Names{"b", "c"}));
  Bad("Search", {{"Resource", "TrainingJob"}, {"SortBy", "InputDataConfig"}}, "ValidationException",
      "cannot be sorted");
  Bad("Search", {{"Resource", "TrainingJob"}, {"SortBy", "Color"}}, "ValidationException", "'Color'");
}

TEST_F(SearchTest, PagesNeitherRepeatNorLoseWhileOthersAreMade) {
  for (int i = 0; i < 7; ++i) MakeJob("job-" + std::to_string(i), std::to_string(i % 2), "x");
  for (const char* by : {"HyperParameters.epochs", "TrainingJobName", "CreationTime", "Metrics.loss"}) {
    Json request = {{"Resource", "TrainingJob"},
                    {"SortBy", by},
                    {"SortOrder", "Ascending"},
                    {"MaxResults", 2},
                    {"SearchExpression", {{"Filters", Json::array({Where("TrainingJobName", "Contains", "job-")})}}}};
    Names all;
    for (int page = 0;; ++page) {
      const Json answer = Good("Search", request);
      EXPECT_LE(answer["Results"].size(), 2U);
      for (const Json& result : answer["Results"]) all.push_back(result["TrainingJob"]["TrainingJobName"]);
      if (!answer.contains("NextToken")) break;
      request["NextToken"] = answer["NextToken"];
      Good("CreateTrainingJob", JobRequest(std::string("meanwhile-") + by[0] + std::to_string(page)));
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, (Names{"job-0", "job-1", "job-2", "job-3", "job-4", "job-5", "job-6"})) << by;
  }
}

TEST_F(SearchTest, AnotherSearchsTokenIsRefused) {
  MakeJob("a", "1", "x");
  MakeJob("b", "1", "x");
  const Json answer = Good("Search", {{"Resource", "TrainingJob"}, {"MaxResults", 1}});
  const std::string token = answer["NextToken"];
  EXPECT_EQ(Good("Search", {{"Resource", "TrainingJob"}, {"MaxResults", 5}, {"NextToken", token}})["Results"].size(),
            1U);
  for (const Json& other : {Json{{"Resource", "TrainingJob"}, {"SortOrder", "Ascending"}, {"NextToken", token}},
                            Json{{"Resource", "TrainingJob"}, {"NextToken", "x"}},
                            Json{{"Resource", "TrainingJob"}, {"NextToken", "W10="}}}) {
    Bad("Search", other, "ValidationException", "Invalid pagination token");
  }
}

TEST_F(SearchTest, AModelIsFoundWithTheEndpointsThatServeIt) {
  MakeEndpoint("e");
  BringUp("e");
  Good("CreateModel", ModelRequest("idle"));
  for (const char* name : {"ModelName", "Model.ModelName"}) {
    const Json results = Good("Search", Query("Model", {Where(name, "Equals", "e-model")}))["Results"];
    ASSERT_EQ(results.size(), 1U) << name;
    EXPECT_EQ(results[0]["Model"]["Model"]["ModelName"], "e-model");
    EXPECT_EQ(results[0]["Model"]["Endpoints"][0]["EndpointName"], "e");
    EXPECT_EQ(results[0]["Model"].size(), 2U);
  }
  const Json served = Good("Search", Query("Model", {Where("Endpoints.EndpointName", "Equals", "e")}))["Results"];
  ASSERT_EQ(served.size(), 1U);
  const Json idle = Good("Search", Query("Model", {Json{{"Name", "Endpoints"}, {"Operator", "NotExists"}}}))["Results"];
  ASSERT_EQ(idle.size(), 1U);
  EXPECT_EQ(idle[0]["Model"]["Model"]["ModelName"], "idle");
}

TEST_F(SearchTest, EndpointsAreFoundByTheirVariants) {
  MakeEndpoint("e");
  BringUp("e");
  MakeEndpoint("coming-up");
  const Json found = Good(
      "Search", Query("Endpoint", {Where("ProductionVariants.CurrentInstanceCount", "GreaterThan", "0")}))["Results"];
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["Endpoint"]["EndpointName"], "e");
  EXPECT_EQ(found[0]["Endpoint"]["EndpointStatus"], "InService");
  EXPECT_FALSE(found[0]["Endpoint"].contains("PendingDeploymentSummary"));
}

TEST_F(SearchTest, ATagThatIsNotMineHidesWhatHasIt) {
  MakeJob("a", "1", "blue");
  MakeJob("b", "1", "red");
  Json request = JobRequest("c");
  request["Tags"] = Json::array();
  Good("CreateTrainingJob", request);
  EXPECT_EQ(Found({{"Resource", "TrainingJob"},
                   {"VisibilityConditions", Json::array({{{"Key", "Tags.team"}, {"Value", "blue"}}})}}),
            (Names{"c", "a"}));
  Bad("Search",
      {{"Resource", "TrainingJob"}, {"VisibilityConditions", Json::array({{{"Key", "team"}, {"Value", "blue"}}})}},
      "ValidationException", "must be like Tags.<key>");
}

TEST_F(SearchTest, OfOtherResourcesThereAreNone) {
  for (const char* resource : {"ExperimentTrialComponent", "ModelPackageGroup", "Pipeline"}) {
    const Json answer = Good("Search", Query(resource, {Where("TrialComponentName", "Equals", "x")}));
    EXPECT_EQ(answer["Results"], Json::array());
    EXPECT_EQ(Good("GetSearchSuggestions", {{"Resource", resource}})["PropertyNameSuggestions"], Json::array());
  }
  Bad("Search", {{"Resource", "EndpointConfig"}}, "ValidationException", "Member must satisfy enum value set");
  Bad("Search", {{"Resource", "Model"}, {"CrossAccountFilterOption", "CrossAccount"}}, "ValidationException",
      "crossAccountFilterOption");
}

TEST_F(SearchTest, SuggestsTheNamesThatBeginSo) {
  MakeJob("a", "1", "blue");
  Complete("a", 0.5);
  const auto suggested = [&](const std::string& hint) {
    std::vector<std::string> names;
    const Json query = {{"PropertyNameQuery", {{"PropertyNameHint", hint}}}};
    const Json answer = Good("GetSearchSuggestions", {{"Resource", "TrainingJob"}, {"SuggestionQuery", query}});
    for (const Json& each : answer["PropertyNameSuggestions"]) names.push_back(each["PropertyName"]);
    return names;
  };
  EXPECT_EQ(suggested("HyperParameters."), (Names{"HyperParameters.epochs", "HyperParameters.predictor_type"}));
  EXPECT_EQ(suggested("Metrics"), Names{"Metrics.loss"});
  EXPECT_EQ(suggested("Tags.t"), Names{"Tags.team"});
  EXPECT_EQ(suggested("ResourceConfig.InstanceC"), Names{"ResourceConfig.InstanceCount"});
  EXPECT_EQ(suggested("nothing"), Names{});
}

}  // namespace
}  // namespace argosy::api
