#include "engine/model/schedulers/ddim.h"
#include "engine/model/schedulers/ddpm.h"
#include "engine/model/schedulers/dpm_solver_multistep.h"
#include "engine/model/schedulers/euler.h"
#include "engine/model/schedulers/euler_ancestral.h"
#include "engine/model/schedulers/flow_match_euler.h"
#include "engine/model/schedulers/flow_match_heun.h"
#include "engine/model/schedulers/heun.h"
#include "engine/model/schedulers/lcm.h"
#include "engine/model/schedulers/pndm.h"
#include "engine/model/schedulers/unipc.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

using nlohmann::json;

struct Entry {
  SchedulerInfo info;
  std::unique_ptr<Scheduler> (*make)(const Config& config);
  const char* overrides = "{}";           // keys that an id sets
};

template <class Made>
std::unique_ptr<Scheduler> make(const Config& config) {
  return std::make_unique<Made>(config);
}

// Display order; the first entry of a class is the one that takes a configuration as it is.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {{"flow-match-euler", "Flow matching, Euler", "FlowMatchEulerDiscreteScheduler", true, false}, make<FlowMatchEuler>},
      {{"flow-match-heun", "Flow matching, Heun", "FlowMatchHeunDiscreteScheduler", true, false}, make<FlowMatchHeun>},
      {{"ddim", "DDIM", "DDIMScheduler", false, false}, make<Ddim>},
      {{"ddpm", "DDPM", "DDPMScheduler", false, true}, make<Ddpm>},
      {{"pndm", "PNDM", "PNDMScheduler", false, false}, make<Pndm>},
      {{"euler", "Euler", "EulerDiscreteScheduler", false, false}, make<Euler>},
      {{"euler-ancestral", "Euler ancestral", "EulerAncestralDiscreteScheduler", false, true}, make<EulerAncestral>},
      {{"heun", "Heun", "HeunDiscreteScheduler", false, false}, make<Heun>},
      {{"dpmpp-2m", "DPM++ 2M", "DPMSolverMultistepScheduler", false, false}, make<DpmSolverMultistep>},
      {{"dpmpp-2m-karras", "DPM++ 2M Karras", "DPMSolverMultistepScheduler", false, false}, make<DpmSolverMultistep>,
       R"({"use_karras_sigmas": true})"},
      {{"dpmpp-2m-sde", "DPM++ 2M SDE", "DPMSolverMultistepScheduler", false, true}, make<DpmSolverMultistep>,
       R"({"algorithm_type": "sde-dpmsolver++"})"},
      {{"unipc", "UniPC", "UniPCMultistepScheduler", false, false}, make<UniPc>},
      {{"lcm", "LCM", "LCMScheduler", false, true}, make<Lcm>}};
  return all;
}

const Entry& entryOf(const Config& config, std::string_view id) {
  const auto name = config.get<std::string>("_class_name", "");
  const auto found = std::ranges::find_if(entries(), [&](const Entry& e) { return id.empty() ? e.info.className == name : e.info.id == id; });
  if (found != entries().end()) return *found;
  std::vector<std::string_view> known;
  for (const Entry& e : entries())
    if (known.empty() || known.back() != (id.empty() ? e.info.className : e.info.id)) known.push_back(id.empty() ? e.info.className : e.info.id);
  if (id.empty()) config.fail("_class_name", fmt::format("is not supported; use {}", fmt::join(known, ", ")));
  throw ModelError(fmt::format("scheduler '{}' is not known; use {}", id, fmt::join(known, ", ")));
}

}  // namespace

const std::vector<SchedulerInfo>& schedulerInfos() {
  static const std::vector<SchedulerInfo> all = [] {
    std::vector<SchedulerInfo> infos;
    for (const Entry& e : entries()) infos.push_back(e.info);
    return infos;
  }();
  return all;
}

std::unique_ptr<Scheduler> loadScheduler(const std::filesystem::path& folder, std::string_view id) {
  const Config config(folder / "scheduler" / "scheduler_config.json");
  const Entry& entry = entryOf(config, id);
  json merged = config.json();
  merged.update(json::parse(entry.overrides));
  return entry.make(Config(config.path(), merged));
}

}  // namespace quantspot::model
