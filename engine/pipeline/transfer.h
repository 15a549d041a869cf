// Layers that come and go: bringing groups of them to where they compute, one ahead of the computing.
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace quantspot::pipeline {

// A layer that comes and goes. One thread at a time, but for willNeed().
struct Slot {
  virtual ~Slot() = default;
  virtual void fetch() = 0;              // nothing to do when it is there; may throw
  virtual void drop() = 0;
  virtual void willNeed() {}             // fetch() comes soon: the system may read ahead
};

// Layers that come and go together.
struct Group {
  std::string name;                      // of the block
  std::vector<std::shared_ptr<Slot>> slots = {};
};
using Groups = std::deque<Group>;        // more may be added behind those that are used

// Called by the thread that computes, in this order for each group: start, wait, release. Groups are told by their number.
class Transfer {
 public:
  virtual ~Transfer() = default;
  // The group comes, beside the computing; returns at once. At most one is under way.
  virtual void start(std::size_t group) = 0;
  // The group is there for what the caller computes from now on; it is brought now when it was not started. Throws what bringing it threw; it
  // is then as if it had not been started.
  virtual void wait(std::size_t group) = 0;
  // What was computed until now is the last that needs the group. Its memory is used again once that is done.
  virtual void release(std::size_t group) = 0;
  // The group is wanted after the one that works now: its bytes are read ahead, no memory of ours is taken. Errors come from wait().
  virtual void announce(std::size_t group) = 0;
};
using MakeTransfer = std::function<std::unique_ptr<Transfer>(const Groups& groups)>;

// With a thread of its own. On a CPU groups are read from where their slots read them. On another device the thread copies on a second stream:
// the computing stream waits for a group's copies before its first use, and the second stream waits for the last use before it reuses
// the memory. `groups` must live longer.
std::unique_ptr<Transfer> makeTransfer(const Groups& groups, const c10::Device& device);

}  // namespace quantspot::pipeline
