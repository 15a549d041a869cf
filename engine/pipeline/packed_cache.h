// Packed weights on disk, so that the second start of a variant reads what the first one made.
#pragma once

#include "quant/quantizer.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::pipeline {

struct PackedCacheOptions {
  std::filesystem::path folder;          // empty: no cache
  std::int64_t limit = 0;                // bytes; the files that were used least recently go first
  bool scratch = false;                  // a file without a name instead, which goes with the set: for layers that come and go, where nothing is kept
};
// $QUANTSPOT_CACHE, else $XDG_CACHE_HOME/quantspot/packed, else ~/.cache/quantspot/packed; at most $QUANTSPOT_CACHE_LIMIT (20 GiB).
// Throws std::invalid_argument for a limit that is no size.
PackedCacheOptions defaultPackedCache();

PackedCacheOptions scratchCache();       // of as many bytes as there is room for

// Names one file: the code that packs, the weights, the part of the model, the policy.
std::string packedKey(const std::string& weightsHash, const std::string& part, const std::string& policy);

// The packed layers of one part of a model at one policy: read from the cache's file when there is one, else collected for it. One thread.
// A cache that cannot be read or written is as good as none: nothing here throws for it.
class PackedSet {
 public:
  struct Layer {
    quant::QuantizedTensor weight;
    std::string asked, why;              // of a fallback; empty: none
  };

  PackedSet(const PackedCacheOptions& options, const std::string& key);
  ~PackedSet();                          // what was not kept leaves nothing behind
  PackedSet(const PackedSet&) = delete;
  PackedSet& operator=(const PackedSet&) = delete;

  // An owned copy; nothing while the set is being collected, and for a layer that it does not hold. Safe from several threads.
  std::optional<Layer> find(const std::string& layer, at::IntArrayRef shape) const;
  // find() comes soon: the system reads ahead. False where it will give nothing.
  bool willNeed(const std::string& layer) const;
  // Plain weights are left out: the model's own file holds them as well. Tensors of any device.
  void add(const std::string& layer, const Layer& packed);
  // Every layer is there: the file appears under its name, and others go where the limit asks for it. From then on find() reads it.
  void keep();
  std::string_view state() const;        // "read", "written" or "unused"

 private:
  struct Reader;
  struct Writer;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
  bool kept_ = false;
};

}  // namespace quantspot::pipeline
