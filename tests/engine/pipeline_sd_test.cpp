// Stable Diffusion 1.x, 2.x and SDXL against diffusers (tests/parity/sd_cases.py), through the sampler: prompts to 8-bit pictures.
#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/unet/unet.h"
#include "engine/pipeline/memory_model.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/quantize_model.h"
#include "tests/engine/pipeline_case.h"
#include "tests/engine/print_json.h"

#include <QTemporaryDir>
#include <QTest>

#include <c10/core/InferenceMode.h>


using namespace quantspot;
using namespace quantspot::test;
using nlohmann::json;

class StableDiffusionTest : public QObject {
  Q_OBJECT
  c10::InferenceMode guard_;

  static void addCases() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"sd_a", "sd_b", "sdxl_a", "sdxl_b"}) QTest::newRow(name) << name;
  }

 private Q_SLOTS:
  void promptEmbeddings_data() { addCases(); }
  void promptEmbeddings() {
    QFETCH(QString, name);
    const Case golden(name);
    const auto encoders = model::loadTextEncoders(golden.folder / "pipeline", {});
    const model::EncodeOptions options{.clipSkip = golden.recipe.value("clip_skip", 0)};
    const auto prompts = golden.recipe["prompts"].get<std::vector<std::string>>();
    const auto negative = golden.recipe["negative_prompt"].is_null() ? std::nullopt
        : std::optional(golden.recipe["negative_prompt"].get<std::string>());
    const auto compare = [&](const at::Tensor& got, const at::Tensor& wanted) {
      const bool zeros = wanted.norm().item<double>() == 0;
      const double error = zeros ? got.norm().item<double>() : relativeError(got, wanted);
      QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    };
    const auto told = encoders->encode(prompts, options), away = encoders->encodeNegative(negative, options);
    compare(told.condition.at("sequence"), golden["prompt_embeds"]);
    compare(away.condition.at("sequence"), golden["negative_prompt_embeds"].slice(0, 0, 1));
    QCOMPARE(told.condition.contains("pooled"), golden.has("pooled"));
    if (!golden.has("pooled")) return;
    compare(told.condition.at("pooled"), golden["pooled"]);
    compare(away.condition.at("pooled"), golden["negative_pooled"].slice(0, 0, 1));
  }

  void weightedWordsScaleTheirTokens_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"sd_a", "sd_b"}) QTest::newRow(name) << name;
  }
  void weightedWordsScaleTheirTokens() {
    QFETCH(QString, name);
    const Case golden(name);
    const auto encoders = model::loadTextEncoders(golden.folder / "pipeline", {});
    const auto sequence = [&](const char* prompt, bool weighted) { return encoders->encode({prompt},
        {.weighted = weighted}).condition.at("sequence"); };
    const double error = relativeError(sequence("a red (fox:1.3) on the ((green background)), [old] photo", true), golden["weighted_embeds"]);
    QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    QVERIFY(at::equal(sequence("a red fox", true), sequence("a red fox", false)));
  }

  void aBatchIsThatOfDiffusers_data() { addCases(); }
  void aBatchIsThatOfDiffusers() {
    QFETCH(QString, name);
    const Case golden(name);
    pipeline::Sampler sampler;
    const auto samples = sampler.generateBatch(golden.request("fp32"));
    QCOMPARE(samples.size(), golden.pictures());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const double error = relativeError(samples[i].latents, golden["latents"].slice(0, row, row + 1));
      QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
      const int off = pixelsOff(samples[i].image, golden["image_u8"][row]);
      QVERIFY2(off <= 1, qPrintable(QString::number(off)));
      QCOMPARE(test::text(samples[i].report["noise_sha256"]), test::text(golden.recipe["noise_sha256"][i]));
      QCOMPARE(samples[i].report["recipe"]["guidance"].get<double>(), golden.recipe["guidance"].get<double>());
      QVERIFY(samples[i].report["weights"]["unet"]["bytes"].get<std::int64_t>() > 0);
    }
  }

  // A picture's noise and the noise that its scheduler draws do not depend on what is drawn beside it.
  void picturesOfABatchAreThoseOfSingleRuns_data() { addCases(); }
  void picturesOfABatchAreThoseOfSingleRuns() {
    QFETCH(QString, name);
    const Case golden(name);
    pipeline::Sampler sampler;
    for (std::size_t i = 0; i < golden.pictures(); ++i) {
      pipeline::SampleRequest request = golden.request("fp32");
      request.more.clear();
      request.recipe = golden.of(i);
      const auto row = static_cast<std::int64_t>(i);
      QVERIFY(relativeError(sampler.generate(request).latents, golden["latents"].slice(0, row, row + 1)) < 1e-4);
    }
  }

  // Both round after every operation: they differ about as much as bf16 itself costs.
  void bf16IsAsFarFromFp32AsThatOfDiffusers_data() { addCases(); }
  void bf16IsAsFarFromFp32AsThatOfDiffusers() {
    QFETCH(QString, name);
    const Case golden(name);
    pipeline::SampleRequest request = golden.request("bf16");
    request.noise = golden["noise"];
    pipeline::Sampler sampler;
    const auto samples = sampler.generateBatch(request);
    std::vector<at::Tensor> all;
    for (const auto& sample : samples) all.push_back(sample.latents);
    const double own = golden.recipe["bf16_relative_error"], error = relativeError(at::cat(all), golden["bf16_latents"].to(at::kFloat));
    qInfo("%.4f from the reference's bf16, which is %.4f from its fp32", error, own);
    QVERIFY2(error < 1.5 * own, qPrintable(QString::number(error)));
  }

  void imageToImageIsThatOfDiffusers_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"sd_a", "sdxl_a"}) QTest::newRow(name) << name;
  }
  void imageToImageIsThatOfDiffusers() {
    QFETCH(QString, name);
    const Case golden(name);
    const at::Tensor picture = golden["picture"].contiguous();
    const auto* bytes = picture.const_data_ptr<std::uint8_t>();
    pipeline::SampleRequest request = golden.request("fp32");
    request.image = pipeline::RgbImage{static_cast<int>(picture.size(1)), static_cast<int>(picture.size(0)), {bytes, bytes + picture.numel()}};
    const double strength = golden.recipe["strength"];
    request.recipe.strength = strength;
    for (auto& recipe : request.more) recipe.strength = strength;
    pipeline::Sampler sampler;
    const auto plain = sampler.generateBatch(request);
    request.recipe.vae_slicing = request.recipe.vae_tiling = true;
    for (auto& recipe : request.more) recipe.vae_slicing = recipe.vae_tiling = true;
    const auto tiled = sampler.generateBatch(request);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const double error = relativeError(plain[i].latents, golden["from_picture_latents"].slice(0, row, row + 1));
      QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
      QVERIFY(pixelsOff(plain[i].image, golden["from_picture_u8"][row]) <= 1);
      QVERIFY(pixelsOff(tiled[i].image, golden["tiled_u8"][row]) <= 1);
      QCOMPARE(plain[i].report["recipe"]["strength"].get<double>(), strength);
    }
    if (name == "sd_a") QVERIFY(plain[0].image.pixels != tiled[0].image.pixels);   // larger than one tile
  }

  void aPictureOfAnotherSizeIsRefused() {
    const Case golden("sd_a");
    pipeline::SampleRequest request = golden.request("fp32");
    request.image = pipeline::RgbImage{8, 8, std::vector<std::uint8_t>(192)};
    pipeline::Sampler sampler;
    QVERIFY_EXCEPTION_THROWN(sampler.generateBatch(request), std::invalid_argument);
    request.image.reset();
    request.recipe.strength = 0.5;
    QVERIFY_EXCEPTION_THROWN(sampler.generateBatch(request), std::invalid_argument);   // and no picture to start from
  }

  // From shapes alone, with both passes of guidance counted and the first phase of what is really there.
  void memoryIsToldBeforeAnythingIsRead_data() { addCases(); }
  void memoryIsToldBeforeAnythingIsRead() {
    QFETCH(QString, name);
    const Case golden(name);
    protocol::Recipe recipe = golden.of(0);
    const auto need = pipeline::memoryModel(golden.folder / "pipeline", "fp32", recipe, 1).inTurn;
    recipe.guidance = 1;
    const auto unguided = pipeline::memoryModel(golden.folder / "pipeline", "fp32", recipe, 1).inTurn;
    QCOMPARE(need.denoise.weights, model::loadDenoiser(golden.folder / "pipeline", {})->bytes());
    QCOMPARE(need.encode.weights, model::loadTextEncoders(golden.folder / "pipeline", {})->bytes());
    // Most of it is there twice: all but the signal of the time, which both passes share, and what the library takes for itself at such small maps.
    const double ratio = static_cast<double>(need.denoise.activations) / static_cast<double>(unguided.denoise.activations);
    QVERIFY2(ratio > 1.5 && ratio <= 2.05, qPrintable(QString::number(ratio)));
    QVERIFY(pipeline::memoryModel(golden.folder / "pipeline", "bnb-nf4", recipe, 1).inTurn.denoise.weights < unguided.denoise.weights);
  }

  // As bitsandbytes itself would: Linear layers only.
  void aUnetIsWrittenPacked() {
    const Case golden("sd_a");
    const QTemporaryDir folder;
    const std::filesystem::path out(folder.filePath("packed").toStdString());
    const auto result = pipeline::quantizeModel({golden.folder / "pipeline", out, quant::parsePolicy("bnb-nf4")});
    const model::SafeTensors before(golden.folder / "pipeline/unet/diffusion_pytorch_model.safetensors"),
        after(out / "unet/diffusion_pytorch_model.safetensors");
    std::size_t packed = 0;
    for (const auto& [name, entry] : before.entries()) {
      const bool linear = name.ends_with(".weight") && entry.shape.size() == 2;
      QCOMPARE(after.entries().contains(name + ".absmax"), linear);
      if (linear) ++packed;
      else QVERIFY2(after.entries().at(name).shape == entry.shape, name.c_str());
    }
    QCOMPARE(result.packed.size(), packed);
    QVERIFY(packed > 50);
    const json config = json::parse(std::ifstream(out / "unet/config.json"));
    QCOMPARE(config["quantization_config"]["quant_method"].get<std::string>(), std::string("bitsandbytes"));
    QVERIFY(std::filesystem::exists(out / "vae/diffusion_pytorch_model.safetensors"));
  }

  void whatIsNotComputedIsRefused_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<QByteArray>("value");
    const auto row = [](const char* key, const char* value) { QTest::addRow("%s %s", key, value) << key << QByteArray(value); };
    row("only_cross_attention", "true");
    row("class_embed_type", "\"timestep\"");
    row("addition_embed_type", "\"image\"");
    row("addition_time_embed_dim", "0");
    row("mid_block_type", "\"UNetMidBlock2D\"");
    row("down_block_types", "[\"ResnetDownsampleBlock2D\"]");
    row("up_block_types", "[\"UpBlock2D\"]");
    row("in_channels", "9");
    row("norm_num_groups", "null");
    row("attention_head_dim", "5");
    row("attention_head_dim", "[2, 2]");
    row("block_out_channels", "[8, 13, 16]");
    row("cross_attention_dim", "\"wide\"");
    row("transformer_layers_per_block", "[[1], [2], [3]]");
    row("act_fn", "\"sine\"");
    row("conv_in_kernel", "2");
    row("downsample_padding", "2");
    row("_class_name", "\"UNet3DConditionModel\"");
  }
  void whatIsNotComputedIsRefused() {
    QFETCH(QString, key);
    QFETCH(QByteArray, value);
    const QTemporaryDir folder;
    json config = json::parse(std::ifstream(Case("sdxl_a").folder / "pipeline/unet/config.json"));
    config[key.toStdString()] = json::parse(value.toStdString());
    std::ofstream(folder.filePath("config.json").toStdString()) << config;
    try {
      model::loadUnet(folder.path().toStdString(), {});
      QFAIL("was accepted");
    } catch (const model::ModelError& error) {
      const QString line = error.what();
      QVERIFY2(line.contains(key) && line.contains("config.json") && !line.contains('\n'), error.what());
    }
  }

  void everyLayerIsInTheLedgerAndCounted_data() { addCases(); }
  void everyLayerIsInTheLedgerAndCounted() {
    QFETCH(QString, name);
    const Case golden(name);
    std::size_t last = 0, total = 0;
    model::LoadOptions options;
    options.onLayer = [&](std::size_t done, std::size_t all) {
      QCOMPARE(done, last + 1);
      last = done;
      total = all;
    };
    const auto unet = model::loadDenoiser(golden.folder / "pipeline", options);
    QCOMPARE(last, total);
    std::int64_t bytes = 0;
    for (const model::SafeTensors file(golden.folder / "pipeline/unet/diffusion_pytorch_model.safetensors"); const auto& [tensor, entry]
         : file.entries())
      bytes += 2 * static_cast<std::int64_t>(entry.bytes.size());   // bf16 there, fp32 here
    QCOMPARE(unet->bytes(), bytes);
    last = 0;
    const auto encoders = model::loadTextEncoders(golden.folder / "pipeline", options);
    QCOMPARE(last, total);
  }
};

QTEST_APPLESS_MAIN(StableDiffusionTest)
#include "pipeline_sd_test.moc"
