// Stands in for quantspot-engine in tests: speaks the protocol, paints 2×2 pictures, and fails on request.
//   --die-after=N      killed by signal 9 in the middle of generate number N + 1 (counted from this start)
//   --die-on=P         the same, whenever precision P is asked for
//   --exit=N           ends with this code, after a line on stderr, at the first generate
//   --slow=MS          per step
//   --error=P          generate of precision P fails; --error=clip, psnr…: so does that metric
//   --plain=P          precision P gives a picture of one colour; --noise=P: another noise than the others
//   --drift=P          the second picture of precision P is another one; --once=P: the second fails
//   --hashes           reports tell the hash of the pixels
//   --garbage          prints to stdout between messages; --broken: answers generate with a frame that is no JSON
//   --result=M TEXT    the result of method M is this text
//   --deaf             does not obey cancel; --protocol=N: claims another version
#include "engine/protocol/framing.h"
#include "engine/protocol/rpc.h"
#include "tests/ui/fake_engine/layers.h"
#include "tests/ui/fake_engine/metrics.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <poll.h>
#include <unistd.h>

using namespace quantspot::protocol;
using nlohmann::json;

namespace {

constexpr int kSteps = 4;
const char* const kPictures[] = {   // red, green, blue, yellow, each against black
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAADklEQVR42mP4zwADQBYAD/4B/+zytFMAAAAASUVORK5CYII=",
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAD0lEQVR42mNgWMAAAwsYAAjOAUGFlTUyAAAAAElFTkSuQmCC",
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAD0lEQVR42mNgYPjPAAP/AQwCAf+7KbzIAAAAAElFTkSuQmCC",
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAD0lEQVR42mM4cYIBCoAsABd+AyF3EjHXAAAAAElFTkSuQmCC"};
const char* const kPlain = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAADklEQVR42mPgBAMGCAUAAwIAbQpB6yQAAAAASUVORK5CYII=";

std::map<std::string, std::string> flags;
FrameReader reader;
std::deque<Call> waiting;   // came while a picture was painted
int generated = 0;
std::map<std::string, int> painted;   // by precision
std::string downloaded;     // weights of a metric, in this start

bool is(const std::string& flag, const std::string& value) { return flags.contains(flag) && flags[flag] == value; }
int number(const std::string& flag, int otherwise) { return flags.contains(flag) ? std::atoi(flags[flag].c_str()) : otherwise; }

void send(const std::string& body) {
  if (flags.contains("garbage")) std::fputs("a library says hello\n", stdout);
  const std::string framed = frame(body);
  std::fwrite(framed.data(), 1, framed.size(), stdout);
  std::fflush(stdout);
}

void feed() {
  char bytes[65536];
  const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
  if (got <= 0) std::exit(0);
  reader.feed({bytes, static_cast<std::size_t>(got)});
}

// Sleeps for one step; true when this request is to stop.
bool cancelledDuring(int id) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, number("slow", 0)) <= 0) return false;
  feed();
  const auto message = reader.next();
  if (!message) return false;
  const Call call = toCall(parseMessage(*message));
  if (call.method == "cancel") return !flags.contains("deaf") && call.params.get<CancelParams>().id == id;
  waiting.push_back(call);
  return false;
}

// A LoRA called "nothing" does nothing.
json loraReports(const std::vector<Lora>& loras) {
  json all = json::array();
  for (const Lora& lora : loras) {
    const bool none = lora.file.find("nothing") != std::string::npos;
    all.push_back({{"file", lora.file}, {"scale", lora.scale}, {"layers", none ? 0 : 4}, {"unmatched", json::array()},
        {"effect", none ? 0.0 : 0.031}});
  }
  return all;
}

json generate(int id, const GenerateParams& params) {
  const bool dies = is("die-on", params.precision) || generated++ == number("die-after", -1);
  if (is("error", params.precision)) throw RpcError(OutOfMemory, params.precision + " needs 3.2 GiB, 1.1 GiB are free");
  if (flags.contains("exit")) {
    std::fputs("transformer/config.json: no such file\n", stderr);
    std::exit(number("exit", 1));
  }
  const bool again = painted[params.precision]++ == 1;
  if (again && is("once", params.precision)) throw RpcError(OutOfMemory, params.precision + " needs 3.2 GiB, 1.1 GiB are free");
  for (int step = 1; step <= kSteps; ++step) {
    send(encode(Call{{}, "progress", Progress{id, "denoise", step, kSteps}}));
    if (cancelledDuring(id)) throw RpcError(Cancelled, "cancelled");
    if (dies && step == kSteps / 2) std::raise(SIGKILL);
  }
  const std::size_t kind = (params.precision == "bf16" ? 0 : 1 + params.precision.size() % 3) + (again && is("drift", params.precision) ? 1 : 0);
  json report = {{"schema", 1}, {"precision", params.precision}, {"recipe", params.recipe},
                       {"noise_sha256", is("noise", params.precision) ? "other" : "same"},
                       {"asked", params},
                       {"loras", loraReports(params.loras)}};
  if (flags.contains("hashes")) report["image_sha256"] = "kind " + std::to_string(kind);
  GenerateResult made{is("plain", params.precision) ? kPlain : kPictures[kind % std::size(kPictures)], report};
  if (std::ranges::find(params.observe, "latents") != params.observe.end()) made.latents = quantspot::fake::latents(kSteps, kind);
  return made;
}

// Blocks of its layers; the error is the bytes that are saved, so that tests know it. Slow as a picture.
json scan(int id, const ScanParams& params) {
  ScanResult result = quantspot::fake::scanned(params);
  const int rounds = static_cast<int>(params.known.empty() ? result.groups.size() : 0) + 2;
  for (int round = 0; round < rounds; ++round) {
    send(encode(Call{{}, "progress", Progress{id, "scan", round, rounds}}));
    if (cancelledDuring(id)) throw RpcError(Cancelled, "cancelled");
  }
  return result;
}

json download(int id, const DownloadParams& params) {
  if (params.repo == "gated/model") throw RpcError(InternalError, "gated/model is gated, licence mit: accept its licence and set HF_TOKEN");
  for (int step = 0; step <= kSteps; ++step) {
    send(encode(Call{{}, "progress", Progress{id, "download", step, kSteps}}));
    if (cancelledDuring(id)) throw RpcError(Cancelled, "cancelled");
  }
  return DownloadResult{params.repo, "/cache/" + params.repo, "0", "mit", 3, kSteps, kSteps};
}

json downloadWeights(int id, const MetricDownloadParams& params) {
  for (int step = 0; step <= kSteps; ++step) {
    send(encode(Call{{}, "progress", Progress{id, "download", step, kSteps}}));
    if (cancelledDuring(id)) throw RpcError(Cancelled, "cancelled");
  }
  downloaded = params.name;
  return MetricDownloadResult{params.name, "/metrics/" + params.name};
}

json answer(int id, const Call& call) {
  if (call.method == "initialize")
    return InitializeResult{number("protocol", kProtocolVersion), {{"version", "fake"}, {"hardware", {{"cpu", "Fake CPU"}, {"ram_free", std::int64_t{64} << 30}, {"gpus", json::array()}}}},
                            {{"bf16", "BF16", "bf16", 16, true}, {"fp8-layerwise", "FP8", "fp8", 8, true}, {"bnb-int8", "INT8", "8-bit", 8},
                                {"bnb-nf4", "NF4", "4-bit", 4.5}}};
  if (call.method == "models/list") return ModelsListResult{{{"Fake", "default", "flux", 13'000'000, {}},
      {"Half", "half", "sd", 9'000'000, {"vae is missing: download it"}}, {"Classes", "classes", "dit", 7'000'000, {}}}};
  if (call.method == "models/inspect") return quantspot::fake::inspect(call.params.at("precision"));
  if (call.method == "models/traits") {
    const std::string model = call.params.at("model");
    if (model.ends_with("/none")) throw RpcError(InvalidParams, model + ": no model_index.json");
    return quantspot::fake::traits(model);
  }
  if (call.method == "precisions/fit") return quantspot::fake::fit(call.params.get<FitParams>());
  if (call.method == "exports/write") {
    const auto params = call.params.get<ExportParams>();
    if (params.out == "/there") throw RpcError(InvalidParams, "/there is there already; give --force to replace it");
    for (int step = 0; step <= kSteps; ++step) {
      send(encode(Call{{}, "progress", Progress{id, "load", step, kSteps}}));
      if (cancelledDuring(id)) throw RpcError(Cancelled, "cancelled");
    }
    return ExportResult{params.out, 7'000'000, {{"precision", params.precision}}};
  }
  if (call.method == "memory/estimate") return quantspot::fake::estimated(call.params.get<EstimateParams>());
  if (call.method == "policies/scan") return scan(id, call.params.get<ScanParams>());
  if (call.method == "models/download") return download(id, call.params.get<DownloadParams>());
  if (call.method == "samples/generate") return generate(id, call.params.get<GenerateParams>());
  if (call.method == "metrics/list") return quantspot::fake::weights(downloaded);
  if (call.method == "metrics/download") return downloadWeights(id, call.params.get<MetricDownloadParams>());
  if (call.method == "metrics/offered") return quantspot::fake::offered();
  if (call.method == "metrics/score") {
    const auto params = call.params.get<ScoreParams>();
    if (is("error", params.metric)) throw RpcError(InternalError, "no weights for " + params.metric);
    if (params.return_features || !params.image_features.empty()) return quantspot::fake::setScore(params);
    return ScoreResult{params.metric, params.metric == "clip" ? "CLIP-tiny" : "", params.metric == "psnr" ? 31.5 : 0.25};
  }
  throw RpcError(MethodNotFound, "no method " + call.method);
}

void serve(const Call& call) {
  if (call.method == "shutdown") std::exit(0);
  if (!call.id) return;
  const auto id = static_cast<int>(*call.id);
  if (call.method == "samples/generate" && flags.contains("broken")) return send("{this is no JSON");
  if (flags.contains("result") && call.method == flags["result"].substr(0, flags["result"].find(' ')))
    return send(R"({"jsonrpc": "2.0", "id": )" + std::to_string(*call.id) + R"(, "result": )" + flags["result"].substr(call.method.size() + 1) + "}");
  Reply reply{call.id, {}, {}};
  try {
    reply.result = answer(id, call);
  } catch (const RpcError& error) {
    reply.error = error;
  } catch (const json::exception& error) {
    reply.error = RpcError(InvalidParams, error.what());
  }
  send(encode(reply));
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = std::string(argv[i]).substr(2);
    const auto equals = flag.find('=');
    flags[flag.substr(0, equals)] = equals == std::string::npos ? "" : flag.substr(equals + 1);
  }
  std::fputs("fake engine is up\n", stderr);
  for (;; feed())
    while (const auto message = reader.next()) {
      serve(toCall(parseMessage(*message)));
      for (; !waiting.empty(); waiting.pop_front()) serve(Call(waiting.front()));
    }
}
