#include "api/s3/s3_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <pugixml.hpp>

#include "api/s3/conditions.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/http_date.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/test_directory.h"

namespace argosy::api::s3 {
namespace {

namespace fs = std::filesystem;
using Headers = std::vector<std::pair<std::string, std::string>>;

// A request and the place where its answer arrives.
class FakeExchange final : public http::Exchange {
 public:
  FakeExchange(std::string method, std::string target, Headers headers, std::string body)
      : method_(std::move(method)), target_(std::move(target)), headers_(std::move(headers)), body_(std::move(body)) {
    view_.method = method_;
    view_.target = target_;
    const size_t question = target_.find('?');
    view_.path = std::string_view(target_).substr(0, question);
    if (question != std::string::npos) view_.query = std::string_view(target_).substr(question + 1);
    for (const auto& [name, value] : headers_) views_.push_back({name, value});
    view_.headers = views_;
    view_.content_length = body_.size();
  }

  const http::RequestView& request() const override { return view_; }
  void Respond(http::Response response) override {
    const std::lock_guard lock(mutex_);
    Check(!response_.has_value(), "two answers");
    response_ = std::move(response);
    answered_.notify_one();
  }
  void RespondRaw(std::string_view) override { Check(false, "S3 never answers raw"); }
  bool abandoned() const override { return false; }
  Scheduler& loop() override {
    Check(false, "S3 needs no loop");
    std::abort();
  }

  const std::string& body() const { return body_; }
  void SetBufferedBody() { view_.body = body_; }
  http::Response Wait() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return response_.has_value(); });
    return std::move(*response_);
  }

 private:
  const std::string method_;
  const std::string target_;
  const Headers headers_;
  const std::string body_;
  std::vector<http::HeaderView> views_;
  http::RequestView view_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<http::Response> response_;
};

struct Reply {
  int status = 0;
  Headers headers;
  std::string body;

  std::string Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (EqualsIgnoreCase(key, name)) return value;
    }
    return {};
  }
  // The text of the first element of that path, as in "Error/Code".
  std::string Xml(const std::string& path) const {
    pugi::xml_document document;
    if (!document.load_string(body.c_str())) return "(no XML)";
    return document.first_element_by_path(path.c_str()).child_value();
  }
  std::string Code() const { return Xml("Error/Code"); }
  std::vector<std::string> XmlAll(const std::string& xpath) const {
    pugi::xml_document document;
    std::vector<std::string> out;
    if (!document.load_string(body.c_str(), pugi::parse_full)) return {"(no XML)"};
    for (const auto& node : document.select_nodes(xpath.c_str())) out.emplace_back(node.node().child_value());
    return out;
  }
};

class S3ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = objectstore::MakeTestDirectory();
    auto opened = objectstore::EmbeddedStore::Open(dir_ / "store", &clock_, &random_);
    ASSERT_TRUE(opened.ok());
    store_ = std::move(*opened);
    pool_ = std::make_unique<ThreadPool>("test", 2, 100);
    service_ = std::make_unique<S3Service>(store_.get(), pool_.get(), "eu-central-1");
    ASSERT_EQ(Call("PUT", "/bucket").status, 200);
  }
  void TearDown() override {
    pool_.reset();
    service_.reset();
    store_.reset();
    fs::remove_all(dir_);
  }

  Reply Call(std::string method, std::string target, Headers headers = {}, std::string body = {}, size_t piece = 1000) {
    headers.emplace_back("Content-Length", std::to_string(body.size()));
    auto exchange =
        std::make_shared<FakeExchange>(std::move(method), std::move(target), std::move(headers), std::move(body));
    http::BodyPlan plan = service_->OnHead(exchange->request(), {.principal = &principal_}, "REQ1");
    if (auto* refused = std::get_if<http::Refuse>(&plan)) return Read(std::move(refused->response));
    std::shared_ptr<http::BodySink> sink;
    if (auto* stream = std::get_if<http::StreamBody>(&plan)) {
      sink = stream->sink;
      Feed(*sink, exchange->body(), piece);
    } else {
      const size_t max = std::get<http::BufferBody>(plan).size_max;
      if (exchange->body().size() > max) return Read(service_->OnTooLarge(exchange->request(), max, "REQ1"));
      exchange->SetBufferedBody();
    }
    service_->OnRequest(exchange, sink, principal_, "REQ1");
    return Read(exchange->Wait());
  }

  // As the server does: the next piece after the last is done; after an error no more.
  void Feed(http::BodySink& sink, std::string_view body, size_t piece) {
    for (size_t at = 0; at < body.size(); at += piece) {
      std::mutex mutex;
      std::condition_variable ready;
      std::optional<Status> done;
      sink.Write(body.substr(at, piece), [&](Status status) {
        const std::lock_guard lock(mutex);
        done = std::move(status);
        ready.notify_one();
      });
      std::unique_lock lock(mutex);
      ready.wait(lock, [&] { return done.has_value(); });
      if (!done->ok()) return;
    }
  }

  static Reply Read(http::Response response) {
    Reply reply{.status = response.status, .headers = std::move(response.headers)};
    if (auto* text = std::get_if<std::string>(&response.body)) {
      reply.body = std::move(*text);
    } else {
      const auto& range = std::get<http::FileRange>(response.body);
      reply.body.resize(range.length);
      Check(pread(range.file->get(), reply.body.data(), range.length, static_cast<off_t>(range.offset)) ==
                static_cast<ssize_t>(range.length),
            "a body shorter than announced");
    }
    EXPECT_EQ(reply.Header("x-amz-request-id"), "REQ1");
    EXPECT_FALSE(reply.Header("x-amz-id-2").empty());
    return reply;
  }
  static std::string Crc32Base64(std::string_view bytes) {
    const auto hasher = objectstore::NewChecksumHasher(objectstore::ChecksumAlgorithm::kCrc32);
    hasher->Update(bytes);
    return ToBase64(hasher->Finish());
  }

  fs::path dir_;
  SystemClock clock_;
  SystemRandom random_;
  auth::Principal principal_;
  std::unique_ptr<objectstore::ObjectStore> store_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<S3Service> service_;
};

TEST_F(S3ServiceTest, Buckets) {
  EXPECT_EQ(Call("PUT", "/bucket").Code(), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(Call("PUT", "/Bad_Name").Code(), "InvalidBucketName");
  EXPECT_EQ(Call("PUT", "/other", {},
                 "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></"
                 "CreateBucketConfiguration>")
                .status,
            200);
  EXPECT_EQ(Call("PUT", "/third", {}, "<nonsense").Code(), "MalformedXML");
  EXPECT_EQ(Call("GET", "/").XmlAll("//Bucket/Name"), (std::vector<std::string>{"bucket", "other"}));
  const Reply page = Call("GET", "/?max-buckets=1");
  EXPECT_EQ(page.XmlAll("//Bucket/Name"), std::vector<std::string>{"bucket"});
  EXPECT_EQ(Call("GET", "/?max-buckets=1&continuation-token=" +
                            PercentEncode(page.Xml("ListAllMyBucketsResult/ContinuationToken")))
                .XmlAll("//Bucket/Name"),
            std::vector<std::string>{"other"});
  EXPECT_EQ(Call("HEAD", "/bucket").Header("x-amz-bucket-region"), "eu-central-1");
  const Reply missing = Call("HEAD", "/no-such-bucket");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(missing.body.empty());
  EXPECT_EQ(Call("GET", "/bucket?location").Xml("LocationConstraint"), "eu-central-1");
  ASSERT_EQ(Call("PUT", "/bucket/k", {}, "x").status, 200);
  const Reply full = Call("DELETE", "/bucket");
  EXPECT_EQ(full.status, 409);
  EXPECT_EQ(full.Code(), "BucketNotEmpty");
  EXPECT_EQ(Call("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(Call("DELETE", "/bucket").status, 204);
  EXPECT_EQ(Call("DELETE", "/bucket").Code(), "NoSuchBucket");
}

TEST_F(S3ServiceTest, AnObjectComesBackWithItsHeaders) {
  const std::string body(10'000, 'x');
  const Reply put = Call("PUT", "/bucket/dir/a%20b.txt",
                         {{"Content-Type", "text/plain"},
                          {"Cache-Control", "no-store"},
                          {"Content-Encoding", "gzip, aws-chunked"},
                          {"X-Amz-Meta-Colour", "blue"},
                          {"x-amz-content-sha256", Sha256Hex(body)},
                          {"Content-MD5", ToBase64(*FromHex(Md5Hex(body)))},
                          {"x-amz-sdk-checksum-algorithm", "CRC32"},
                          {"x-amz-checksum-crc32", Crc32Base64(body)}},
                         body);
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.Header("ETag"), "\"" + Md5Hex(body) + "\"");
  EXPECT_EQ(put.Header("x-amz-checksum-crc32"), Crc32Base64(body));
  for (const char* method : {"GET", "HEAD"}) {
    const Reply get = Call(method, "/bucket/dir/a%20b.txt", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(get.status, 200);
    EXPECT_EQ(get.body, body);
    EXPECT_EQ(get.Header("Content-Type"), "text/plain");
    EXPECT_EQ(get.Header("Cache-Control"), "no-store");
    EXPECT_EQ(get.Header("Content-Encoding"), "gzip");
    EXPECT_EQ(get.Header("x-amz-meta-colour"), "blue");
    EXPECT_EQ(get.Header("ETag"), put.Header("ETag"));
    EXPECT_EQ(get.Header("x-amz-checksum-crc32"), Crc32Base64(body));
    EXPECT_TRUE(http::ParseHttpDate(get.Header("Last-Modified")).has_value());
  }
  EXPECT_EQ(Call("GET", "/bucket/dir/a%20b.txt").Header("x-amz-checksum-crc32"), "");
  EXPECT_EQ(Call("GET", "/bucket/dir/a%20b.txt?response-content-type=a/b&x-id=GetObject").Header("Content-Type"),
            "a/b");
  EXPECT_EQ(Call("GET", "/bucket/dir/a%20b.txt?response-content-type=a%0D%0AX:y").Header("Content-Type"), "text/plain");
  ASSERT_EQ(Call("PUT", "/bucket/empty").status, 200);
  const Reply empty = Call("GET", "/bucket/empty");
  EXPECT_EQ(empty.Header("Content-Type"), "binary/octet-stream");
  EXPECT_EQ(empty.Header("ETag"), "\"d41d8cd98f00b204e9800998ecf8427e\"");
}

TEST_F(S3ServiceTest, DamagedBodiesAreRefusedAndLeaveWhatWasThere) {
  ASSERT_EQ(Call("PUT", "/bucket/k", {}, "old").status, 200);
  const std::string other = "other";
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-content-sha256", Sha256Hex(other)}}, "body").Code(),
            "XAmzContentSHA256Mismatch");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"Content-MD5", ToBase64(*FromHex(Md5Hex(other)))}}, "body").Code(), "BadDigest");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"Content-MD5", "short"}}, "body").Code(), "InvalidDigest");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-checksum-crc32", Crc32Base64(other)}}, "body").Code(), "BadDigest");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-checksum-crc32", "AA=="}}, "body").Code(), "InvalidRequest");
  EXPECT_EQ(
      Call("PUT", "/bucket/k", {{"x-amz-checksum-crc32", "AAAAAA=="}, {"x-amz-checksum-sha1", "x"}}, "body").Code(),
      "InvalidRequest");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-checksum-xxhash", "AAAA"}}, "body").Code(), "NotImplemented");
  EXPECT_EQ(
      Call("PUT", "/bucket/k", {{"x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}}, "body").Code(),
      "NotImplemented");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}, "body").Code(),
            "InvalidRequest")
      << "without a signature to go on from";
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}, "new").status, 200);
  EXPECT_EQ(Call("GET", "/bucket/k").body, "new");
  EXPECT_TRUE(fs::is_empty(dir_ / "store/staging"));
}

TEST_F(S3ServiceTest, AnAwsChunkedBodyIsUnwrappedAndItsTrailerChecked) {
  const std::string body =
      "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:" + Crc32Base64("hello world") + "\r\n\r\n";
  Headers headers = {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                     {"Content-Encoding", "aws-chunked"},
                     {"x-amz-trailer", "x-amz-checksum-crc32"},
                     {"x-amz-decoded-content-length", "11"}};
  for (const size_t piece : {1u, 7u, 1000u}) {
    const Reply put = Call("PUT", "/bucket/k", headers, body, piece);
    EXPECT_EQ(put.status, 200) << put.body;
    EXPECT_EQ(put.Header("x-amz-checksum-crc32"), Crc32Base64("hello world"));
  }
  const Reply get = Call("GET", "/bucket/k");
  EXPECT_EQ(get.body, "hello world");
  EXPECT_EQ(get.Header("Content-Encoding"), "");
  std::string damaged = body;
  damaged[3] = 'H';
  EXPECT_EQ(Call("PUT", "/bucket/k", headers, damaged).Code(), "BadDigest");
  EXPECT_EQ(Call("PUT", "/bucket/k", headers, body.substr(0, 10)).Code(), "IncompleteBody");
  headers[3].second = "12";
  EXPECT_EQ(Call("PUT", "/bucket/k", headers, body).Code(), "IncompleteBody");
}

TEST_F(S3ServiceTest, RangesAndConditions) {
  const Reply put = Call("PUT", "/bucket/k", {}, "0123456789");
  const Reply part = Call("GET", "/bucket/k", {{"Range", "bytes=2-4"}, {"If-Match", put.Header("ETag")}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.Header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(Call("GET", "/bucket/k", {{"Range", "bytes=-2"}}).body, "89");
  EXPECT_EQ(Call("GET", "/bucket/k", {{"Range", "bytes=0-0,5-6"}}).status, 200);
  const Reply past = Call("GET", "/bucket/k", {{"Range", "bytes=10-"}});
  EXPECT_EQ(past.status, 416);
  EXPECT_EQ(past.Code(), "InvalidRange");
  EXPECT_EQ(past.Xml("Error/ActualObjectSize"), "10");
  EXPECT_EQ(Call("GET", "/bucket/k", {{"If-Match", "\"0\""}}).Code(), "PreconditionFailed");
  const Reply same = Call("GET", "/bucket/k", {{"If-None-Match", put.Header("ETag")}});
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
  EXPECT_EQ(Call("GET", "/bucket/k", {{"If-Modified-Since", "Wed, 01 Jan 2014 00:00:00 GMT"}}).status, 200);
  EXPECT_EQ(Call("GET", "/bucket/k", {{"If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT"}}).status, 304);
  EXPECT_EQ(Call("HEAD", "/bucket/k", {{"If-Unmodified-Since", "Wed, 01 Jan 2014 00:00:00 GMT"}}).status, 412);
  EXPECT_EQ(Call("GET", "/bucket/k", {{"Range", "bytes=1-2"}, {"If-Range", "\"0\""}}).status, 200);
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"If-None-Match", "*"}}, "x").status, 412);
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"If-Match", put.Header("ETag")}}, "y").status, 200);
  EXPECT_EQ(Call("PUT", "/bucket/new", {{"If-Match", "\"0\""}}, "y").Code(), "NoSuchKey");
}

TEST_F(S3ServiceTest, MissingThingsHaveTheirOwnErrors) {
  const Reply key = Call("GET", "/bucket/no%20key");
  EXPECT_EQ(key.status, 404);
  EXPECT_EQ(key.Code(), "NoSuchKey");
  EXPECT_EQ(key.Xml("Error/Key"), "no key");
  EXPECT_EQ(key.Xml("Error/RequestId"), "REQ1");
  EXPECT_EQ(Call("GET", "/no-such-bucket/k").Code(), "NoSuchBucket");
  EXPECT_EQ(Call("PUT", "/no-such-bucket/k", {}, "x").Code(), "NoSuchBucket");
  EXPECT_EQ(Call("DELETE", "/no-such-bucket/k").Code(), "NoSuchBucket");
  EXPECT_EQ(Call("DELETE", "/bucket/no-such-key").status, 204);
  const Reply head = Call("HEAD", "/bucket/no-such-key");
  EXPECT_EQ(head.status, 404);
  EXPECT_TRUE(head.body.empty());
}

TEST_F(S3ServiceTest, WhatIsNotThereIsRefusedByName) {
  struct Row {
    const char* method;
    const char* target;
    const char* named;
  };
  for (const Row& row :
       {Row{"PUT", "/bucket?policy", "?policy"}, Row{"PUT", "/bucket?cors", "?cors"},
        Row{"PUT", "/bucket/k?acl", "?acl"}, Row{"GET", "/bucket?inventory", "?inventory"},
        Row{"DELETE", "/bucket?lifecycle", "?lifecycle"}, Row{"POST", "/bucket/k?select&select-type=2", "?select"}}) {
    const Reply reply = Call(row.method, row.target);
    EXPECT_EQ(reply.status, 501) << row.target;
    EXPECT_EQ(reply.Code(), "NotImplemented");
    EXPECT_NE(reply.Xml("Error/Message").find(row.named), std::string::npos) << reply.Xml("Error/Message");
  }
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-server-side-encryption-aws-kms-key-id", "mine"}}, "x").Code(),
            "NotImplemented");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-server-side-encryption", "aws:kms"}}, "x").status, 200);
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-storage-class", "GLACIER"}}, "x").Code(), "NotImplemented");
  EXPECT_EQ(Call("GET", "/bucket/k?versionId=3").Code(), "NoSuchVersion");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-acl", "public-read"}}, "x").Code(), "AccessControlListNotSupported");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-acl", "private"}, {"x-amz-storage-class", "STANDARD"}}, "x").status, 200);
  EXPECT_EQ(Call("PATCH", "/bucket/k").Code(), "MethodNotAllowed");
  EXPECT_EQ(Call("GET", "/bucket/%zz").Code(), "InvalidURI");
  EXPECT_EQ(Call("GET", "/bucket/%ff").Code(), "InvalidURI");
  EXPECT_EQ(Call("GET", "/bucket/" + std::string(1025, 'k')).Code(), "KeyTooLongError");
  EXPECT_EQ(Call("PUT", "/bucket/k", {{"x-amz-meta-big", std::string(3000, 'm')}}, "x").Code(), "MetadataTooLarge");
  EXPECT_EQ(Call("POST", "/bucket?delete", {}, std::string(5 << 20, ' ')).Code(), "MaxMessageLengthExceeded");
}

TEST_F(S3ServiceTest, ListsInPagesWithPrefixesAndEncoding) {
  for (const char* key : {"a.txt", "dir/1", "dir/2", "dir/sub/3", "dir%202", "x%26y"}) {
    ASSERT_EQ(Call("PUT", "/bucket/" + std::string(key), {}, "body").status, 200);
  }
  const Reply all = Call("GET", "/bucket?list-type=2");
  EXPECT_EQ(all.XmlAll("//Contents/Key"),
            (std::vector<std::string>{"a.txt", "dir 2", "dir/1", "dir/2", "dir/sub/3", "x&y"}));
  EXPECT_EQ(all.Xml("ListBucketResult/KeyCount"), "6");
  EXPECT_EQ(all.Xml("ListBucketResult/IsTruncated"), "false");
  EXPECT_EQ(all.XmlAll("//Contents/Size")[0], "4");
  EXPECT_EQ(all.XmlAll("//Contents/ETag")[0], "\"" + Md5Hex("body") + "\"");
  const Reply top = Call("GET", "/bucket?list-type=2&delimiter=%2F&encoding-type=url&prefix=");
  EXPECT_EQ(top.XmlAll("//Contents/Key"), (std::vector<std::string>{"a.txt", "dir%202", "x%26y"}));
  EXPECT_EQ(top.XmlAll("//CommonPrefixes/Prefix"), std::vector<std::string>{"dir/"});
  EXPECT_EQ(top.Xml("ListBucketResult/EncodingType"), "url");
  std::vector<std::string> paged;
  std::string token;
  for (int page = 0; page < 10; ++page) {
    const Reply reply = Call("GET", "/bucket?list-type=2&max-keys=2&start-after=a.txt" +
                                        (token.empty() ? "" : "&continuation-token=" + PercentEncode(token)));
    for (const std::string& key : reply.XmlAll("//Contents/Key")) paged.push_back(key);
    token = reply.Xml("ListBucketResult/NextContinuationToken");
    EXPECT_EQ(reply.Xml("ListBucketResult/IsTruncated"), token.empty() ? "false" : "true");
    if (token.empty()) break;
  }
  EXPECT_EQ(paged, (std::vector<std::string>{"dir 2", "dir/1", "dir/2", "dir/sub/3", "x&y"}));
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&continuation-token=%21").Code(), "InvalidArgument");
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&max-keys=-1").Code(), "InvalidArgument");
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&max-keys=0").Xml("ListBucketResult/IsTruncated"), "false");
  EXPECT_EQ(Call("GET", "/no-such-bucket?list-type=2").Code(), "NoSuchBucket");
}

TEST_F(S3ServiceTest, ListsTheOldWayWithMarkers) {
  for (const char* key : {"a/1", "a/2", "b", "c/1", "d"})
    ASSERT_EQ(Call("PUT", "/bucket/" + std::string(key)).status, 200);
  std::vector<std::string> seen;
  std::string marker;
  for (int page = 0; page < 10; ++page) {
    const Reply reply = Call("GET", "/bucket?delimiter=/&max-keys=1&marker=" + marker);
    for (const std::string& key : reply.XmlAll("//Contents/Key")) seen.push_back(key);
    for (const std::string& prefix : reply.XmlAll("//CommonPrefixes/Prefix")) seen.push_back(prefix);
    if (reply.Xml("ListBucketResult/IsTruncated") == "false") break;
    marker = reply.Xml("ListBucketResult/NextMarker");
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a/", "b", "c/", "d"}));
}

TEST_F(S3ServiceTest, DeletesManyAtOnce) {
  for (const char* key : {"a", "b", "c"}) ASSERT_EQ(Call("PUT", "/bucket/" + std::string(key)).status, 200);
  const std::string body = "<Delete><Object><Key>a</Key></Object><Object><Key>absent</Key></Object></Delete>";
  EXPECT_EQ(Call("POST", "/bucket?delete", {{"x-amz-checksum-crc32", Crc32Base64("other")}}, body).Code(), "BadDigest");
  const Reply deleted = Call("POST", "/bucket?delete", {{"x-amz-checksum-crc32", Crc32Base64(body)}}, body);
  EXPECT_EQ(deleted.XmlAll("//Deleted/Key"), (std::vector<std::string>{"a", "absent"}));
  EXPECT_TRUE(Call("POST", "/bucket?delete", {}, "<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>")
                  .XmlAll("//Deleted")
                  .empty());
  EXPECT_EQ(Call("GET", "/bucket?list-type=2").XmlAll("//Contents/Key"), std::vector<std::string>{"c"});
  EXPECT_EQ(Call("POST", "/bucket?delete", {}, "<Delete/>").Code(), "MalformedXML");
}

TEST_F(S3ServiceTest, CopiesObjects) {
  ASSERT_EQ(Call("PUT", "/bucket/from%20here", {{"Content-Type", "text/csv"}, {"x-amz-meta-a", "1"}}, "bytes").status,
            200);
  const Reply copy = Call("PUT", "/bucket/to", {{"x-amz-copy-source", "/bucket/from%20here"}});
  EXPECT_EQ(copy.status, 200) << copy.body;
  EXPECT_EQ(copy.Xml("CopyObjectResult/ETag"), "\"" + Md5Hex("bytes") + "\"");
  EXPECT_EQ(Call("GET", "/bucket/to").Header("x-amz-meta-a"), "1");
  EXPECT_EQ(Call("PUT", "/bucket/to", {{"x-amz-copy-source", "bucket/to"}}).Code(), "InvalidRequest");
  EXPECT_EQ(Call("PUT", "/bucket/to",
                 {{"x-amz-copy-source", "bucket/to"}, {"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-a", "2"}})
                .status,
            200);
  EXPECT_EQ(Call("GET", "/bucket/to").Header("x-amz-meta-a"), "2");
  EXPECT_EQ(Call("PUT", "/bucket/to", {{"x-amz-copy-source", "bucket/absent"}}).Code(), "NoSuchKey");
  EXPECT_EQ(Call("PUT", "/bucket/to", {{"x-amz-copy-source", "bucket"}}).Code(), "InvalidArgument");
  EXPECT_EQ(
      Call("PUT", "/bucket/to", {{"x-amz-copy-source", "bucket/from%20here"}, {"x-amz-copy-source-if-match", "\"0\""}})
          .status,
      412);
}

TEST_F(S3ServiceTest, AnUploadInParts) {
  const Reply created =
      Call("POST", "/bucket/big?uploads", {{"Content-Type", "text/plain"}, {"x-amz-checksum-algorithm", "CRC32"}});
  EXPECT_EQ(created.Header("x-amz-checksum-algorithm"), "CRC32");
  const std::string id = created.Xml("InitiateMultipartUploadResult/UploadId");
  ASSERT_FALSE(id.empty());
  const std::string target = "/bucket/big?uploadId=" + id;
  const std::string first(5 << 20, '1');
  const std::string second = "22";
  const Reply part2 = Call("PUT", target + "&partNumber=2", {{"x-amz-checksum-crc32", Crc32Base64(second)}}, second);
  const Reply part1 = Call("PUT", target + "&partNumber=1", {}, first, 1 << 20);
  EXPECT_EQ(part1.Header("ETag"), "\"" + Md5Hex(first) + "\"");
  EXPECT_EQ(part1.Header("x-amz-checksum-crc32"), Crc32Base64(first)) << "computed although it was not sent";
  EXPECT_EQ(Call("PUT", target + "&partNumber=2", {{"x-amz-checksum-sha1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}}, "").Code(),
            "InvalidRequest");
  EXPECT_EQ(Call("PUT", target + "&partNumber=0", {}, "x").Code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", target + "&partNumber=10001", {}, "x").Code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/big?uploadId=0123&partNumber=1", {}, "x").Code(), "NoSuchUpload");
  EXPECT_EQ(Call("GET", "/bucket?uploads").XmlAll("//Upload/Key"), std::vector<std::string>{"big"});
  const Reply parts = Call("GET", target);
  EXPECT_EQ(parts.XmlAll("//Part/PartNumber"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(parts.XmlAll("//Part/Size"), (std::vector<std::string>{"5242880", "2"}));
  const Reply page = Call("GET", target + "&max-parts=1");
  EXPECT_EQ(page.Xml("ListPartsResult/NextPartNumberMarker"), "1");
  EXPECT_EQ(Call("GET", target + "&part-number-marker=1").XmlAll("//Part/PartNumber"), std::vector<std::string>{"2"});

  auto document = [](const std::vector<std::pair<int, std::string>>& list) {
    std::string out = "<CompleteMultipartUpload>";
    for (const auto& [number, etag] : list) {
      out += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag + "</ETag></Part>";
    }
    return out + "</CompleteMultipartUpload>";
  };
  const std::string etag1 = part1.Header("ETag");
  const std::string etag2 = part2.Header("ETag");
  EXPECT_EQ(Call("POST", target, {}, document({{2, etag2}, {1, etag1}})).Code(), "InvalidPartOrder");
  EXPECT_EQ(Call("POST", target, {}, document({{1, etag2}})).Code(), "InvalidPart");
  EXPECT_EQ(Call("POST", target, {}, document({{1, etag1}, {3, etag2}})).Code(), "InvalidPart");
  EXPECT_EQ(Call("POST", target, {}, "<x/>").Code(), "MalformedXML");
  EXPECT_EQ(Call("POST", target, {{"x-amz-mp-object-size", "1"}}, document({{1, etag1}, {2, etag2}})).Code(),
            "InvalidRequest");
  const Reply done = Call("POST", target, {}, document({{1, etag1}, {2, etag2}}));
  ASSERT_EQ(done.status, 200) << done.body;
  const std::string etag = "\"" + Md5Hex(*FromHex(Md5Hex(first)) + *FromHex(Md5Hex(second))) + "-2\"";
  EXPECT_EQ(done.Xml("CompleteMultipartUploadResult/ETag"), etag);
  EXPECT_TRUE(done.Xml("CompleteMultipartUploadResult/ChecksumCRC32").ends_with("-2"));
  const Reply get = Call("GET", "/bucket/big");
  EXPECT_EQ(get.body, first + second);
  EXPECT_EQ(get.Header("ETag"), etag);
  EXPECT_EQ(get.Header("Content-Type"), "text/plain");
  EXPECT_EQ(Call("POST", target, {}, document({{1, etag1}, {2, etag2}})).status, 200) << "asked again";
  EXPECT_EQ(Call("DELETE", target).Code(), "NoSuchUpload");
}

TEST_F(S3ServiceTest, SmallPartsAndAborts) {
  const std::string id = Call("POST", "/bucket/k?uploads").Xml("InitiateMultipartUploadResult/UploadId");
  const std::string target = "/bucket/k?uploadId=" + id;
  const std::string etag1 = Call("PUT", target + "&partNumber=1", {}, "a").Header("ETag");
  const std::string etag2 = Call("PUT", target + "&partNumber=2", {}, "b").Header("ETag");
  const std::string body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag1 +
                           "</ETag></Part><Part><PartNumber>2</PartNumber><ETag>" + etag2 +
                           "</ETag></Part></CompleteMultipartUpload>";
  EXPECT_EQ(Call("POST", target, {}, body).Code(), "EntityTooSmall");
  EXPECT_EQ(Call("DELETE", target).status, 204);
  EXPECT_EQ(Call("POST", target, {}, body).Code(), "NoSuchUpload");
  EXPECT_TRUE(Call("GET", "/bucket?uploads").XmlAll("//Upload").empty());
}

TEST_F(S3ServiceTest, PartsMayBeCopiedFromObjects) {
  ASSERT_EQ(Call("PUT", "/bucket/from", {}, "0123456789").status, 200);
  const std::string id = Call("POST", "/bucket/to?uploads").Xml("InitiateMultipartUploadResult/UploadId");
  const std::string target = "/bucket/to?uploadId=" + id + "&partNumber=1";
  EXPECT_EQ(
      Call("PUT", target, {{"x-amz-copy-source", "bucket/from"}, {"x-amz-copy-source-range", "bytes=5-10"}}).Code(),
      "InvalidArgument");
  const Reply part =
      Call("PUT", target, {{"x-amz-copy-source", "bucket/from"}, {"x-amz-copy-source-range", "bytes=2-4"}});
  EXPECT_EQ(part.Xml("CopyPartResult/ETag"), "\"" + Md5Hex("234") + "\"");
  const std::string body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + Md5Hex("234") +
                           "</ETag></Part></CompleteMultipartUpload>";
  EXPECT_EQ(Call("POST", "/bucket/to?uploadId=" + id, {}, body).status, 200);
  EXPECT_EQ(Call("GET", "/bucket/to").body, "234");
}

TEST_F(S3ServiceTest, AClientThatGoesAwayLeavesNothing) {
  FakeExchange exchange("PUT", "/bucket/k", {{"Content-Length", "100"}}, "");
  http::BodyPlan plan = service_->OnHead(exchange.request(), {.principal = &principal_}, "REQ1");
  auto sink = std::get<http::StreamBody>(plan).sink;
  Feed(*sink, "half of it", 5);
  EXPECT_FALSE(fs::is_empty(dir_ / "store/staging"));
  sink->Abandon();
  sink.reset();
  plan = http::Refuse{};
  pool_.reset();  // runs what waits
  EXPECT_TRUE(fs::is_empty(dir_ / "store/staging"));
  EXPECT_EQ(store_->Head("bucket", "k").error().code(), ErrorCode::kNotFound);
}

TEST_F(S3ServiceTest, AFullPoolAnswersSlowDown) {
  std::mutex gate;
  gate.lock();
  ThreadPool narrow("narrow", 1, 1);
  S3Service service(store_.get(), &narrow, "r");
  std::mutex started_mutex;
  std::condition_variable started;
  bool running = false;
  ASSERT_TRUE(narrow
                  .Submit([&] {
                    {
                      const std::lock_guard lock(started_mutex);
                      running = true;
                      started.notify_one();
                    }
                    const std::lock_guard wait(gate);
                  })
                  .ok());
  {
    std::unique_lock lock(started_mutex);
    started.wait(lock, [&] { return running; });
  }
  ASSERT_TRUE(narrow.Submit([] {}).ok());
  auto exchange = std::make_shared<FakeExchange>("GET", "/bucket/k", Headers{}, "");
  service.OnRequest(exchange, nullptr, principal_, "REQ1");
  EXPECT_EQ(exchange->Wait().status, 503);
  gate.unlock();
}

}  // namespace
}  // namespace argosy::api::s3
