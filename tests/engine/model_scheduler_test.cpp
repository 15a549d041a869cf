// Every scheduler against what diffusers' class of its name does (tests/parity/golden/schedulers, see the README there), and what is refused.
#include "engine/model/folder.h"
#include "engine/model/safetensors.h"
#include "engine/model/schedulers/scheduler.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>

using namespace quantspot::model;
using nlohmann::json;

namespace {

// tests/parity/compare_schedulers.py gives another folder: configurations drawn at random, some of which are refused here.
const QByteArray kRandom = qgetenv("QUANTSPOT_SCHEDULER_CASES");
const std::string kGolden = kRandom.isEmpty() ? QUANTSPOT_SOURCE_DIR "/tests/parity/golden/schedulers/" : kRandom.toStdString();

struct Golden {
  Golden() {
    for (const std::string& folder : kRandom.isEmpty() ? std::vector{kGolden, kGolden + "heun/"} : std::vector{kGolden}) {
      files.push_back(std::make_unique<SafeTensors>(folder + "expected.safetensors"));
      for (const json& one : json::parse(std::ifstream(folder + "cases.json"))) cases.push_back(one);
    }
  }
  std::vector<std::unique_ptr<SafeTensors>> files;
  json cases;
  at::Tensor operator[](const std::string& name) const {
    for (const auto& file : files)
      if (const auto found = file->entries().find(name); found != file->entries().end()) return file->copy(found->second);
    throw std::out_of_range(name);
  }
  const json& named(const QString& name) const {
    for (const json& one : cases)
      if (one["name"] == name.toStdString()) return one;
    throw std::out_of_range(name.toStdString());
  }
};

const Golden& golden() {
  static const Golden only;
  return only;
}

// Greatest difference in units of the last place of the greatest value; infinite where only one is finite.
// On one and the same machine diffusers' samples are these to the bit (compare_schedulers.py). From one kind of CPU to the next its own move
// (by 2.7e-5 after thirty steps of UniPC of the third order), since exponentials, roots and products of libraries do.
constexpr double kBound = 1e-4;

double largest(const at::Tensor& values) {
  const at::Tensor v = values.to(at::kDouble);
  return at::where(v.isfinite(), v.abs(), at::zeros({}, at::kDouble)).max().item<double>();
}

// The largest difference, to the largest value expected or `reach`, if that is more.
double apart(const at::Tensor& got, const at::Tensor& expected, double reach = 1) {
  if (got.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  const at::Tensor a = got.to(at::kDouble), b = expected.to(at::kDouble);
  if (!a.isfinite().equal(b.isfinite())) return std::numeric_limits<double>::infinity();
  const at::Tensor difference = at::where(b.isfinite(), (a - b).abs(), at::zeros({}, at::kDouble));
  return difference.max().item<double>() / std::max(reach, largest(b));
}

at::Tensor madeUpOutput(const at::Tensor& row, const at::Tensor& seen, bool learned) {
  const at::Tensor output = row.to(seen.scalar_type()) + 0.25 * seen;
  return learned ? at::cat({output, row.to(seen.scalar_type()).abs() * 0.5}, 1) : output;
}

}  // namespace

class ModelSchedulerTest : public QObject {
  Q_OBJECT

  QTemporaryDir dir_;
  std::unique_ptr<Scheduler> load(const std::string& config, const std::string& id = "") const {
    const std::filesystem::path folder = dir_.path().toStdString();
    std::filesystem::create_directories(folder / "scheduler");
    std::ofstream(folder / "scheduler" / "scheduler_config.json") << config;
    return loadScheduler(folder, id);
  }
  QString complaint(const std::string& config, const std::string& id = "", int steps = 0, int tokens = 0) const {
    try {
      const auto scheduler = load(config, id);
      if (steps != 0) scheduler->setTimesteps(steps, tokens);
      return "";
    } catch (const ModelError& error) {
      return error.what();
    }
  }

 private Q_SLOTS:
  void doesWhatDiffusersDoes_data();
  void doesWhatDiffusersDoes();

  void refusesStepsThatDiffusersRefuses() {
    int refused = 0;
    for (const json& one : golden().cases)
      for (const int steps : one["refused"]) {
        QVERIFY2(complaint(one["config"], one["id"], steps, one["tokens"]).contains("steps"), one["name"].get<std::string>().c_str());
        ++refused;
      }
    QVERIFY(refused > 5);
    QVERIFY(complaint(R"({"_class_name": "EulerDiscreteScheduler"})", "", 0).isEmpty());
    QVERIFY(complaint(R"({"_class_name": "EulerDiscreteScheduler"})", "", -1).contains("at least 1"));
  }

  void everyIdIsTested() {
    std::set<std::string_view> tested;
    for (const SchedulerInfo& info : schedulerInfos())
      for (const json& one : golden().cases)
        if (one["id"] == info.id) tested.insert(info.id);
    QCOMPARE(tested.size(), schedulerInfos().size());
    QCOMPARE(schedulerInfos().size(), std::size_t{13});
  }

  // A second run with the same object must not see the first.
  void setTimestepsForgetsTheState() {
    for (const SchedulerInfo& info : schedulerInfos()) {
      const auto scheduler = load(R"({"_class_name": "DDIMScheduler", "skip_prk_steps": true})", std::string(info.id));
      std::vector<at::Tensor> ends;
      for (const int calls : {2, 100, 100}) {
        scheduler->setTimesteps(5);
        at::Tensor sample = golden()["start"];
        std::size_t draws = 0;
        for (std::size_t i = 0; i < std::min(scheduler->timesteps().size(), static_cast<std::size_t>(calls)); ++i)
          sample = scheduler->step(golden()["outputs"][static_cast<std::int64_t>(i)], i, sample,
                                   [&](at::IntArrayRef) { return golden()["noises"][static_cast<std::int64_t>(draws++)]; });
        ends.push_back(sample);
      }
      QVERIFY2(ends[1].equal(ends[2]) && !ends[0].equal(ends[1]), std::string(info.id).c_str());
    }
  }

  void saysWhatItDraws() {
    for (const SchedulerInfo& info : schedulerInfos()) {
      const auto scheduler = load(R"({"_class_name": "DDIMScheduler", "skip_prk_steps": true})", std::string(info.id));
      scheduler->setTimesteps(3);
      int draws = 0;
      const auto noise = [&](at::IntArrayRef shape) { return ++draws, at::zeros(shape); };
      scheduler->step(golden()["outputs"][0], 0, golden()["start"], noise);
      QVERIFY2((draws > 0) == info.drawsNoise, std::string(info.id).c_str());
      if (info.drawsNoise) QVERIFY_THROWS_EXCEPTION(ModelError, scheduler->step(golden()["outputs"][0], 1, golden()["start"], {}));
    }
  }

  void unsupportedSettings_data();
  void unsupportedSettings() {
    QFETCH(QString, name);
    QFETCH(QString, settings);
    QFETCH(QString, key);
    const QString said = complaint(QString(R"({"_class_name": "%1Scheduler", %2})").arg(name, settings).toStdString());
    QVERIFY2(said.contains("scheduler_config.json: " + key), qPrintable(said));
    QVERIFY(!said.contains('\n'));
  }

  void unknownSchedulersAreNamed() {
    const QString said = complaint(R"({"_class_name": "KDPM2DiscreteScheduler"})");
    QVERIFY2(said.contains("KDPM2DiscreteScheduler") && said.contains("EulerDiscreteScheduler"), qPrintable(said));
    QVERIFY(complaint(R"({"_class_name": "KDPM2DiscreteScheduler"})", "euler").isEmpty());
    const QString unknown = complaint(R"({"_class_name": "DDIMScheduler"})", "euler-b");
    QVERIFY2(unknown.contains("scheduler 'euler-b' is not known; use flow-match-euler, flow-match-heun, ddim"), qPrintable(unknown));
    QVERIFY(complaint("{").contains("is not valid JSON"));
    QVERIFY_THROWS_EXCEPTION(ModelError, loadScheduler(dir_.path().toStdString() + "/nothing"));
  }

  void dynamicShiftNeedsTokens() {
    const QString said = complaint(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true})", "", 4);
    QVERIFY2(said.contains("use_dynamic_shifting=true needs"), qPrintable(said));
  }

  void timestepsBeyondTheScheduleAreAnError() {
    const auto scheduler = load(R"({"_class_name": "DDIMScheduler", "num_train_timesteps": 10, "steps_offset": 3})");
    scheduler->setTimesteps(10);
    QVERIFY_THROWS_EXCEPTION(ModelError, scheduler->step(golden()["outputs"][0], 0, golden()["start"], {}));
  }

  void aStepOfFlowMatchingGoesAlongTheVelocity() {
    const auto s = load(R"({"_class_name": "FlowMatchEulerDiscreteScheduler"})");
    s->setTimesteps(2, 16);  // 1, 0.5, 0
    const at::Tensor sample = at::ones({1, 2, 4}), velocity = at::full({1, 2, 4}, 0.25);
    QVERIFY(s->step(velocity, 0, sample, {}).equal(at::full({1, 2, 4}, 0.875)));
    QCOMPARE(s->step(velocity.to(at::kBFloat16), 1, sample.to(at::kBFloat16), {}).scalar_type(), at::kBFloat16);
  }
};

void ModelSchedulerTest::doesWhatDiffusersDoes_data() {
  QTest::addColumn<QString>("name");
  for (const json& one : golden().cases) QTest::newRow(one["name"].get<std::string>().c_str()) << QString::fromStdString(one["name"]);
}

void ModelSchedulerTest::doesWhatDiffusersDoes() {
  QFETCH(QString, name);
  const json& one = golden().named(name);
  const auto part = [&](const char* what) { return golden()[name.toStdString() + "." + what]; };
  const at::Tensor timesteps = part("timesteps"), samples = part("samples"), noised = part("noised"), starts = part("start");
  const at::Tensor sigmas = one["runs"][0].contains("sigmas") ? part("sigmas") : at::Tensor();
  const QString refused = kRandom.isEmpty() ? QString() : complaint(one["config"], one["id"], one["runs"][0]["steps"], one["tokens"]);
  if (!refused.isEmpty()) return qInfo("refused: %s", qPrintable(refused));
  const auto scheduler = load(one["config"], one["id"]);
  std::int64_t firstCall = 0, firstSigma = 0, index = 0;
  double worst = 0, worst16 = 0;
  for (const json& run : one["runs"]) {
    scheduler->setTimesteps(run["steps"], one["tokens"].get<std::int64_t>());
    const auto type = run["bf16"].get<bool>() ? at::kBFloat16 : at::kFloat;
    const auto calls = run["calls"].get<std::int64_t>();
    QCOMPARE(static_cast<std::int64_t>(scheduler->timesteps().size()), calls);
    const double times = apart(at::tensor(scheduler->timesteps(), at::kDouble), timesteps.slice(0, firstCall, firstCall + calls));
    QVERIFY2(times < 1e-7, qPrintable(QStringLiteral("%1 steps, timesteps: %2").arg(run["steps"].get<int>()).arg(times)));
    QCOMPARE(scheduler->sigmas().defined(), sigmas.defined());
    if (sigmas.defined()) {
      const auto count = run["sigmas"].get<std::int64_t>();
      const double levels = apart(scheduler->sigmas(), sigmas.slice(0, firstSigma, firstSigma + count));
      QVERIFY2(levels < 1e-7, qPrintable(QStringLiteral("%1 steps, sigmas: %2").arg(run["steps"].get<int>()).arg(levels)));
      firstSigma += count;
    }
    QCOMPARE(static_cast<float>(scheduler->initNoiseSigma()), starts[index].item<float>());
    double& error = type == at::kFloat ? worst : worst16;
    error = std::max(error, apart(scheduler->addNoise(golden()["start"].to(type), golden()["noises"][99].to(type),
        static_cast<std::size_t>(calls / 2)), noised[index]));
    at::Tensor sample = golden()["start"].to(type) * scheduler->initNoiseSigma();
    std::int64_t draws = 0;
    double reach = 1;                    // of samples so far: what was rounded at 4096 stays in the small ones that come of it
    for (std::int64_t i = 0; i < calls; ++i) {
      reach = std::max(reach, largest(sample));
      const auto call = static_cast<std::size_t>(i);
      const at::Tensor output = madeUpOutput(golden()["outputs"][i], scheduler->scaleModelInput(sample, call), one["learned"]);
      sample = scheduler->step(output, call, sample, [&](at::IntArrayRef) { return golden()["noises"][draws++]; });
      const double here = apart(sample, samples[firstCall + i], reach);
      if (here > (type == at::kFloat ? kBound : 8e-3))
        QFAIL(qPrintable(QStringLiteral("%1 steps, call %2: %3").arg(run["steps"].get<int>()).arg(i).arg(here)));
      error = std::max(error, here);
    }
    firstCall += calls;
    ++index;
  }
  qInfo("fp32 %g, bf16 %g", worst, worst16);
}

void ModelSchedulerTest::unsupportedSettings_data() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<QString>("settings");
  QTest::addColumn<QString>("key");
  const auto row = [](const char* name, const char* settings, const char* key) {
    QTest::newRow(qPrintable(QString(name) + " " + settings)) << name << settings << key;
  };
  row("FlowMatchEulerDiscrete", R"("time_shift_type": "cosine")", "time_shift_type=");
  row("FlowMatchEulerDiscrete", R"("use_karras_sigmas": true, "use_exponential_sigmas": true)", "use_exponential_sigmas=");
  row("FlowMatchEulerDiscrete", R"("shift": "three")", "shift=");
  row("FlowMatchEulerDiscrete", R"("num_train_timesteps": 0)", "num_train_timesteps=");
  row("FlowMatchEulerDiscrete", R"("base_image_seq_len": 64, "max_image_seq_len": 64)", "max_image_seq_len=");
  row("DDIM", R"("beta_schedule": "sigmoid")", "beta_schedule=");
  row("DDIM", R"("prediction_type": "flow_prediction")", "prediction_type=");
  row("DDIM", R"("timestep_spacing": "odd")", "timestep_spacing=");
  row("DDIM", R"("steps_offset": 4000)", "steps_offset=");
  row("DDIM", R"("trained_betas": [0.1, 0.2, 0.3])", "trained_betas=");
  row("DDIM", R"("num_train_timesteps": 1)", "num_train_timesteps=");
  row("DDIM", R"("thresholding": true, "dynamic_thresholding_ratio": 2)", "dynamic_thresholding_ratio=");
  row("DDPM", R"("variance_type": "odd")", "variance_type=");
  row("PNDM", R"("prediction_type": "sample")", "prediction_type=");
  row("EulerDiscrete", R"("interpolation_type": "cubic")", "interpolation_type=");
  row("EulerDiscrete", R"("timestep_type": "odd")", "timestep_type=");
  row("EulerDiscrete", R"("final_sigmas_type": "odd")", "final_sigmas_type=");
  row("EulerAncestralDiscrete", R"("prediction_type": "sample")", "prediction_type=");
  row("HeunDiscrete", R"("beta_schedule": "sigmoid")", "beta_schedule=");
  row("HeunDiscrete", R"("prediction_type": "flow_prediction")", "prediction_type=");
  row("DDIM", R"("beta_schedule": "exp")", "beta_schedule=");
  row("DPMSolverMultistep", R"("algorithm_type": "odd")", "algorithm_type=");
  row("DPMSolverMultistep", R"("solver_type": "odd")", "solver_type=");
  row("DPMSolverMultistep", R"("solver_order": 4)", "solver_order=");
  row("DPMSolverMultistep", R"("algorithm_type": "dpmsolver")", "final_sigmas_type");
  row("DPMSolverMultistep", R"("lambda_min_clipped": 99)", "lambda_min_clipped=");
  row("DPMSolverMultistep", R"("time_shift_type": "linear", "use_dynamic_shifting": true)", "time_shift_type=");
  row("UniPCMultistep", R"("solver_p": {})", "solver_p=");
  row("UniPCMultistep", R"("solver_type": "odd")", "solver_type=");
  row("UniPCMultistep", R"("shift_terminal": 0.1)", "shift_terminal=");
  row("LCM", R"("original_inference_steps": 2000)", "original_inference_steps=");
}

QTEST_GUILESS_MAIN(ModelSchedulerTest)
#include "model_scheduler_test.moc"
