#include "decision/policy.h"
#include "decision/python_snippet.h"
#include "quant/precision_info.h"

#include <QProcess>
#include <QTest>

using namespace quantspot::decision;

namespace {

QString snippet(const SnippetRequest& request) { return QString::fromStdString(pythonSnippet(request)); }

QString refusal(const SnippetRequest& request) {
  try {
    pythonSnippet(request);
  } catch (const std::invalid_argument& error) {
    return QString::fromUtf8(error.what());
  }
  return {};
}

SnippetRequest fluxAt(const std::string& policy) {
  SnippetRequest request{.family = "flux", .model = "/models/flux", .policy = policy};
  if (policy.starts_with("gguf-")) request.exported = "/exports/flux";
  return request;
}

}  // namespace

class PythonSnippetTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void policiesAreTakenApart() {
    const PolicyParts parts = policyParts("torchao-int4wo?group=64&skip=proj_out,norm_out&double_blocks.0=bf16");
    QCOMPARE(parts.id, std::string("torchao-int4wo"));
    QCOMPARE(parts.options.at("group"), std::string("64"));
    QCOMPARE(parts.skip, (std::vector<std::string>{"proj_out", "norm_out"}));
    QCOMPARE(parts.rules.size(), std::size_t{1});
    QCOMPARE(parts.rules[0].second, std::string("bf16"));
    QVERIFY(policyParts("bf16@0-3,bnb-nf4@4-").schedule);
    QCOMPARE(policyParts("bf16@0-3,bnb-nf4@4-").id, std::string("bf16"));
  }

  // Every precision of the program has its Python, and it is Python.
  void everyPrecisionCompiles_data() {
    QTest::addColumn<QString>("policy");
    for (const quantspot::quant::PrecisionInfo& info : quantspot::quant::precisionInfos) QTest::newRow(info.id.data()) << QString::fromUtf8(info.id.data(), static_cast<qsizetype>(info.id.size()));
    for (const char* policy : {"bnb-nf4?skip=proj_out,norm_out", "torchao-int8wo?double_blocks.0=bf16", "quanto-int8a8?skip=proj_out", "fp8-layerwise?skip=proj_out",
                               "int8-dynamic?weights=per-channel", "torchao-int4wo?group=64"})
      QTest::newRow(policy) << QString(policy);
  }
  void everyPrecisionCompiles() {
#ifdef PYTHON
    QFETCH(QString, policy);
    for (const char* prompt : {"a \"fox\"\non \\ a 'hill' é", "x"}) {
      SnippetRequest request = fluxAt(policy.toStdString());
      request.prompt = prompt;
      QProcess python;
      python.start(PYTHON, {"-c", "import ast, sys; tree = ast.parse(sys.stdin.read()); print(len(tree.body)); "
                                  "print([k.value.value for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords if k.arg == 'prompt'][0], end='')"});
      python.write(snippet(request).toUtf8());
      python.closeWriteChannel();
      QVERIFY(python.waitForFinished());
      QVERIFY2(python.exitCode() == 0, python.readAllStandardError().constData());
      QCOMPARE(python.readAllStandardOutput().split('\n').mid(1).join('\n'), QByteArray(prompt));
    }
#else
    QSKIP("there is no python3 here");
#endif
  }

  void eachLibraryIsToldThePrecision_data() {
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("says");
    QTest::addColumn<QString>("requires_");
    QTest::newRow("nf4") << "bnb-nf4?skip=proj_out" << "bnb_4bit_quant_type=\"nf4\", bnb_4bit_use_double_quant=False" << "bitsandbytes==0.50.2";
    QTest::newRow("fp4-dq") << "bnb-fp4-dq" << "bnb_4bit_quant_type=\"fp4\", bnb_4bit_use_double_quant=True" << "bitsandbytes==0.50.2";
    QTest::newRow("skip") << "bnb-nf4?skip=proj_out" << "llm_int8_skip_modules=[\"proj_out\"]" << "bitsandbytes==0.50.2";
    QTest::newRow("int8") << "bnb-int8?threshold=4.5" << "load_in_8bit=True, llm_int8_threshold=4.5" << "bitsandbytes==0.50.2";
    QTest::newRow("torchao") << "torchao-int8dq" << "TorchAoConfig(Int8DynamicActivationInt8WeightConfig())" << "torchao==0.18.0";
    QTest::newRow("int4") << "torchao-int4wo?group=64" << "group_size=64" << "torchao==0.18.0";
    QTest::newRow("quanto") << "quanto-fp8" << "QuantoConfig(weights_dtype=\"float8\")" << "optimum-quanto==0.2.7";
    QTest::newRow("casting") << "fp8-layerwise-e5m2" << "storage_dtype=torch.float8_e5m2" << "diffusers==0.42.1";
    QTest::newRow("gguf") << "gguf-q4_k" << "EXPORT = Path(\"/exports/flux\")\n" << "gguf==0.19.0";
    QTest::newRow("dynamic") << "int8-dynamic" << "torch_dtype=torch.float32" << "torch==2.13.0";
    QTest::newRow("fp16") << "fp16" << "torch_dtype=torch.float16" << "torch==2.13.0";
  }
  void eachLibraryIsToldThePrecision() {
    QFETCH(QString, policy);
    QFETCH(QString, says);
    QFETCH(QString, requires_);
    const QString text = snippet(fluxAt(policy.toStdString()));
    QVERIFY2(text.contains(says), qPrintable(text));
    QVERIFY(QString::fromStdString(pythonRequirements(policy.toStdString())).contains(requires_ + "\n"));
  }

  void lengthsOfPromptsAreTold() {
    SnippetRequest request = fluxAt("bf16");
    QVERIFY(!snippet(request).contains("max_sequence_length"));
    request.max_sequence_length = 24;
    QVERIFY(snippet(request).contains("    max_sequence_length=24,\n"));
    request.family = "sdxl";
    QVERIFY(!snippet(request).contains("max_sequence_length"));
  }

  void anExportIsLoadedAsItIs() {
    SnippetRequest request = fluxAt("bnb-nf4");
    request.exported = "/exports/flux-nf4";
    const QString text = snippet(request);
    QVERIFY(text.contains("FluxPipeline.from_pretrained(\"/exports/flux-nf4\""));
    QVERIFY(!text.contains("BitsAndBytesConfig"));
    request.policy = "fp8-layerwise";
    QVERIFY(snippet(request).contains("enable_layerwise_casting"));
  }

  void everyFamilyHasItsClasses_data() {
    QTest::addColumn<QString>("family");
    QTest::addColumn<QString>("says");
    QTest::newRow("sd") << "sd" << "UNet2DConditionModel.from_pretrained(\"m\", subfolder=\"unet\"";
    QTest::newRow("sdxl") << "sdxl" << "pipe = StableDiffusionXLPipeline.from_pretrained(\"m\", unet=unet";
    QTest::newRow("sd3") << "sd3" << "SD3Transformer2DModel";
    QTest::newRow("pixart") << "pixart" << "PixArtSigmaPipeline";
    QTest::newRow("dit") << "dit" << "class_labels=[207]";
  }
  void everyFamilyHasItsClasses() {
    QFETCH(QString, family);
    QFETCH(QString, says);
    const QString text = snippet({.family = family.toStdString(), .model = "m", .policy = "bnb-nf4", .prompt = "207"});
    QVERIFY2(text.contains(says), qPrintable(text));
    QCOMPARE(text.contains("width="), family != "dit");
  }

  void whatNoLibrarySaysIsRefusedInOneLine_data() {
    QTest::addColumn<QString>("family");
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("why");
    QTest::newRow("steps") << "flux" << "bf16@0-3,bnb-nf4@4-" << "change over the steps";
    QTest::newRow("two") << "flux" << "bnb-nf4?double_blocks=bnb-int8" << "one quantization_config names one precision";
    QTest::newRow("text") << "flux" << "bnb-nf4?text_encoder=bnb-nf4" << "another part";
    QTest::newRow("block") << "flux" << "bnb-nf4?blocksize=128" << "no block size";
    QTest::newRow("gguf") << "pixart" << "gguf-q4_k" << "PixArtTransformer2DModel";
    QTest::newRow("gguf of sd3") << "sd3" << "gguf-q4_k" << "no GGUF file is written of a SD3Transformer2DModel";
    QTest::newRow("file") << "flux" << "gguf-q4_k" << "export the model first";
    QTest::newRow("skip") << "flux" << "int8-dynamic?skip=proj_out" << "no list of names";
    QTest::newRow("family") << "painter" << "bf16" << "'painter'";
    QTest::newRow("precision") << "flux" << "int3" << "'int3'";
  }
  void whatNoLibrarySaysIsRefusedInOneLine() {
    QFETCH(QString, family);
    QFETCH(QString, policy);
    QFETCH(QString, why);
    const QString said = refusal({.family = family.toStdString(), .model = "m", .policy = policy.toStdString()});
    QVERIFY2(said.contains(why), qPrintable(said));
    QVERIFY(!said.contains('\n'));
  }
};

QTEST_GUILESS_MAIN(PythonSnippetTest)
#include "python_snippet_test.moc"
