// Packed weights on disk: what is read is what was packed, and nothing that goes wrong there reaches the user's picture.
#include "engine/model/components.h"
#include "engine/model/parameters.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/packing.h"

#include <QTemporaryDir>
#include <QTest>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <fstream>

using namespace quantspot;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kOut = 48, kIn = 256;

struct Loaded {
  at::Tensor y, convolved;
  std::string state;
  std::vector<pipeline::PackingNotes::Fallback> fallbacks;
};

}  // namespace

class CacheTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    model::saveSafeTensors(model() / "model.safetensors",
                           {{"a.weight", at::randn({kOut, kIn}, at::kBFloat16)}, {"a.bias", at::randn({kOut}, at::kBFloat16)},
                            {"c.weight", at::randn({16, 32, 3, 3}, at::kBFloat16)}, {"c.bias", at::randn({16}, at::kBFloat16)}});
  }

  void theSecondStartReadsWhatTheFirstMade_data() {
    QTest::addColumn<QString>("id");
    for (const auto& known : quant::quantizers()) QTest::newRow(known->name().data()) << QString::fromUtf8(known->name().data());
    QTest::newRow("options") << "torchao-int4wo?group=64";
    QTest::newRow("convolutions") << "bnb-nf4?conv:=gguf-q8_0";
  }
  void theSecondStartReadsWhatTheFirstMade() {
    QFETCH(QString, id);
    const bool plain = id == "fp32" || id == "bf16" || id == "fp16";
    const Loaded first = load(id.toStdString()), second = load(id.toStdString());
    QCOMPARE(first.state, std::string(plain ? "unused" : "written"));
    QCOMPARE(second.state, std::string(plain ? "unused" : "read"));
    QVERIFY(at::equal(first.y, second.y));
    QVERIFY(at::equal(first.convolved, second.convolved));
    QCOMPARE(!fs::exists(cache()) || fs::is_empty(cache()), plain);
  }

  void anotherPolicyOrModelIsAnotherFile() {
    load("bnb-nf4");
    QCOMPARE(load("bnb-nf4?a=bnb-int8").state, std::string("written"));
    QCOMPARE(load("bnb-nf4", "another").state, std::string("written"));
    QCOMPARE(load("bnb-nf4").state, std::string("read"));
  }

  void aFallbackIsToldAgain() {
    const std::string policy = "gguf-q4_k?conv:=gguf-q4_k";   // rows of 288 are no multiple of 256
    const Loaded first = load(policy), second = load(policy);
    QCOMPARE(second.state, std::string("read"));
    QCOMPARE(first.fallbacks.size(), std::size_t{1});
    QCOMPARE(second.fallbacks.size(), std::size_t{1});
    QCOMPARE(second.fallbacks[0].layer, first.fallbacks[0].layer);
    QCOMPARE(second.fallbacks[0].used, std::string("gguf-q5_0"));
    QCOMPARE(second.fallbacks[0].why, first.fallbacks[0].why);
  }

  void aDamagedFileIsMadeAgain_data() {
    QTest::addColumn<int>("keep");   // bytes; negative: from the end
    QTest::newRow("empty") << 0;
    QTest::newRow("half") << 4000;
    QTest::newRow("without its mark") << -1;
  }
  void aDamagedFileIsMadeAgain() {
    QFETCH(int, keep);
    const Loaded first = load("bnb-nf4");
    const fs::path file = fs::directory_iterator(cache())->path();
    fs::resize_file(file, keep >= 0 ? static_cast<std::uintmax_t>(keep) : fs::file_size(file) + keep);
    const Loaded again = load("bnb-nf4");
    QCOMPARE(again.state, std::string("written"));
    QVERIFY(at::equal(first.y, again.y));
    QCOMPARE(load("bnb-nf4").state, std::string("read"));
  }

  // One flipped bit of a disk makes another number of a size: kernels would read beyond the end.
  void aChangedIndexIsMadeAgain() {
    const Loaded first = load("bnb-nf4");
    const fs::path file = fs::directory_iterator(cache())->path();
    std::fstream disk(file, std::ios::binary | std::ios::in | std::ios::out);
    const std::string bytes{std::istreambuf_iterator<char>(disk), {}};
    const std::size_t where = bytes.rfind("\"shape\":[");
    QVERIFY(where != bytes.npos);
    disk.seekp(static_cast<std::streamoff>(where + 9)).put(static_cast<char>(bytes[where + 9] ^ 1));
    disk.close();
    const Loaded again = load("bnb-nf4");
    QCOMPARE(again.state, std::string("written"));
    QVERIFY(at::equal(first.y, again.y));
  }

  void theOldestGoWhenTheLimitAsksForIt() {
    load("bnb-nf4");
    const auto one = static_cast<std::int64_t>(fs::file_size(fs::directory_iterator(cache())->path()));
    limit_ = 2 * one + one / 2;
    QTest::qSleep(20);
    load("bnb-fp4");
    QTest::qSleep(20);
    load("bnb-nf4");                     // used again: bnb-fp4 is the oldest now
    QTest::qSleep(20);
    load("bnb-nf4?blocksize=128");
    QCOMPARE(load("bnb-nf4").state, std::string("read"));
    QCOMPARE(load("bnb-fp4").state, std::string("written"));
    limit_ = 100;
    QCOMPARE(load("bnb-nf4-dq").state, std::string("unused"));
  }

  void whatWasNotKeptLeavesNothing() {
    {
      pipeline::PackedSet set({cache(), 1 << 20}, "key");
      set.add("a", {quant::quantizer("bnb-nf4").pack(at::randn({kOut, kIn})), "bnb-nf4", ""});
      QVERIFY(!fs::is_empty(cache()));
    }
    QVERIFY(fs::is_empty(cache()));
  }

  // A scratch file is found under no name, and gone with the set.
  void aScratchFileHasNoName() {
    const QTemporaryDir place;
    const fs::path folder = place.path().toStdString();
    const at::Tensor weight = at::randn({kOut, kIn});
    pipeline::PackedSet set({folder, std::int64_t{1} << 30, true}, "key");
    const auto packed = quant::quantizer("bnb-nf4").pack(weight);
    set.add("a", {packed, "bnb-nf4", ""});
    QVERIFY(fs::is_empty(folder));
    set.keep();
    QVERIFY(fs::is_empty(folder));
    const auto found = set.find("a", {kOut, kIn});
    QVERIFY(found && found->weight.parts.size() == packed.parts.size());
    for (std::size_t i = 0; i < packed.parts.size(); ++i) QVERIFY(at::equal(found->weight.parts[i].second, packed.parts[i].second));
    pipeline::PackedSet none({folder / "missing", std::int64_t{1} << 30, true}, "key");
    none.add("a", {packed, "bnb-nf4", ""});                  // as good as none
    none.keep();
    QVERIFY(!none.find("a", {kOut, kIn}));
  }

  void whatIsThereIsReadAhead() {
    pipeline::PackedSet set({cache(), 1 << 20}, "key");
    set.add("a", {quant::quantizer("bnb-nf4").pack(at::randn({kOut, kIn})), "bnb-nf4", ""});
    QVERIFY(!set.willNeed("a"));         // it is being written
    set.keep();
    QVERIFY(set.willNeed("a") && !set.willNeed("b"));
  }

  void aFolderThatCannotBeWrittenDoesNotMatter() {
    std::ofstream(folder_->filePath("cache").toStdString()) << "a file";
    QCOMPARE(load("bnb-nf4").state, std::string("unused"));
  }

 private:
  fs::path model() const { return folder_->path().toStdString(); }
  fs::path cache() const { return folder_->filePath("cache").toStdString(); }

  Loaded load(const std::string& text, const std::string& weights = "weights") const {
    const c10::InferenceMode inference;
    const quant::Policy policy = quant::parsePolicy(text);
    const auto set = std::make_shared<pipeline::PackedSet>(pipeline::PackedCacheOptions{cache(), limit_}, pipeline::packedKey(weights, "part", text));
    pipeline::PackingNotes notes;
    model::LoadOptions options;
    options.compute = quant::quantizer(policy.precision).computeType();
    pipeline::packLayers(options, policy, notes, set);
    model::Parameters parameters(model(), options, 1);
    const model::Linear linear = parameters.linear("a", kIn, kOut);
    const model::Conv conv = parameters.conv("c", 32, 16, 3);
    set->keep();
    const auto ones = [&](at::IntArrayRef shape) { return at::ones(shape, options.compute); };
    return {linear(ones({3, kIn})), conv(ones({1, 32, 5, 5})), std::string(set->state()), notes.fallbacks};
  }

  std::unique_ptr<QTemporaryDir> folder_;
  std::int64_t limit_ = std::int64_t{1} << 30;
};

QTEST_GUILESS_MAIN(CacheTest)
#include "pipeline_cache_test.moc"
