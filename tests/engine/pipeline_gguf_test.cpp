// The embedded model as a GGUF file: what conversion writes, and that the file computes what packing in memory does.
#include "engine/model/assembled.h"
#include "engine/model/flux/flux.h"
#include "engine/model/folder.h"
#include "engine/model/gguf_convert.h"
#include "engine/model/gguf_weights.h"
#include "engine/model/single/flux_views.h"
#include "engine/model/weights.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/packing.h"
#include "quant/gguf.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <set>

using namespace quantspot;
namespace fs = std::filesystem;

namespace {

const fs::path source = QUANTSPOT_SOURCE_DIR "/resources/default_model";

std::unique_ptr<model::Denoiser> load(const fs::path& folder, const quant::Policy& policy) {
  model::LoadOptions options;
  pipeline::PackingNotes notes;
  options.compute = quant::quantizer(policy.precision).computeType();
  pipeline::packLayers(options, policy, notes);
  options.keeps = pipeline::keepingRule(policy);
  return model::loadFluxTransformer(folder, options);
}

at::Tensor velocity(const model::Denoiser& transformer) {
  c10::InferenceMode guard;
  at::Generator generator = at::detail::createCPUGenerator(5);
  const auto draw = [&](at::IntArrayRef shape) { return at::randn(shape, generator, at::kFloat).to(at::kBFloat16); };
  const at::Tensor latents = draw({1, 16, 8, 8});
  return transformer.predict(latents, 700, {{"sequence", draw({1, 8, 192})}, {"pooled", draw({1, 128})}});
}

std::map<std::string, std::set<std::string>> precisions(const model::Denoiser& transformer) {
  std::map<std::string, std::set<std::string>> all;
  for (const model::LayerInfo& layer : transformer.layers())
    if (layer.shape.size() == 2) all[layer.precision].insert(layer.name);
  return all;
}

}  // namespace

class PipelineGgufTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;

  // A pipeline's folder whose transformer is that GGUF file.
  fs::path converted(const std::string& policy) const {
    static int count = 0;
    const fs::path folder = fs::path(folder_.path().toStdString()) / std::to_string(count++);
    fs::create_directories(folder / "transformer");
    fs::copy(source / "transformer/config.json", folder / "transformer/config.json");
    model::convertToGguf(source, quant::parsePolicy(policy), folder / "transformer/x.gguf");
    return folder;
  }

 private Q_SLOTS:
  void fileComputesWhatPackingInMemoryDoes_data() {
    QTest::addColumn<QString>("id");
    for (const char* id : {"gguf-q8_0", "gguf-q5_1", "gguf-q4_k", "gguf-q2_k"}) QTest::newRow(id) << id;
  }
  void fileComputesWhatPackingInMemoryDoes() {
    QFETCH(QString, id);
    const quant::Policy policy = quant::parsePolicy(id.toStdString());
    const auto fromFolder = load(source, policy), fromFile = load(converted(id.toStdString()), policy);
    QVERIFY(at::equal(velocity(*fromFile), velocity(*fromFolder)));
    QCOMPARE(fromFile->bytes(), fromFolder->bytes());
    QVERIFY(precisions(*fromFile) == precisions(*fromFolder));
    QCOMPARE(precisions(*fromFile)["bf16"].size(), std::size_t{8});   // those around the blocks
  }

  void fileHoldsThePackedWeights() {
    const fs::path folder = converted("gguf-q6_k");
    const model::GgufWeights file(folder / "transformer/x.gguf");
    const model::Weights original(source / "transformer");
    const quant::Quantizer& q = quant::quantizer("gguf-q6_k");
    for (const std::string& name : file.names()) {
      const at::Tensor weight = original.read(name, original.shape(name));
      if (const auto packed = file.packed(name))
        QVERIFY2(at::equal(packed->part(""), q.pack(weight).part("")), name.c_str());
      else if (weight.dim() == 1)
        QVERIFY2(at::equal(file.read(name), weight.to(at::kFloat)), name.c_str());
      else
        QVERIFY2(at::equal(file.read(name), weight.to(at::kBFloat16)), name.c_str());
    }
  }

  void otherPrecisionsAreMadeFromTheValues() {
    const fs::path folder = converted("gguf-q8_0");
    const auto plain = load(folder, quant::parsePolicy("bf16"));
    QCOMPARE(precisions(*plain).size(), std::size_t{1});
    QVERIFY(precisions(*plain).contains("bf16"));
    const at::Tensor a = velocity(*plain), b = velocity(*load(source, quant::parsePolicy("bf16")));
    QVERIFY((a - b).to(at::kFloat).norm().item<double>() < 0.05 * b.to(at::kFloat).norm().item<double>());
    QVERIFY(precisions(*load(folder, quant::parsePolicy("bnb-nf4"))).contains("bnb-nf4"));
  }

  // Files such as Q4_K_M: most of it one type, some layers another.
  void mixedFilesStayAsTheyAre() {
    const fs::path folder = converted("gguf-q4_k?^transformer_blocks.0.attn=gguf-q6_k&^single_transformer_blocks.0=gguf-q8_0");
    const auto asked = precisions(*load(folder, quant::parsePolicy("gguf-q4_k")));
    QVERIFY(asked.at("gguf-q6_k").contains("transformer_blocks.0.attn.to_v"));
    QVERIFY(asked.at("gguf-q8_0").contains("single_transformer_blocks.0.proj_mlp"));
    QVERIFY(asked.at("gguf-q4_k").contains("transformer_blocks.0.ff.net.2"));
    const auto anew = precisions(*load(folder, quant::parsePolicy("gguf-q5_0")));
    QVERIFY(!anew.contains("gguf-q6_k") && anew.contains("gguf-q5_0"));
  }

  void narrowLayersGetWhatLlamaCppGives() {
    const auto layers = precisions(*load(source, quant::parsePolicy("bf16?x_embedder=gguf-q4_k")));   // 64 inputs
    QVERIFY(layers.at("gguf-q5_0").contains("x_embedder"));
  }

  // One file beside the other parts of a pipeline.
  void fileAloneBorrowsTheOtherParts() {
    const fs::path file = converted("gguf-q5_0") / "transformer/x.gguf", named = file.parent_path() / "my model.gguf";
    fs::rename(file, named);
    fs::path folder;
    {
      const model::AssembledPipeline assembled(named, source);
      folder = assembled.folder();
      QCOMPARE(folder.filename(), fs::path("my model"));
      QCOMPARE(model::inspectFolder(folder).missing.size(), std::size_t{0});
      const quant::Policy policy = quant::parsePolicy("gguf-q5_0");
      QVERIFY(at::equal(velocity(*load(folder, policy)), velocity(*load(source, policy))));
      QVERIFY(model::weightsHash(folder) != model::weightsHash(source));
      const model::AssembledPipeline again(named, source);
      QVERIFY(again.folder() != folder);
      QCOMPARE(pipeline::filesStamp(again.folder()), pipeline::filesStamp(folder));   // 12 GB are not read again
    }
    QVERIFY(!fs::exists(folder));
    QVERIFY(fs::exists(named) && fs::exists(source / "vae/config.json"));
    QVERIFY_THROWS_EXCEPTION(model::ModelError, model::AssembledPipeline(named, named.parent_path()));
  }

  void configIsReadOffTheTensors() {
    const fs::path folder = fs::path(folder_.path().toStdString()) / "wide.gguf";
    const auto tensor = [](const char* name, std::vector<std::int64_t> shape) {
      return model::GgufItem{name, quant::GgmlType::F32, shape, [shape] { return at::zeros(shape); }};
    };
    std::vector<model::GgufItem> items = {tensor("img_in.weight", {256, 64}), tensor("txt_in.weight", {256, 40}), tensor("vector_in.in_layer.weight", {256, 24}),
                                          tensor("guidance_in.in_layer.weight", {256, 256})};
    for (const char* block : {"double_blocks.0.", "double_blocks.1."}) {
      items.push_back(tensor((std::string(block) + "img_attn.qkv.weight").c_str(), {768, 256}));
      items.push_back(tensor((std::string(block) + "img_attn.norm.query_norm.scale").c_str(), {128}));
    }
    items.push_back(tensor("single_blocks.0.linear1.weight", {7 * 256, 256}));
    model::saveGguf(folder, {}, items);
    const nlohmann::json config = model::fluxConfig(model::GgufWeights(folder).shapes(), folder);
    const nlohmann::json wanted = {{"_class_name", "FluxTransformer2DModel"}, {"attention_head_dim", 128}, {"num_attention_heads", 2}, {"in_channels", 64},
                                   {"joint_attention_dim", 40}, {"pooled_projection_dim", 24}, {"num_layers", 2}, {"num_single_layers", 1},
                                   {"guidance_embeds", true}, {"axes_dims_rope", {16, 56, 56}}, {"patch_size", 1}};
    QCOMPARE(config.dump(), wanted.dump());
    const fs::path narrow = converted("gguf-q8_0") / "transformer/x.gguf";
    QVERIFY_THROWS_EXCEPTION(model::ModelError, model::fluxConfig(model::GgufWeights(narrow).shapes(), narrow));   // heads of 32
  }

  void whatCannotBeWrittenIsTold_data() {
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("says");
    QTest::newRow("other precision") << "bnb-nf4" << "bnb-nf4 cannot be written to a GGUF file";
    QTest::newRow("other layer") << "gguf-q4_k?attn=bnb-int8" << "bnb-int8 cannot be written";
    QTest::newRow("split") << "gguf-q4_k?to_q=bf16" << "transformer_blocks.0.attn.to_q and gguf-q4_k for transformer_blocks.0.attn.to_k, which a GGUF file";
  }
  void whatCannotBeWrittenIsTold() {
    QFETCH(QString, policy);
    QFETCH(QString, says);
    try {
      converted(policy.toStdString());
      QFAIL("it was written");
    } catch (const model::ModelError& error) {
      QVERIFY2(QString(error.what()).contains(says), error.what());
    }
  }

  void cancellingLeavesNoFile() {
    const fs::path out = folder_.filePath("cancelled.gguf").toStdString();
    const auto stop = [](std::size_t done, std::size_t total) {
      if (done == 3) throw std::runtime_error("stop at 3 of " + std::to_string(total));
    };
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, model::convertToGguf(source, quant::parsePolicy("gguf-q8_0"), out, stop));
    QVERIFY(!fs::exists(out));
    QVERIFY(!fs::exists(out.string() + ".part"));
  }
};

QTEST_GUILESS_MAIN(PipelineGgufTest)
#include "pipeline_gguf_test.moc"
