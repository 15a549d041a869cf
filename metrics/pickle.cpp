#include "metrics/pickle.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

namespace quantspot::metrics {
namespace {

using Kind = Pickled::Kind;

std::optional<at::ScalarType> storageType(std::string_view global) {
  static const std::map<std::string_view, at::ScalarType> types = {
      {"torch FloatStorage", at::kFloat}, {"torch DoubleStorage", at::kDouble}, {"torch HalfStorage", at::kHalf},
          {"torch BFloat16Storage", at::kBFloat16},
      {"torch LongStorage", at::kLong}, {"torch IntStorage", at::kInt}, {"torch ShortStorage", at::kShort}, {"torch CharStorage", at::kChar},
      {"torch ByteStorage", at::kByte}, {"torch BoolStorage", at::kBool}};
  const auto found = types.find(global);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

bool isListBuilder(std::string_view global) {   // TorchScript's typed lists
  static constexpr std::array names = {"torch.jit._pickle build_intlist", "torch.jit._pickle build_doublelist", "torch.jit._pickle build_boollist",
                                       "torch.jit._pickle build_tensorlist"};
  return std::ranges::find(names, global) != names.end();
}

bool allowed(std::string_view global) {
  return global == "torch._utils _rebuild_tensor_v2" || global == "torch._utils _rebuild_parameter" || global == "collections OrderedDict" ||
         global.starts_with("__torch__") || isListBuilder(global) || storageType(global);
}

class Machine {
 public:
  Machine(const std::filesystem::path& path, std::span<const std::uint8_t> bytes, std::size_t& position) : path_(path), bytes_(bytes),
      at_(position) {}

  Pickle run() {
    for (;;) {
      const std::uint8_t code = take(1)[0];
      if (code == '.') {
        pickle_.root = pop();
        return std::move(pickle_);
      }
      if (!constant(code) && !container(code) && !memo(code) && !call(code))
        fail("the pickle has a step (" + std::to_string(code) + ") that weights do not need; it was not run");
    }
  }

 private:
  PickledPtr make(Kind kind) {
    Pickled& value = pickle_.values.emplace_back();
    value.kind = kind;
    return &value;
  }
  PickledPtr makeNumber(std::int64_t number) {
    const PickledPtr value = make(Kind::Number);
    value->number = number;
    return value;
  }
  [[noreturn]] void fail(const std::string& what) const { throw FileError(path_, what); }

  std::span<const std::uint8_t> take(std::uint64_t count) {
    if (bytes_.size() - at_ < count) fail("the pickle ends too early");
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  std::uint64_t integer(int bytes) {
    const auto part = take(static_cast<std::uint64_t>(bytes));
    std::uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; --i) value = value << 8 | part[static_cast<std::size_t>(i)];
    return value;
  }
  PickledPtr text(std::uint64_t length) {
    const auto part = take(length);
    const PickledPtr value = make(Kind::Text);
    value->text.assign(part.begin(), part.end());
    return value;
  }
  std::string line() {
    std::string text;
    for (char c = static_cast<char>(take(1)[0]); c != '\n'; c = static_cast<char>(take(1)[0])) text += c;
    return text;
  }

  void push(PickledPtr value) { stack_.push_back(value); }
  PickledPtr pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) fail("the pickle is damaged");
    const PickledPtr value = stack_.back();
    stack_.pop_back();
    return value;
  }
  std::vector<PickledPtr> popMark() {
    if (marks_.empty()) fail("the pickle is damaged");
    std::vector<PickledPtr> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  PickledPtr top(Kind kind) {
    if (stack_.empty() || stack_.back()->kind != kind) fail("the pickle is damaged");
    return stack_.back();
  }
  PickledPtr list(std::vector<PickledPtr> items) {
    const PickledPtr value = make(Kind::List);
    value->items = std::move(items);
    return value;
  }

  bool constant(std::uint8_t code) {
    switch (code) {
      case 0x80: take(1); return true;                                    // protocol
      case 0x95: take(8); return true;                                    // frame
      case 'N': push(make(Kind::None)); return true;
      case 0x88: case 0x89: push(makeNumber(code == 0x88)); return true;  // True, False
      case 'J': push(makeNumber(static_cast<std::int32_t>(integer(4)))); return true;
      case 'K': push(makeNumber(static_cast<std::int64_t>(integer(1)))); return true;
      case 'M': push(makeNumber(static_cast<std::int64_t>(integer(2)))); return true;
      case 0x8a: push(longNumber()); return true;
      case 'G': take(8); push(make(Kind::None)); return true;             // a float: nothing here needs its value
      case 'X': push(text(integer(4))); return true;
      case 0x8c: push(text(integer(1))); return true;
      case 'U': push(text(integer(1))); return true;
      case 'T': push(text(integer(4))); return true;
      default: return false;
    }
  }
  PickledPtr longNumber() {
    const auto part = take(integer(1));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(part.size(), 8); ++i) value |= std::uint64_t{part[i]} << (8 * i);
    if (!part.empty() && part.size() < 8 && (part.back() & 0x80) != 0) value |= ~std::uint64_t{0} << (8 * part.size());
    return makeNumber(static_cast<std::int64_t>(value));                  // of more than 64 bits the low ones: torch's magic number
  }

  bool container(std::uint8_t code) {
    switch (code) {
      case '(': marks_.push_back(stack_.size()); return true;
      case '}': push(make(Kind::Dict)); return true;
      case ']': case ')': push(list({})); return true;
      case 't': case 'l': push(list(popMark())); return true;
      case 0x85: case 0x86: case 0x87: tuple(code - 0x84U); return true;
      case 'a': { const PickledPtr item = pop(); top(Kind::List)->items.push_back(item); return true; }
      case 'e': { const auto items = popMark(); auto& into = top(Kind::List)->items; into.insert(into.end(), items.begin(), items.end());
                 return true; }
      case 's': { const PickledPtr value = pop(), key = pop(); top(Kind::Dict)->pairs.emplace_back(key, value); return true; }
      case 'u': setItems(); return true;
      case '0': pop(); return true;
      default: return false;
    }
  }
  void tuple(std::size_t count) {
    std::vector<PickledPtr> items(count);
    for (std::size_t i = count; i > 0; --i) items[i - 1] = pop();
    push(list(std::move(items)));
  }
  void setItems() {
    const auto items = popMark();
    if (items.size() % 2 != 0) fail("the pickle is damaged");
    auto& pairs = top(Kind::Dict)->pairs;
    for (std::size_t i = 0; i < items.size(); i += 2) pairs.emplace_back(items[i], items[i + 1]);
  }

  bool memo(std::uint8_t code) {
    switch (code) {
      case 'q': remember(integer(1)); return true;
      case 'r': remember(integer(4)); return true;
      case 0x94: remember(memo_.size()); return true;
      case 'h': recall(integer(1)); return true;
      case 'j': recall(integer(4)); return true;
      default: return false;
    }
  }
  void remember(std::uint64_t index) {
    if (stack_.empty()) fail("the pickle is damaged");
    memo_[index] = stack_.back();
  }
  void recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("the pickle is damaged");
    push(found->second);
  }

  bool call(std::uint8_t code) {
    switch (code) {
      case 'c': { const std::string module = line(); pushGlobal(module + " " + line()); return true; }
      case 0x93: { const PickledPtr name = pop(), module = pop(); pushGlobal(module->text + " " + name->text); return true; }
      case 'Q': push(storage(pop())); return true;
      case 'R': { const PickledPtr arguments = pop(), global = pop(); push(reduce(*global, *arguments)); return true; }
      case 0x81: { pop(); const PickledPtr global = pop(); push(object(*global)); return true; }
      case 'b': build(); return true;
      default: return false;
    }
  }
  void pushGlobal(const std::string& name) {
    if (!allowed(name)) fail("the pickle wants to run " + name + ", which no weight file needs; it was not run");
    const PickledPtr value = make(Kind::Global);
    value->text = name;
    push(value);
  }
  // ("storage", type, key, device, length)
  PickledPtr storage(PickledPtr id) {
    const auto& parts = id->items;
    if (id->kind != Kind::List || parts.size() < 5 || parts[0]->text != "storage" || parts[4]->kind != Kind::Number)
      fail("the pickle names data that are no tensor's");
    const auto type = storageType(parts[1]->text);
    if (!type || parts[1]->kind != Kind::Global) fail("the pickle has tensors of type " + parts[1]->text + ", which cannot be read");
    const PickledPtr value = make(Kind::Storage);
    value->text = parts[2]->text;
    value->dtype = *type;
    value->number = parts[4]->number;
    return value;
  }
  PickledPtr reduce(const Pickled& global, const Pickled& arguments) {
    if (global.kind != Kind::Global || arguments.kind != Kind::List) fail("the pickle is damaged");
    if (global.text == "collections OrderedDict") return dictionary(arguments);
    if (global.text == "torch._utils _rebuild_parameter" && !arguments.items.empty()) return arguments.items[0];
    if (isListBuilder(global.text) && !arguments.items.empty()) return arguments.items[0];
    if (global.text == "torch._utils _rebuild_tensor_v2" && arguments.items.size() >= 4) return tensor(arguments.items);
    fail("the pickle calls " + global.text + " as no weight file does; it was not run");
  }
  // Python 2 hands the pairs over as a list of lists.
  PickledPtr dictionary(const Pickled& arguments) {
    const PickledPtr value = make(Kind::Dict);
    if (arguments.items.empty()) return value;
    for (const PickledPtr& pair : arguments.items[0]->items) {
      if (pair->items.size() != 2) fail("the pickle is damaged");
      value->pairs.emplace_back(pair->items[0], pair->items[1]);
    }
    return value;
  }
  PickledPtr tensor(const std::vector<PickledPtr>& arguments) {
    const PickledPtr value = make(Kind::Tensor);
    if (arguments[0]->kind != Kind::Storage || arguments[1]->kind != Kind::Number || arguments[2]->items.size() != arguments[3]->items.size())
      fail("the pickle is damaged");
    value->storage = arguments[0];
    value->dtype = arguments[0]->dtype;
    value->offset = arguments[1]->number;
    for (const PickledPtr& size : arguments[2]->items) value->sizes.push_back(size->number);
    for (const PickledPtr& stride : arguments[3]->items) value->strides.push_back(stride->number);
    return value;
  }
  PickledPtr object(const Pickled& global) {
    if (global.kind != Kind::Global || !global.text.starts_with("__torch__"))
      fail("the pickle makes an object of " + global.text + ", which no weight file needs");
    return make(Kind::Object);
  }
  // The attributes of an object; those of a dictionary (an OrderedDict's _metadata) are not needed.
  void build() {
    const PickledPtr state = pop();
    if (stack_.empty()) fail("the pickle is damaged");
    if (stack_.back()->kind == Kind::Object) stack_.back()->pairs = state->pairs;
    else if (stack_.back()->kind != Kind::Dict) fail("the pickle sets the state of what has none");
  }

  const std::filesystem::path& path_;
  std::span<const std::uint8_t> bytes_;
  std::size_t& at_;
  Pickle pickle_;
  std::vector<PickledPtr> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, PickledPtr> memo_;
};

}  // namespace

Pickle readPickle(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                  std::size_t& position) { return Machine(path, bytes, position).run(); }

}  // namespace quantspot::metrics
