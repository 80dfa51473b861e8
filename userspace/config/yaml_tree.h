// The tree of one YAML document as its events describe it: scalars still as written, aliases as
// references to the anchored node, every node with its mark.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "userspace/config/document.h"

namespace nz::config {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool plain = false;   ///< a scalar without quotes and without a tag
  bool closed = false;  ///< its end has been seen; an alias to an open node is a cycle
  Mark mark;
  std::string text = {};                     ///< of a scalar
  std::vector<std::uint32_t> children = {};  ///< list: items; map: key, value, key, value ...
};

/// Thrown by the tree to stop the parser at a bound; never leaves read_document().
struct YamlLimit : std::runtime_error {
  YamlLimit(Mark where, const std::string& what) : std::runtime_error(what), mark(where) {}
  Mark mark;
};

class YamlTree final : public YAML::EventHandler {
 public:
  /// Nodes live in one array: nothing recursive to destroy, and an alias is an index.
  [[nodiscard]] const YamlNode& node(std::uint32_t index) const { return nodes_[index]; }
  [[nodiscard]] bool has_root() const { return !nodes_.empty(); }
  [[nodiscard]] std::uint32_t root() const { return root_; }

  static Mark to_mark(const YAML::Mark& mark);

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  std::uint32_t add(YamlNode node, YAML::anchor_t anchor);
  void attach(std::uint32_t index);
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor);
  void close();

  std::vector<YamlNode> nodes_;
  std::vector<std::uint32_t> open_;
  std::map<YAML::anchor_t, std::uint32_t> anchors_;
  std::uint32_t root_ = 0;
};

}  // namespace nz::config
