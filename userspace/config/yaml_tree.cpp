#include "userspace/config/yaml_tree.h"

#include <algorithm>
#include <string_view>

namespace nz::config {
namespace {

// Tags that the parser gives to what has none: "?" to plain scalars and collections, "!" to quotes.
bool untagged(const std::string& tag) { return tag.empty() || tag == "?" || tag == "!"; }

}  // namespace

Mark YamlTree::to_mark(const YAML::Mark& mark) {
  return {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

std::uint32_t YamlTree::add(YamlNode node, YAML::anchor_t anchor) {
  if (nodes_.size() >= Document::kMostNodes) throw YamlLimit(node.mark, "too many values");
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(std::move(node));
  if (anchor != YAML::NullAnchor) anchors_[anchor] = index;
  attach(index);
  return index;
}

void YamlTree::attach(std::uint32_t index) {
  if (open_.empty()) {
    root_ = index;
  } else {
    nodes_[open_.back()].children.push_back(index);
  }
}

void YamlTree::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  add({.kind = YamlNode::Kind::kNull, .closed = true, .mark = to_mark(mark)}, anchor);
}

void YamlTree::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end() || !nodes_[found->second].closed) {
    throw YamlLimit(to_mark(mark), "this alias refers to a value that contains it");
  }
  // Counted when it is expanded, not here: a list of many aliases is still bounded by the file's
  // size.
  attach(found->second);
}

void YamlTree::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                        const std::string& value) {
  if (!untagged(tag) && tag != "tag:yaml.org,2002:str") {
    throw YamlLimit(to_mark(mark), "tags are not supported here: " + in_quotes(tag));
  }
  if (value.size() > Document::kMostScalar) {
    throw YamlLimit(to_mark(mark), "a text of " + std::to_string(value.size()) +
                                       " bytes, at most " + std::to_string(Document::kMostScalar) +
                                       " are allowed");
  }
  add({.kind = YamlNode::Kind::kScalar,
       .plain = tag == "?",
       .closed = true,
       .mark = to_mark(mark),
       .text = value},
      anchor);
}

void YamlTree::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                    YAML::anchor_t anchor) {
  if (!untagged(tag)) {
    throw YamlLimit(to_mark(mark), "tags are not supported here: " + in_quotes(tag));
  }
  if (open_.size() >= static_cast<std::size_t>(Document::kMostDepth)) {
    throw YamlLimit(to_mark(mark),
                    "nested deeper than " + std::to_string(Document::kMostDepth) + " levels");
  }
  open_.push_back(add({.kind = kind, .mark = to_mark(mark)}, anchor));
}

void YamlTree::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                               YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  open(YamlNode::Kind::kList, mark, tag, anchor);
}

void YamlTree::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          YAML::EmitterStyle::value) {
  open(YamlNode::Kind::kMap, mark, tag, anchor);
}

void YamlTree::close() {
  nodes_[open_.back()].closed = true;
  open_.pop_back();
}

}  // namespace nz::config
