// Who brings layers, and when: the order for any transfer, the thread's own, and the order of streams and events on a device that only keeps notes.
#include "engine/model/mapped_file.h"
#include "engine/pipeline/offload.h"
#include "engine/pipeline/pinned.h"
#include "engine/pipeline/sampler.h"

#include <QTemporaryDir>
#include <QTest>

#include <ATen/ATen.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <set>
#include <thread>

using namespace quantspot;
using pipeline::Group;
using pipeline::Groups;
using pipeline::LayerStream;
using pipeline::Offload;
using pipeline::Transfer;

namespace {

// What happened, from any thread.
class Notes {
 public:
  void add(const QString& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  QStringList take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  QStringList lines_;
};
Notes notes;

// A device whose streams and events do nothing but say so. The second stream is 7.
thread_local c10::StreamId stream = 0;
struct NotedDevice final : c10::impl::DeviceGuardImplInterface {
  static c10::Stream of(c10::StreamId id) { return c10::Stream(c10::Stream::UNSAFE, c10::Device(c10::kPrivateUse1, 0), id); }
  static QString name(const void* event) { return QString::number(reinterpret_cast<std::intptr_t>(event)); }

  c10::DeviceType type() const override { return c10::kPrivateUse1; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return {type(), 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override { return of(stream); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return of(7); }
  c10::Stream exchangeStream(c10::Stream to) const override { return of(std::exchange(stream, to.id())); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void** event, const c10::Stream& on, c10::DeviceIndex, c10::EventFlag) const override {
    static std::atomic<std::intptr_t> count = 0;
    if (!*event) *event = reinterpret_cast<void*>(++count);
    notes.add("stream " + QString::number(on.id()) + " records " + name(*event));
  }
  void block(void* event, const c10::Stream& on) const override { notes.add("stream " + QString::number(on.id()) + " waits for " + name(event)); }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, NotedDevice)

struct NotedSlot final : pipeline::Slot {
  explicit NotedSlot(QString what, std::function<void()> doing = {}) : name(std::move(what)), work(std::move(doing)) {}
  void fetch() override {
    notes.add("fetch " + name + (stream ? " on " + QString::number(stream) : QString()));
    if (work) work();
  }
  void drop() override { notes.add("drop " + name); }
  void willNeed() override { notes.add("ahead " + name); }
  QString name;
  std::function<void()> work;
};

Groups slots(std::initializer_list<const char*> names) {
  Groups groups;
  for (const char* name : names) groups.push_back({name, {std::make_shared<NotedSlot>(name)}});
  return groups;
}

// Does nothing by itself: what is started comes when it is waited for.
class FakeTransfer final : public Transfer {
 public:
  explicit FakeTransfer(const Groups& groups) : groups_(groups) {}
  void start(std::size_t group) override { note("start", group), there_.insert(group), most = std::max(most, there_.size()); }
  void wait(std::size_t group) override {
    note("wait", group);
    there_.insert(group), most = std::max(most, there_.size());
    if (failing == static_cast<int>(group)) throw std::runtime_error(groups_[group].name + " could not be read");
    for (const auto& slot : groups_[group].slots) slot->fetch();
  }
  void release(std::size_t group) override {
    note("release", group);
    there_.erase(group);
    for (const auto& slot : groups_[group].slots) slot->drop();
  }
  void announce(std::size_t group) override { note("announce", group); }

  inline static std::size_t most = 0;
  inline static int failing = -1;

 private:
  static void note(const char* what, std::size_t group) { notes.add(QString("%1 %2").arg(what).arg(group)); }
  const Groups& groups_;
  std::set<std::size_t> there_;
};

class NotedLinear final : public quant::Linear {
 public:
  explicit NotedLinear(QString name) : name_(std::move(name)) {}
  at::Tensor forward(const at::Tensor& x) const override { return notes.add("compute " + name_), x + 1; }
  std::string_view precision() const override { return "bf16"; }
  std::int64_t bytes() const override { return 8; }
  std::int64_t inFeatures() const override { return 2; }
  std::int64_t outFeatures() const override { return 2; }

 private:
  QString name_;
};

// Layers of a model, all in one stream.
struct Model {
  Model(Offload mode, std::initializer_list<const char*> names, std::function<void()> check = {}) {
    FakeTransfer::most = 0, FakeTransfer::failing = -1;
    LayerStream made(mode, [](const Groups& groups) { return std::make_unique<FakeTransfer>(groups); }, std::move(check));
    for (const char* name : names)
      layers.push_back(made.linear(name, "bf16", {2, 2}, 8, {[name] { return std::make_unique<NotedLinear>(name); }}));
    notes.take();
  }
  void run() const {
    at::Tensor x = at::zeros({2});
    for (const auto& layer : layers) x = layer->forward(x);
  }
  std::vector<std::unique_ptr<quant::Linear>> layers;
};

QString said(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing";
}

// Whether the lines are there in this order, others between them.
bool inOrder(const QStringList& all, const QStringList& wanted) {
  auto at = all.begin();
  for (const QString& line : wanted) {
    at = std::find(at, all.end(), line);
    if (at == all.end()) return false;
    ++at;
  }
  return true;
}

}  // namespace

class TransferTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { notes.take(); }

  void theNextBlockComesBesideTheWork() {
    {
      const Model model(Offload::Group, {"b.0.x", "b.0.y", "b.1.x", "b.2.x"});
      model.run();
      const QStringList wanted = {"wait 0", "start 1", "compute b.0.x", "compute b.0.y", "release 0", "wait 1", "start 2", "compute b.1.x",
                                  "release 1", "wait 2", "start 0", "compute b.2.x"};
      QCOMPARE(notes.take(), wanted);
      QCOMPARE(FakeTransfer::most, std::size_t{2});
      model.run();
      QCOMPARE(notes.take().mid(0, 4), (QStringList{"release 2", "wait 0", "start 1", "compute b.0.x"}));
    }
    QCOMPARE(notes.take(), (QStringList{"release 0", "release 2"}));   // of what was coming, and what was there
  }

  void oneLayerAtATime() {
    const Model model(Offload::Sequential, {"b.0.x", "b.0.y"});
    model.run();
    QCOMPARE(notes.take(), (QStringList{"wait 0", "announce 1", "compute b.0.x", "release 0", "wait 1", "announce 0", "compute b.0.y", "release 1"}));
    QCOMPARE(FakeTransfer::most, std::size_t{1});
  }

  void aPartComesAsAWhole() {
    pipeline::LayerStream stream(Offload::Model, [](const Groups& groups) { return std::make_unique<FakeTransfer>(groups); });
    std::vector<std::unique_ptr<quant::Linear>> layers;
    for (const char* name : {"b.0", "b.1"}) layers.push_back(stream.linear(name, "bf16", {2, 2}, 8, {[name] { return std::make_unique<NotedLinear>(name); }}));
    for (int round = 0; round < 2; ++round)
      for (const auto& layer : layers) layer->forward(at::zeros({2}));
    QCOMPARE(notes.take(), (QStringList{"wait 0", "compute b.0", "compute b.1", "compute b.0", "compute b.1"}));
    stream.rest();
    QCOMPARE(notes.take(), QStringList{"release 0"});
    layers[1]->forward(at::zeros({2}));
    QCOMPARE(notes.take(), (QStringList{"wait 0", "compute b.1"}));
  }

  // A decoder's layers may be loaded in another order than they work in.
  void theOrderIsLearned() {
    const Model model(Offload::Group, {"b.0.x", "b.1.x", "b.2.x"});
    const auto run = [&] {
      for (const int layer : {1, 0, 2}) model.layers[static_cast<std::size_t>(layer)]->forward(at::zeros({2}));
      return notes.take();
    };
    QVERIFY(inOrder(run(), {"wait 1", "start 2", "compute b.1.x", "release 1", "release 2", "wait 0"}));   // in vain
    run();
    QCOMPARE(run(), (QStringList{"release 2", "wait 1", "start 0", "compute b.1.x", "release 1", "wait 0", "start 2", "compute b.0.x", "release 0", "wait 2",
                                 "start 1", "compute b.2.x"}));
  }

  void errorsOfATransferReachTheCaller() {
    const Model model(Offload::Group, {"b.0.x", "b.1.x", "b.2.x"});
    FakeTransfer::failing = 1;
    QCOMPARE(said([&] { model.run(); }), QString("b.1 could not be read"));
    QVERIFY(!notes.take().contains("compute b.1.x"));
    FakeTransfer::failing = -1;
    QCOMPARE(said([&] { model.run(); }), QString("nothing"));
  }

  void itIsCancelledBetweenLayers() {
    std::atomic<bool> cancel = false;
    {
      const Model model(Offload::Group, {"b.0.x", "b.0.y", "b.1.x"}, [&] { if (cancel) throw pipeline::Cancelled(); });
      model.layers[0]->forward(at::zeros({2}));
      cancel = true;
      QVERIFY_THROWS_EXCEPTION(pipeline::Cancelled, model.layers[1]->forward(at::zeros({2})));
      QVERIFY(!notes.take().contains("compute b.0.y"));
    }
    QCOMPARE(notes.take(), (QStringList{"release 1", "release 0"}));
  }

  void theThreadFetchesBesideTheCaller() {
    std::promise<void> go;
    Groups groups = slots({"a", "b"});
    groups[1].slots.push_back(std::make_shared<NotedSlot>("c", [wait = go.get_future().share()] { wait.wait(); }));
    const auto transfer = pipeline::makeTransfer(groups, c10::kCPU);
    transfer->wait(0);
    transfer->start(1);
    notes.add("compute");
    go.set_value();
    transfer->wait(1);
    transfer->release(0);
    const QStringList all = notes.take();
    QVERIFY2(inOrder(all, {"fetch a", "compute", "drop a"}) && inOrder(all, {"ahead b", "ahead c", "fetch b", "fetch c", "drop a"}), qPrintable(all.join(", ")));
  }

  void whatFailsInTheThreadIsToldOnceAndGoneAgain() {
    bool broken = true;
    Groups groups = slots({"a"});
    groups[0].slots.push_back(std::make_shared<NotedSlot>("b", [&] { if (broken) throw std::runtime_error("the disk is gone"); }));
    const auto transfer = pipeline::makeTransfer(groups, c10::kCPU);
    transfer->start(0);
    QCOMPARE(said([&] { transfer->wait(0); }), QString("the disk is gone"));
    QVERIFY(inOrder(notes.take(), {"fetch a", "fetch b", "drop a", "drop b"}));
    transfer->start(0);
    transfer->release(0);                  // nobody waited for it: nobody is told
    broken = false;
    QCOMPARE(said([&] { transfer->wait(0); }), QString("nothing"));
  }

  void itGoesInTheMiddle() {
    std::promise<void> begun, go;
    Groups groups = slots({"a", "b"});
    groups[0].slots.push_back(std::make_shared<NotedSlot>("first", [&, wait = go.get_future().share()] { begun.set_value(), wait.wait(); }));
    groups[0].slots.push_back(std::make_shared<NotedSlot>("second"));
    auto transfer = pipeline::makeTransfer(groups, c10::kCPU);
    transfer->start(0);
    transfer->announce(1);
    begun.get_future().wait();
    std::thread later([&] { QTest::qSleep(50), go.set_value(); });
    transfer.reset();                      // waits for what the thread is at, not for the rest
    later.join();
    const QStringList all = notes.take();
    QVERIFY2(all.contains("fetch first") && !all.contains("fetch second") && !all.contains("ahead b"), qPrintable(all.join(", ")));
  }

  // Copies on the second stream, before their use, and behind the last use of the memory that they may get.
  void aDevicesStreamsWaitForOneAnother() {
    const Groups groups = slots({"a", "b"});
    const auto transfer = pipeline::makeTransfer(groups, c10::Device(c10::kPrivateUse1, 0));
    transfer->wait(0);
    const QStringList first = notes.take();
    const QString there = first.at(1).section(' ', -1);
    QCOMPARE(first, (QStringList{"fetch a on 7", "stream 7 records " + there, "stream 0 waits for " + there}));
    transfer->start(1);
    notes.add("compute a");
    transfer->wait(1);
    const QStringList second = notes.take();
    const QString next = second.last().section(' ', -1);
    QVERIFY2(next != there && inOrder(second, {"ahead b", "fetch b on 7", "stream 7 records " + next, "stream 0 waits for " + next}), qPrintable(second.join(", ")));
    transfer->release(0);
    const QStringList third = notes.take();
    const QString used = third.at(0).section(' ', -1);
    QCOMPARE(third, (QStringList{"stream 0 records " + used, "stream 7 waits for " + used, "drop a"}));
    QCOMPARE(stream, c10::StreamId{0});    // the caller's own is what it was
  }

  // Of a file that is not in the system's cache, a part.
  void theSystemReadsAhead() {
    constexpr std::size_t page = 4096, pages = 512;
    const QTemporaryDir folder;
    const std::string path = folder.filePath("file").toStdString();
    std::ofstream(path) << std::string(page * pages, 'x');
    const int file = ::open(path.c_str(), O_RDONLY);
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
    const model::MappedFile mapped(path);
    const auto there = [&](std::size_t first, std::size_t count) {
      std::vector<unsigned char> cached(count);
      ::mincore(const_cast<std::byte*>(mapped.bytes().data()) + first * page, count * page, cached.data());
      return static_cast<std::size_t>(std::ranges::count_if(cached, [](unsigned char one) { return one & 1; }));
    };
    if (there(0, pages) > 0) QSKIP("this file system keeps files in memory");
    mapped.willNeed(mapped.bytes().subspan(100 * page + 7, 50 * page));   // in pages 100 to 150
    QTRY_COMPARE(there(100, 51), std::size_t{51});
    QVERIFY(there(400, 100) == 0);
    mapped.willNeed({});
  }

  void pinnedTensorsShareLargePieces() {
    std::vector<std::int64_t> pieces;
    pipeline::PinnedMemory memory([&](std::int64_t bytes) { return pieces.push_back(bytes), at::empty({bytes}, at::kByte); });
    const at::Tensor a = at::rand({1000, 3}), b = at::rand({7}).to(at::kBFloat16), c = at::rand({4, 6}).t(), d = at::full({}, 3, at::kHalf);
    const at::Tensor placed[] = {memory.place(a), memory.place(b), memory.place(c), memory.place(d)};
    QVERIFY(at::equal(placed[0], a) && at::equal(placed[1], b) && at::equal(placed[2], c) && at::equal(placed[3], d));
    QCOMPARE(pieces.size(), std::size_t{1});
    for (const at::Tensor& one : placed) QVERIFY(one.is_contiguous() && one.storage_offset() * one.element_size() % 256 == 0);
    QVERIFY(placed[0].storage().is_alias_of(placed[3].storage()));
    memory.place(at::empty({pieces[0] - 100}, at::kByte));
    memory.place(at::empty({200 << 20}, at::kByte));
    QCOMPARE(pieces, (std::vector<std::int64_t>{16 << 20, 32 << 20, 200 << 20}));   // a piece of its own for what is large
    QCOMPARE(memory.place(at::empty({0, 4})).sizes(), at::IntArrayRef({0, 4}));
  }
};

QTEST_GUILESS_MAIN(TransferTest)
#include "pipeline_transfer_test.moc"
